"""GIFT-Eval's protocol: which windows, horizons and seasons, and one row's scores."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from timer_forecaster.evaluation import (
    Configuration,
    evaluate,
    forecast_windows,
    gift_eval,
    load_configuration,
    load_configurations,
    read_published,
    seasonal_naive_forecaster,
    terms_of,
)

SHARED_DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"

# From data/eval: (file, horizon and windows per term), as the benchmark's own code splits them.
GEOMETRY = {
    "bitbrains_rnd__5T": [(48, 18), (480, 2), (720, 2)],
    "bizitobs_application__10S": [(60, 15), (600, 2), (900, 1)],
    "car_parts__M": [(12, 1)],
    "covid_deaths__D": [(30, 1)],
    "ett1__15T": [(48, 20), (480, 15), (720, 10)],
    "ett1__D": [(30, 3)],
    "ett1__H": [(48, 20), (480, 4), (720, 3)],
    "ett1__W": [(8, 2)],
    "hospital__M": [(12, 1)],
    "jena_weather__10T": [(48, 20), (480, 11), (720, 8)],
    "jena_weather__D": [(30, 2)],
    "jena_weather__H": [(48, 19), (480, 2), (720, 2)],
    "m4_hourly__H": [(48, 1)],
    "restaurant__D": [(30, 1)],
    "saugeen__D": [(30, 20)],
    "saugeen__M": [(12, 7)],
    "saugeen__W": [(8, 20)],
}
CASES = [
    pytest.param(name, term, *sizes, id=f"{name}-{term}")
    for name, terms in GEOMETRY.items()
    for term, sizes in zip(gift_eval.TERMS, terms, strict=False)
]


def make_configuration(series, horizon=2, windows=3, seasonality=1):
    series = [np.asarray(values, dtype=float) for values in series]
    return Configuration("toy/D/short", "D", horizon, windows, seasonality, series)


def write_series(folder, name, series, frequency):
    frame = pd.DataFrame({"item_id": "x", "start": None, "freq": frequency, "target": series})
    frame.to_parquet(folder / f"{name}.parquet")


@pytest.mark.parametrize(
    ("frequency", "expected"),
    [
        ("H", 24),
        ("h", 24),
        ("2H", 12),
        ("5T", 288),
        ("15min", 96),
        ("7T", 1),
        ("10S", 360),
        ("D", 1),
        ("W-THU", 1),
        ("ME", 12),
        ("Q-DEC", 4),
        ("B", 5),
        ("A", 1),
        ("YE-DEC", 1),
    ],
)
def test_seasonality(frequency, expected):
    assert gift_eval.seasonality_of(frequency) == expected


@pytest.mark.parametrize("frequency", ["fortnight", "", "5", "U"])
def test_unknown_frequency(frequency):
    with pytest.raises(ValueError, match="is unknown; use a multiple of one of S, T"):
        gift_eval.seasonality_of(frequency)


def test_m4_has_its_own_horizons_and_one_window():
    assert gift_eval.horizon_of("m4_monthly", "M", "short") == 18
    assert gift_eval.horizon_of("hospital", "M", "short") == 12
    assert gift_eval.window_count("m4_hourly", 100_000, 48) == 1


def test_undefined_horizons_and_terms():
    with pytest.raises(ValueError, match="no horizon for frequency 'A' of 'tourism'"):
        gift_eval.horizon_of("tourism", "A", "short")
    with pytest.raises(ValueError, match="term 'longer' is unknown"):
        gift_eval.horizon_of("ett1", "H", "longer")


@pytest.mark.parametrize(
    ("dataset", "frequency", "count"),
    [
        ("ett1", "H", 3),
        ("bizitobs_service", "10S", 3),
        ("solar", "10T", 3),
        ("ett1", "D", 1),
        ("m4_hourly", "H", 1),
        ("sz_taxi", "H", 1),
        ("sz_taxi", "15T", 3),
        ("bitbrains_rnd", "H", 1),
        ("bitbrains_rnd", "5T", 3),
    ],
)
def test_terms(dataset, frequency, count):
    assert terms_of(dataset, frequency) == ("short", "medium", "long")[:count]


@given(
    st.lists(st.integers(13, 30), min_size=1, max_size=4),
    st.integers(1, 3),
    st.integers(1, 4),
)
def test_windows_tile_the_end_of_every_series(lengths, horizon, windows):
    series = [np.arange(length) + 100.0 * index for index, length in enumerate(lengths)]
    configuration = make_configuration(series, horizon, windows)
    contexts, targets = configuration.contexts(), configuration.targets()
    assert len(contexts) == len(targets) == len(configuration) == windows * len(series)
    for index, values in enumerate(series):
        mine = range(index, len(configuration), len(series))
        for row in mine:
            np.testing.assert_array_equal(targets[row], contexts[row][-1] + 1 + np.arange(horizon))
        tiled = np.concatenate([contexts[index], *(targets[row] for row in mine)])
        np.testing.assert_array_equal(tiled, values)


def test_contexts_share_the_series_memory():
    configuration = make_configuration([np.arange(20)])
    assert all(np.shares_memory(c, configuration.series[0]) for c in configuration.contexts())


def test_a_series_too_short_for_its_windows_is_refused():
    with pytest.raises(ValueError, match="toy/D/short: the shortest series has 6 steps"):
        make_configuration([np.arange(20), np.arange(6)])


def test_load_configuration(tmp_path):
    series = [np.arange(400, dtype=np.float32), np.full(500, np.nan, dtype=np.float32)]
    write_series(tmp_path, "my_shop__D", series, "D")
    configuration = load_configuration(tmp_path / "my_shop__D.parquet")
    assert configuration.name == "my_shop/D/short"
    assert (configuration.horizon, configuration.windows, configuration.seasonality) == (30, 2, 1)
    assert [len(values) for values in configuration.series] == [400, 500]
    assert configuration.series[0].dtype == np.float64


def test_load_configuration_needs_the_name_pattern(tmp_path):
    with pytest.raises(ValueError, match=r"'shop\.parquet' is not named"):
        load_configuration(tmp_path / "shop.parquet")


def test_load_configurations_takes_the_terms_each_file_has(tmp_path):
    write_series(tmp_path, "web__H", [np.arange(9000.0)], "H")
    write_series(tmp_path, "shop__D", [np.arange(400.0)], "D")
    names = [configuration.name for configuration in load_configurations(tmp_path)]
    assert names == ["shop/D/short", "web/H/short", "web/H/medium", "web/H/long"]
    chosen = load_configurations(tmp_path, ["web__H"], ["long"])
    assert [configuration.name for configuration in chosen] == ["web/H/long"]
    with pytest.raises(ValueError, match=r"\['longer'\] are unknown"):
        next(load_configurations(tmp_path, terms=["longer"]))


def test_evaluate_scores_the_forecaster_beside_seasonal_naive():
    configuration = make_configuration([[0, 1, 0, 1, 0, 3, 0, 3]], windows=1, seasonality=2)
    # Context 0 1 0 1 0 3, target 0 3: Seasonal Naive is perfect, its scale is (0+0+0+2)/4.
    row = evaluate(lambda contexts, horizon: np.ones((len(contexts), horizon, 9)), configuration)
    assert row.configuration == "toy/D/short"
    assert row.model.mase == pytest.approx((1 + 2) / 2 / 0.5)
    # Mean over the levels of 2 · (1 - level) · 1 + 2 · level · 2, over Σ|y| = 3.
    assert row.model.weighted_quantile_loss == pytest.approx(3 / 3)
    assert row.model.coverage == 0.0
    assert row.seasonal_naive.mase == row.seasonal_naive_point.weighted_quantile_loss == 0.0
    assert row.seasonal_naive.coverage == 1.0


def test_seasonal_naive_relative_to_itself_is_one():
    series = np.random.default_rng(0).normal(10, 1, (4, 40))
    configuration = make_configuration(list(series), seasonality=7)
    row = evaluate(seasonal_naive_forecaster(7), configuration)
    assert row.model == row.seasonal_naive
    assert row.relative_mase == row.relative_loss == 1.0
    assert row.relative_point_loss < 1.0


def test_forecaster_is_called_in_bounded_chunks(monkeypatch):
    sizes = []

    def forecaster(contexts, horizon):
        sizes.append(sum(len(c) + 9 * horizon for c in contexts))
        return np.stack([np.full((horizon, 9), c[-1]) for c in contexts])

    configuration = make_configuration([np.arange(30.0), np.arange(25.0)])
    whole = forecast_windows(forecaster, configuration)
    assert len(sizes) == 1
    monkeypatch.setattr(gift_eval, "MAX_CHUNK_VALUES", 100)
    sizes.clear()
    np.testing.assert_array_equal(forecast_windows(forecaster, configuration), whole)
    assert len(sizes) == 3
    assert max(sizes) <= 100


def test_contexts_without_observations_are_forecast_as_zero():
    empty = np.full(20, np.nan)
    empty[-1] = 5.0

    def forecaster(contexts, horizon):
        assert not any(np.isnan(c).all() for c in contexts)
        return np.ones((len(contexts), horizon, 9))

    quantiles = forecast_windows(forecaster, make_configuration([np.arange(20.0), empty]))
    np.testing.assert_array_equal(quantiles[:, 0, 0], [1, 0, 1, 0, 1, 0])


@pytest.mark.parametrize(
    ("forecast", "message"),
    [
        (np.ones((3, 9, 2)), r"must return .* = \(3, 2, 9\), but the shape is \(3, 9, 2\)"),
        (np.full((3, 2, 9), np.nan), "values that are not finite"),
    ],
)
def test_a_bad_forecast_is_refused(forecast, message):
    with pytest.raises(ValueError, match=message):
        evaluate(lambda contexts, horizon: forecast, make_configuration([np.arange(20.0)]))


@pytest.mark.skipif(not SHARED_DATA.is_dir(), reason="needs the data folder beside the repository")
@pytest.mark.parametrize(("name", "term", "horizon", "windows"), CASES)
def test_published_seasonal_naive_is_reproduced(name, term, horizon, windows):
    published = read_published(SHARED_DATA / "gift_eval_published.csv")
    assert terms_of(*name.rsplit("__", 1)) == tuple(gift_eval.TERMS)[: len(GEOMETRY[name])]
    configuration = load_configuration(SHARED_DATA / "eval" / f"{name}.parquet", term)
    assert (configuration.horizon, configuration.windows) == (horizon, windows)
    row = evaluate(
        lambda contexts, horizon: np.zeros((len(contexts), horizon, 9)), configuration
    ).seasonal_naive
    # covid_deaths differs by revisions of its source after the benchmark's copy was taken.
    tolerance = 1e-3 if name == "covid_deaths__D" else 2e-5
    assert [row.mase, row.weighted_quantile_loss] == pytest.approx(
        published.loc[(configuration.name, "seasonal_naive")].tolist(), rel=tolerance
    )
