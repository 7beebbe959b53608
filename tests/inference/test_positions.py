import numpy as np
import pandas as pd
import pytest

from timer_forecaster.inference.positions import history_of, positions_of, times_of


@pytest.mark.parametrize(
    "index",
    [
        pd.date_range("2024-01-31", periods=10, freq="ME"),
        pd.date_range("2024-03-30", periods=10, freq="h", tz="Europe/Paris"),
        pd.period_range("2020Q1", periods=10, freq="Q"),
        pd.date_range("2024-01-01", periods=10, freq="B"),
    ],
)
def test_dates_go_on_after_the_history(index):
    y = pd.Series(np.arange(7.0), index[:7])
    assert times_of(y, 3).tolist() == index.tolist()
    assert positions_of(y, 7, 3).dtype.kind == "M"


@pytest.mark.parametrize(
    "y",
    [
        [1.0, 2.0],
        np.arange(2.0),
        pd.Series([1.0, 2.0]),
        pd.Series([1.0, 2.0, 3.0], pd.to_datetime(["2024-01-01", "2024-01-02", "2024-01-09"])),
        pd.Series([1.0], pd.to_datetime(["2024-01-01"])),
    ],
)
def test_others_are_steps(y):
    assert times_of(y, 2) is None
    assert positions_of(y, len(y), 2).tolist() == list(range(len(y) + 2))


def test_absent_dates_are_steps_without_a_value():
    days = pd.date_range("2024-01-01", periods=12)
    y = pd.Series(np.arange(10.0), days[:10]).drop(days[[3, 4]])
    assert times_of(y, 2).tolist() == days.tolist()
    history = history_of(y)
    np.testing.assert_array_equal(history, [0, 1, 2, np.nan, np.nan, 5, 6, 7, 8, 9])
    assert len(positions_of(y, len(history), 2)) == 12


def test_a_history_is_one_series():
    frame = pd.DataFrame({"y": [1.0, 2.0, 3.0]})
    with pytest.raises(TypeError, match=r"context is a frame; .* such as context\['y'\]"):
        history_of(frame)
    with pytest.raises(ValueError, match=r"context has shape \(3, 1\); expected the \(steps,\)"):
        history_of(frame.to_numpy())
