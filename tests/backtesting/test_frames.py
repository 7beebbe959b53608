"""Backtests of frames equal a plain loop over origins, and see nothing of what comes later."""

import numpy as np
import pandas as pd
import pytest
from backtest_cases import COLUMNS, HORIZON, loop, panel
from ttm_channels import mixing

from timer_forecaster import ForecastPipeline
from timer_forecaster.backtesting import BacktestWarning

QUANTILES = ["q0.1", "q0.5", "q0.9"]
BESIDE = {"known_columns": ["price", "fair"], "past_columns": ["visits"]}
READS_FREQUENCY = {
    "decoder_mode": "common_channel",
    "num_input_channels": 1,
    "resolution_prefix_tuning": True,
    "frequency_token_vocab_size": 8,
}


def own(result):
    forecasts = result.forecasts
    return forecasts[forecasts["model"] == result.model].reset_index(drop=True)


def check_loop(pipe, frame, **options):
    result = pipe.backtest_frame(frame, HORIZON, windows=3, freq="h", **COLUMNS, **options)
    found = own(result)
    expected = loop(pipe, frame, found, **options)
    pd.testing.assert_series_equal(found["time"], expected["time"])
    difference = (found[QUANTILES] - expected[QUANTILES]).abs().to_numpy()
    assert difference.max() <= 1e-6 * frame["sold"].abs().max()
    return result


@pytest.mark.parametrize("name", ["timer-s1-test", "ttm-test"])
def test_a_backtest_is_a_loop_over_origins(name):
    pipe = ForecastPipeline.from_pretrained(name, device="cpu", dtype="float64")
    result = check_loop(pipe, panel())
    assert len(result.windows) == 6
    check_loop(pipe, panel(), context_length=40, flip=True)


@pytest.mark.parametrize("name", ["timer-s1-test", "ttm-test"])
def test_covariates_take_part_as_in_a_loop(name):
    pipe = ForecastPipeline.from_pretrained(name, device="cpu", dtype="float64")
    frame = panel((150, 120))
    with_columns = own(check_loop(pipe, frame, covariates="always", **BESIDE))
    without = own(check_loop(pipe, frame, covariates="off", **BESIDE))
    assert (with_columns["q0.5"] - without["q0.5"]).abs().max() > 0.1


def test_an_adapter_and_the_frequency_take_part():
    reading = mixing(**READS_FREQUENCY)
    frame = panel()
    hours = own(check_loop(reading, frame))
    days = own(reading.backtest_frame(frame, HORIZON, windows=3, freq="h", **COLUMNS))
    np.testing.assert_allclose(hours["q0.5"], days["q0.5"])
    other = frame.assign(time=pd.Timestamp("2024-01-01") + (frame["time"] - frame["time"][0]) * 24)
    slow = own(reading.backtest_frame(other, HORIZON, windows=3, freq="D", **COLUMNS))
    assert not np.allclose(hours["q0.5"], slow["q0.5"])


def test_an_adapter_that_reads_known_columns():
    from known_cases import season_and_price, tuned

    series, price = season_and_price()
    parts = [
        pd.DataFrame({"shop": f"s{i}", "time": range(len(y)), "sold": y, "price": x})
        for i, (y, x) in enumerate(zip(series, price, strict=True))
    ]
    given = {"known_columns": ["price"], "freq": 1, "min_history": 100}
    result = tuned().backtest_frame(pd.concat(parts), 8, windows=2, **COLUMNS, **given)
    assert result.model == "ttm-test-tuned"
    found = own(result)
    table = [{"price": x[:492]} for x in price]
    expected = tuned().predict([y[:484] for y in series], 8, known=table).median
    first = found[found["cutoff"] == 483]["q0.5"].to_numpy().reshape(4, 8)
    np.testing.assert_allclose(first, expected, rtol=1e-5)


@pytest.mark.parametrize("column", ["sold", "price", "fair", "visits"])
def test_nothing_after_an_origin_changes_its_forecast(pipe, column):
    frame = panel((120,)).assign(shop="a")
    first = own(pipe.backtest_frame(frame, HORIZON, windows=3, freq="h", **COLUMNS, **BESIDE))
    changed = frame.copy()
    last_origin = 120 - HORIZON
    horizon_counts = column in BESIDE["known_columns"]
    later = slice(last_origin - HORIZON * (not horizon_counts), None)
    new = "other" if column == "fair" else changed[column] + 1000.0
    changed.loc[later, column] = new if isinstance(new, str) else new[later]
    second = own(pipe.backtest_frame(changed, HORIZON, windows=3, freq="h", **COLUMNS, **BESIDE))
    before = first["cutoff"] < frame["time"].iloc[last_origin - 1]
    assert before.sum() == 2 * HORIZON
    same = first[before][QUANTILES].to_numpy() == second[before][QUANTILES].to_numpy()
    assert same.all()


