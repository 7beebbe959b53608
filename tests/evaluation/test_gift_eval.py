"""GIFT-Eval's protocol: which windows, horizons and seasons."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from timer_forecaster.evaluation import Configuration, gift_eval, seasonal_error
from timer_forecaster.evaluation.gift_eval import terms_of


def make_configuration(series, horizon=2, windows=3, seasonality=1):
    series = [np.asarray(values, dtype=float) for values in series]
    return Configuration("toy/D/short", "D", horizon, windows, seasonality, series)


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
        ("MS", 12),
        ("QS-OCT", 4),
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
    with pytest.raises(ValueError, match="the shortest series has 0 steps"):
        make_configuration([])


def test_scales_are_the_seasonal_errors_of_the_contexts():
    random = np.random.default_rng(0)
    series = [random.normal(size=n) for n in (8, 12, 30)]
    series[2][[3, 4, 20]] = np.nan
    # The first windows of the shortest series have contexts shorter than a season.
    configuration = make_configuration(series, seasonality=4)
    expected = [seasonal_error(context, 4) for context in configuration.contexts()]
    np.testing.assert_allclose(configuration.scales, expected)


@pytest.mark.parametrize(
    ("dataset", "domain", "variates"),
    [("jena_weather", "Nature", 21), ("m4_yearly", "Econ/Fin", 1), ("my_shop", "unknown", 1)],
)
def test_domains_and_variates(dataset, domain, variates):
    assert gift_eval.domain_of(dataset) == domain
    assert gift_eval.variates_of(dataset) == variates


@pytest.mark.parametrize("step", [0, -1])
def test_infinite_values_are_refused_by_series(step):
    values = np.arange(20.0)
    values[step] = np.inf
    with pytest.raises(ValueError, match=r"toy/D/short: series\[1\] is infinite at step"):
        make_configuration([np.arange(20.0), values])


def test_series_of_any_container_and_integers_of_any_type():
    series = [np.ma.masked_equal(np.arange(20), 3), list(range(30))]
    found = Configuration("toy/D/short", "D", np.uint8(5), np.uint8(2), np.uint8(3), series)
    assert np.isnan(found.series[0][3])
    plain = [np.where(np.arange(20) == 3, np.nan, np.arange(20.0)), np.arange(30.0)]
    expected = Configuration("toy/D/short", "D", 5, 2, 3, plain)
    np.testing.assert_array_equal(found.targets(), expected.targets())
    np.testing.assert_array_equal(found.scales, expected.scales)
    with pytest.raises(TypeError, match=r"series\[0\] must hold real numbers"):
        Configuration("toy/D/short", "D", 5, 2, 3, [np.arange(20).astype("timedelta64[s]")])
