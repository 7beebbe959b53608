"""Backtests and searches for anomalies read covariates beside plain series in one way."""

import numpy as np
import pandas as pd
import pytest

from timer_forecaster import ForecastPipeline
from timer_forecaster.backtesting import backtest
from timer_forecaster.failures import Failures
from timer_forecaster.inference.covariates.arguments import tables_beside
from timer_forecaster.inference.series import timed_series

DAYS = pd.date_range("2024-01-01", periods=60, freq="D")
SERIES = [pd.Series(np.sin(np.arange(60.0)), DAYS), pd.Series(np.arange(60.0), DAYS)]
PRICES = [pd.DataFrame({"price": np.arange(60.0) % 5}, DAYS) for _ in SERIES]


def read(known=None, past=None, categories=(), cycles=None, on_error="raise", freq=("D", None)):
    timed = timed_series(SERIES, Failures("raise"), "backtest_frame")
    failures = Failures(on_error)
    beside = known, past, categories, cycles
    return tables_beside(SERIES, timed, beside, freq, failures), failures


def test_no_columns_are_no_tables():
    assert read()[0] is None


def test_columns_keep_their_names_and_belong_to_the_steps_of_their_times():
    lacking = PRICES[0].drop(DAYS[20])
    tables, _ = read(known=[PRICES[0], lacking])
    assert tables.past is None
    expected = np.arange(60) % 5.0
    np.testing.assert_array_equal(tables.known[0]["price"], expected)
    expected[20] = np.nan
    np.testing.assert_array_equal(tables.known[1]["price"], expected)


def test_cycles_of_all_series_or_of_each():
    assert read(past=PRICES, cycles=(7, 30))[0].cycles == [[7, 30]] * 2
    assert read(past=PRICES, cycles=[(7,), (30,)])[0].cycles == [(7,), (30,)]
    assert read(past=PRICES)[0].cycles == [(7.0, 365.25), ()]
    assert read(past=PRICES, freq=(None, None))[0].cycles is None


@pytest.mark.parametrize("ask", ["predict", "backtest", "detect_anomalies"])
def test_dates_and_frequencies_have_cycles(ask):
    hours = pd.date_range("2024-01-01", periods=400, freq="h")
    rng = np.random.default_rng(0)
    price = rng.uniform(size=400)
    values = 5 * np.sin(np.arange(400) * np.pi / 12) - 3 * price + rng.normal(size=400) / 4
    pipe = ForecastPipeline.from_pretrained("timer-s1-test", device="cpu")

    def found(series, **beside):
        beside |= {"known": price[:, None], "covariates": "always"}
        if ask == "predict":
            return pipe.predict(series[:-6], 6, **beside).quantiles
        if ask == "backtest":
            result = backtest(pipe, series, 6, windows=2, **beside)
            return result.answers[result.model].quantiles
        return pipe.detect_anomalies(series, min_history=396, **beside).medians[0][396:]

    expected = found(values, cycles=(24, 168, 8766))
    np.testing.assert_array_equal(found(pd.Series(values, hours)), expected)
    np.testing.assert_array_equal(found(values, freq="h"), expected)
    without = found(pd.Series(values, hours), cycles=())
    np.testing.assert_array_equal(without, found(values))
    assert np.abs(without - expected).max() > 1e-3


def test_a_table_that_does_not_fit_leaves_out_its_series():
    tables, failures = read(known=[PRICES[0], PRICES[1][:-3]], on_error="nan")
    assert list(failures.reasons) == [1] and tables.known[1] is None


@pytest.mark.parametrize("ask", ["backtest", "detect_anomalies"])
@pytest.mark.parametrize(
    ("beside", "message"),
    [
        ({"known": PRICES[:1]}, r"known has 1 tables? for 2 series"),
        ({"known": PRICES, "cycles": (0,)}, "cycles"),
        ({"known": PRICES, "categories": ["absent"]}, "categories"),
    ],
)
def test_both_refuse_what_cannot_be_read(ask, beside, message):
    pipe = ForecastPipeline.from_pretrained("timer-s1-test", device="cpu")
    with pytest.raises(ValueError, match=message):
        if ask == "backtest":
            backtest(pipe, SERIES, 4, windows=2, **beside)
        else:
            pipe.detect_anomalies(SERIES, **beside)
