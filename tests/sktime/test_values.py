"""Values of y and levels that sktime would change silently."""

import datetime
import decimal

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("sktime")

from sktime_cases import forecaster, hourly, walk

from timer_forecaster.sktime.values import as_numbers, plain_levels

DAYS = pd.date_range("2020-01-01", periods=60)
NO_NUMBERS = {
    "complex array": walk() + 1j,
    "array of durations": walk().astype("timedelta64[s]"),
    "array of dates": walk().astype("datetime64[s]"),
    "array of texts": walk().astype(str),
    "objects with a text": np.array([*walk()[:-1], "1"], dtype=object),
    "Series of durations": pd.Series(DAYS - DAYS[0], DAYS),
    "Series of dates": pd.Series(DAYS, DAYS),
    "complex Series": pd.Series(walk() + 1j, DAYS),
    "objects with a duration": pd.Series([datetime.timedelta(1), *walk()[1:]], DAYS, dtype=object),
    "objects with a complex number": pd.Series([1j, *walk()[1:]], DAYS, dtype=object),
}


@pytest.mark.parametrize("name", NO_NUMBERS)
def test_y_that_holds_no_numbers_is_refused(name):
    y = NO_NUMBERS[name]
    with pytest.raises(TypeError, match="y must hold real numbers"):
        forecaster().fit(y)
    if isinstance(y, pd.Series):
        frame = pd.DataFrame({"right": walk(), "wrong": y}, index=DAYS)
        with pytest.raises(TypeError, match="y: column 'wrong' must hold real numbers"):
            forecaster().fit(frame)
        panel = pd.concat({"a": frame, "b": frame})
        with pytest.raises(TypeError, match="y: column 'wrong' must hold real numbers"):
            forecaster().fit(panel)


def test_updates_are_checked_too():
    y = hourly()
    fitted = forecaster().fit(y)
    later = pd.Series(pd.to_timedelta([1, 2], unit="s"), y.index[-2:] + pd.Timedelta("2h"))
    with pytest.raises(TypeError, match="y must hold real numbers"):
        fitted.update(later)


def test_exact_and_masked_numbers_are_read():
    y = hourly()
    expected = forecaster().fit(y).predict([1, 2])
    exact = pd.Series([decimal.Decimal(value) for value in y], y.index, name="load")
    pd.testing.assert_series_equal(forecaster().fit(exact).predict([1, 2]), expected)
    table = pd.DataFrame({"load": exact, "other": y})
    both = forecaster().fit(table).predict([1, 2])
    np.testing.assert_array_equal(both["load"], expected)
    missing = y.to_numpy().copy()
    missing[5] = np.nan
    masked = np.ma.masked_array(np.where(np.isnan(missing), 1e6, missing), np.isnan(missing))
    np.testing.assert_array_equal(
        forecaster().fit(masked).predict([1, 2]), forecaster().fit(missing).predict([1, 2])
    )
    assert as_numbers(y) is y
    assert as_numbers("other") == "other"


def test_levels_of_float32_name_their_columns():
    fitted = forecaster().fit(hourly())
    expected = fitted.predict_quantiles([1], alpha=[0.1, 0.5])
    for alpha in (np.array([0.1, 0.5], dtype=np.float32), [np.float32(0.1), 0.5]):
        pd.testing.assert_frame_equal(fitted.predict_quantiles([1], alpha=alpha), expected)
    interval = fitted.predict_interval([1], coverage=np.float32(0.9))
    pd.testing.assert_frame_equal(interval, fitted.predict_interval([1], coverage=0.9))
    assert plain_levels(None) is None


@pytest.mark.parametrize("kind", [np.uint8, np.int16, np.uint64])
def test_integers_of_numpy_mean_what_they_say(kind):
    y = hourly(400)
    expected = forecaster(context_length=200, batch_size=1).fit(y).predict([1, 100])
    fitted = forecaster(context_length=kind(200), batch_size=kind(1), flip=np.False_).fit(y)
    pd.testing.assert_series_equal(fitted.predict(np.array([1, 100], dtype=kind)), expected)
