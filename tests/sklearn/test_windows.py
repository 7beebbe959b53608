import doctest

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("sklearn")

from timer_forecaster.sklearn import make_windows
from timer_forecaster.sklearn import windows as windows_module


def walk(n=60, seed=0):
    return np.random.default_rng(seed).normal(size=n).cumsum() + 10


@given(
    st.integers(1, 40), st.integers(1, 8), st.integers(1, 5), st.integers(1, 6), st.integers(1, 8)
)
def test_windows_lie_in_the_series(n, window_length, horizon, step, min_history):
    min_history = min(min_history, window_length)
    series = np.arange(n, dtype=float)
    if n < min_history + horizon:
        with pytest.raises(ValueError, match=f"series has {n} steps"):
            make_windows(series, window_length, horizon, step, min_history=min_history)
        return
    X, y = make_windows(series, window_length, horizon, step, min_history=min_history)
    assert X.shape[1:] == (window_length,)
    assert y.shape == (len(X), horizon)
    assert len(X) == (n - min_history - horizon) // step + 1
    assert y[-1, -1] == n - 1
    assert (np.diff(y[:, 0]) == step).all()
    rows = np.hstack([X, y])
    expected = y[:, :1] + np.arange(-window_length, horizon)
    np.testing.assert_array_equal(rows, np.where(expected < 0, np.nan, expected))
    assert (~np.isnan(X)).sum(axis=1).min() >= min_history


@pytest.mark.parametrize(
    "series",
    [
        pd.Series([1, None, 3, 4, 5], dtype="Int64"),
        pd.Series([1, None, 3, 4, 5], pd.date_range("2024-01-01", periods=5)),
        [1, np.nan, 3, 4, 5],
        np.array([[1, np.nan, 3, 4, 5]]),
    ],
)
def test_windows_of_what_people_have(series):
    X, y = make_windows(series, 3, 1)
    np.testing.assert_array_equal(X, [[1, np.nan, 3], [np.nan, 3, 4]])
    np.testing.assert_array_equal(y, [[4], [5]])


def test_absent_dates_are_missing_values_and_columns_stay_with_their_dates():
    days = pd.date_range("2024-01-01", periods=60)
    y, known = pd.Series(walk(), days), pd.DataFrame({"x": np.arange(60.0)}, days)
    absent = y.drop(days[40:43])
    for expected, found in zip(
        make_windows(absent.asfreq("D"), 14, 2, known=known),
        make_windows(absent, 14, 2, known=known),
        strict=True,
    ):
        np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(make_windows(absent, 14, 2)[0], found_target(absent, known))
    with pytest.raises(ValueError, match=r"lacks 3 of the 60 steps"):
        make_windows(absent, 14, 2, known={"x": np.arange(57.0)})


def found_target(y, known):
    return make_windows(y, 14, 2, known=known)[0].filter(like="target").to_numpy()


def test_a_column_and_a_frame_are_refused_with_what_makes_windows():
    with pytest.raises(ValueError, match=r"series.ravel\(\)"):
        make_windows(walk()[:, None], 3, 1)
    frame = pd.DataFrame({"a": walk(), "b": walk()})
    with pytest.raises(TypeError, match=r"pass series.to_numpy\(\).T if each column") as caught:
        make_windows(frame, 3, 1)
    assert "predict_frame" not in str(caught.value)
    assert len(make_windows(frame.to_numpy().T, 3, 1)[0]) == 2 * 57


def test_windows_of_several_series():
    X, y, groups = make_windows([np.arange(4), np.arange(10, 15)], 2, 1, 2, return_groups=True)
    np.testing.assert_array_equal(X, [[1, 2], [10, 11], [12, 13]])
    np.testing.assert_array_equal(y, [[3], [12], [14]])
    assert groups.tolist() == [0, 1, 1]


def test_windows_are_copies():
    series = np.arange(9.0)
    X, y = make_windows(series, 3, 1)
    X[:] = y[:] = -1
    np.testing.assert_array_equal(series, np.arange(9.0))


@pytest.mark.parametrize(
    "arguments, options, error, message",
    [
        ((walk(9), 0, 1), {}, ValueError, "window_length=0 must be at least 1"),
        ((walk(9), 2.5, 1), {}, TypeError, "window_length=2.5 must be an integer"),
        ((walk(9), True, 1), {}, TypeError, "window_length=True must be an integer"),
        ((walk(9), 2, 0), {}, ValueError, "horizon=0 must be at least 1"),
        ((walk(9), 2, True), {}, TypeError, "horizon=True must be an integer"),
        ((walk(9), 2, 1, 0), {}, ValueError, "step=0 must be at least 1"),
        ((walk(9), 2, 1), {"min_history": 0}, ValueError, "min_history=0 must be at least 1"),
        ((walk(9), 2, 1), {"min_history": 3}, ValueError, "min_history=3 is more than window_leng"),
        (([1.0, np.inf, 3.0], 1, 1), {}, ValueError, "series is infinite at step 1; use NaN"),
        (([walk(9), [1, 2, -np.inf]], 1, 1), {}, ValueError, r"series\[1\] is infinite at step 2"),
        ((walk(9), 8, 2), {}, ValueError, "series has 9 steps; a window of 8 and a horizon of 2"),
        (([walk(9), walk(3)], 3, 1), {}, ValueError, r"series\[1\] has 3 steps"),
        ((np.zeros((2, 2, 2)), 1, 1), {}, ValueError, "series has shape"),
        ((["a", "b"], 1, 1), {}, TypeError, "series must hold real numbers"),
        ((pd.DataFrame({"a": walk(9)}), 3, 1), {}, TypeError, "series is a frame"),
        (([], 3, 1), {}, ValueError, "holds no series"),
    ],
)
def test_windows_that_cannot_be_made(arguments, options, error, message):
    with pytest.raises(error, match=message):
        make_windows(*arguments, **options)


def test_the_examples_in_the_docstrings():
    assert doctest.testmod(windows_module).failed == 0