def test_a_category_that_is_empty_in_a_window_alone_is_missing_there(pipe):
    frame = panel((120,)).assign(shop="a")
    frame["fair"] = np.where(np.arange(120) % 3, "wet", "dry")
    frame.loc[110:, "fair"] = ""
    asked = {"known_columns": ["fair"], "covariates": "always", "freq": "h"}
    with pytest.warns(UserWarning, match="fair"):
        found = own(pipe.backtest_frame(frame, HORIZON, windows=1, **COLUMNS, **asked))
    frame.loc[110:, "fair"] = None
    again = own(pipe.backtest_frame(frame, HORIZON, windows=1, **COLUMNS, **asked))  # recalled
    np.testing.assert_array_equal(found["q0.5"], again["q0.5"])


def test_several_targets_and_a_wide_frame(pipe):
    times = pd.date_range("2024-01-01", periods=60, freq="MS", tz="Europe/Berlin")
    wave = 5 + np.sin(np.arange(60.0))
    frame = pd.DataFrame({"month": times, "east": wave, "west": wave + 1})
    result = pipe.backtest_frame(frame, 6, time_column="month", windows=2, step=3)
    assert result.data.seasonality == [12, 12]
    found = own(result)
    assert found["target"].tolist() == ["east"] * 12 + ["west"] * 12
    assert found["month"].dtype == frame["month"].dtype
    assert found["month"].tolist()[:12] == [*times[51:57], *times[54:60]]
    assert found["cutoff"].tolist()[0] == times[50]
    np.testing.assert_array_equal(
        found["y"],
        np.r_[wave[51:57], wave[54:60]].tolist() * 1 + [*(wave[51:57] + 1), *(wave[54:60] + 1)],
    )
    assert result.scores["target"].tolist() == ["east", "west"] * 2


def test_series_that_the_network_reads_as_one_row():
    frame = pd.DataFrame(
        np.random.default_rng(0).normal(size=(100, 3)).cumsum(0), columns=list("abc")
    )
    frame["t"] = range(100)
    pipe = mixing()
    found = own(pipe.backtest_frame(frame, 8, time_column="t", windows=2))
    expected = pipe.predict(frame[list("abc")].to_numpy()[:84].T, 8).median
    first = found[found["cutoff"] == 83]["q0.5"].to_numpy().reshape(3, 8)
    np.testing.assert_allclose(first, expected, rtol=1e-5)
    with pytest.raises(ValueError, match="frame has 2 targets"):
        pipe.backtest_frame(frame, 8, time_column="t", target_columns=["a", "b"])


def test_series_of_one_row_that_end_at_different_steps_are_refused_or_left_out_by_name():
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 3)), columns=list("abc"))
    frame = pd.concat([frame.assign(shop=shop, t=range(60)) for shop in "xy"], ignore_index=True)
    frame.loc[115:, "b"] = np.nan
    names, beside = {"time_column": "t", "id_column": "shop"}, "target 'b' has 55 steps"
    with pytest.raises(ValueError, match=f"shop 'y': {beside}"):
        mixing().backtest_frame(frame, 8, **names)
    with pytest.warns(BacktestWarning, match="3 series have no window"):
        result = mixing().backtest_frame(frame, 8, **names, on_error="nan")
    assert list(result.left_out) == [f"shop 'y': target {name!r}" for name in "abc"]
    assert all("has 55 steps, and shop 'y'" in reason for reason in result.left_out.values())


def test_short_series_are_named(pipe):
    frame = panel((100, 40, 20))
    with pytest.warns(
        BacktestWarning, match="1 series has fewer than 3 windows: shop 'b'"
    ) as caught:
        result = pipe.backtest_frame(frame, HORIZON, windows=3, freq="h", **COLUMNS)
    assert caught[0].filename == __file__
    assert result.short == {"shop 'b'": 2}
    assert list(result.left_out) == ["shop 'c'"]
    assert "20 steps do not hold a window of 12 after 12" in result.left_out["shop 'c'"]
    assert set(result.scores["shop"]) == {"a", "b"}
    long = pipe.backtest_frame(frame, HORIZON, windows=1, min_history=4, freq="h", **COLUMNS)
    assert long.short == long.left_out == {}


def test_a_series_that_cannot_be_read(pipe):
    frame = panel((60, 60))
    frame.loc[70, "sold"] = np.inf
    with pytest.raises(ValueError, match="data row 71, inf, is not"):
        pipe.backtest_frame(frame, HORIZON, windows=1, freq="h", **COLUMNS)
    with pytest.warns(BacktestWarning, match="1 series has no window: shop 'b'"):
        result = pipe.backtest_frame(frame, HORIZON, windows=1, freq="h", on_error="nan", **COLUMNS)
    assert list(result.left_out) == ["shop 'b'"]
    with pytest.raises(ValueError, match="no series has a window: a window of 50 steps needs 50"):
        pipe.backtest_frame(frame.head(60), 50, windows=1, freq="h", **COLUMNS)


@pytest.mark.parametrize("name", ["cutoff", "y", "model", "target"])
def test_columns_of_the_forecasts_are_not_those_of_the_frame(pipe, name):
    frame = panel((60,)).rename(columns={"shop": name})
    with pytest.raises(ValueError, match=f"{name}.*rename yours"):
        pipe.backtest_frame(frame, HORIZON, **(COLUMNS | {"id_column": name}))
