"""What scikit-learn would turn into numbers silently is read rightly or refused."""

import decimal

import numpy as np
import odd_series
import pandas as pd
import pytest

pytest.importorskip("sklearn")

from timer_forecaster import ForecastPipeline
from timer_forecaster.sklearn import TimerS1Regressor, make_windows
from timer_forecaster.sklearn.tables import as_numbers

WAVE = np.sin(np.arange(120) / 3) * 10 + 50
X, Y = make_windows(WAVE, 24, 3)
WINDOW = X[:1]


@pytest.fixture(scope="module")
def fitted():
    return TimerS1Regressor("timer-s1-test").fit(X, Y)


def masked(values, place=(0, 5)):
    mask = np.zeros(np.shape(values), dtype=bool)
    mask[place] = True
    spoiled = np.where(mask, 1e6, values)
    return np.ma.masked_array(spoiled, mask)


def test_masked_values_of_X_are_missing(fitted):
    missing = WINDOW.copy()
    missing[0, 5] = np.nan
    expected = fitted.predict(missing)
    np.testing.assert_array_equal(fitted.predict(masked(WINDOW)), expected)
    levels = np.array([0.5], dtype=np.float32)
    found = fitted.predict_quantiles(masked(WINDOW), levels)[..., 0]
    np.testing.assert_array_equal(found, expected)
    assert np.abs(expected - fitted.predict(WINDOW)).max() > 0


def test_masked_values_of_y_are_refused_as_nan_is():
    regressor = TimerS1Regressor("timer-s1-test")
    for y in (masked(Y, (0, 1)), masked(Y[:, 0], (0,)), np.where(np.arange(3) == 1, np.nan, Y)):
        with pytest.raises(ValueError, match="Input y contains NaN"):
            regressor.fit(X, y)
    regressor.fit(masked(X), np.ma.masked_array(Y))


def test_masked_series_are_cut_into_windows():
    windows, _ = make_windows(masked(WAVE, (5,)), 24, 3)
    assert np.isnan(windows[0, 5])
    assert np.isnan(windows).sum() == 6


def durations(values):
    return (np.asarray(values) * 1000).astype("timedelta64[ms]")


NO_TABLES = {
    "durations": durations,
    "dates": lambda values: (np.asarray(values) * 1000).astype("datetime64[ms]"),
    "texts": lambda values: np.asarray(values).astype(str),
    "lists of texts": lambda values: np.asarray(values).astype(str).tolist(),
    "lists of durations": lambda values: durations(values).astype(object).tolist(),
    "objects with a text": lambda values: np.where(
        np.asarray(values) > 0, "1", values.astype(object)
    ),
    "frame of durations": lambda values: pd.DataFrame(durations(values)),
    "frame of texts": lambda values: pd.DataFrame(np.asarray(values).astype(str)),
    "frame of complex numbers": lambda values: pd.DataFrame(np.asarray(values) + 1j),
}


@pytest.mark.parametrize("name", NO_TABLES)
def test_what_is_no_number_is_refused(fitted, name):
    change = NO_TABLES[name]
    for call in (
        lambda: fitted.predict(change(X)),
        lambda: fitted.predict_quantiles(change(X)),
        lambda: TimerS1Regressor("timer-s1-test").fit(change(X), Y),
        lambda: TimerS1Regressor("timer-s1-test").fit(X, change(Y)),
    ):
        with pytest.raises(TypeError, match=r"\b[Xy] must hold real numbers"):
            call()


@pytest.mark.parametrize("name", odd_series.NO_NUMBERS)
def test_windows_of_no_numbers_are_refused(name):
    make, words = odd_series.NO_NUMBERS[name]
    with pytest.raises(TypeError, match=words):
        make_windows(make(), 8, 2)


@pytest.mark.parametrize("name", odd_series.TWO_SERIES)
def test_windows_of_all_containers(name):
    windows, after, groups = make_windows(
        odd_series.TWO_SERIES[name](), np.uint8(8), np.int8(2), np.uint64(3), return_groups=np.True_
    )
    expected = make_windows(odd_series.TWO, 8, 2, 3, return_groups=True)
    for found, wanted in zip((windows, after, groups), expected, strict=True):
        np.testing.assert_array_equal(found, wanted)


def test_exact_numbers_are_read(fitted):
    exact = [[decimal.Decimal(value) for value in row] for row in WINDOW]
    np.testing.assert_array_equal(fitted.predict(exact), fitted.predict(WINDOW))
    frame = pd.DataFrame(exact, columns=[f"lag{i}" for i in range(24)], index=["a"])
    found = as_numbers(frame, "X")
    assert found.columns.tolist() == frame.columns.tolist()
    assert found.index.tolist() == ["a"]
    assert as_numbers(WINDOW, "X") is WINDOW


def test_integers_of_numpy_mean_what_they_say():
    long = np.tile(WAVE, 4)[None, :400]
    expected = TimerS1Regressor("timer-s1-test", context_length=200).fit(long, [[1.0]])
    found = TimerS1Regressor("timer-s1-test", context_length=np.uint8(200)).fit(long, [[1.0]])
    np.testing.assert_array_equal(found.predict(long), expected.predict(long))
    tensor = pytest.importorskip("torch").tensor(long)
    np.testing.assert_array_equal(found.predict(tensor), expected.predict(long))
    point = TimerS1Regressor("timer-s1-test", point=np.float32(0.1)).fit(long, [[1.0]])
    pipe = ForecastPipeline.from_pretrained("timer-s1-test")
    np.testing.assert_array_equal(point.predict(long), pipe.predict(long, 1).quantile(0.1))
