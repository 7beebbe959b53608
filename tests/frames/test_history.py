"""The memory of a forecaster: histories that later values extend."""

import numpy as np
import pandas as pd
import pytest
from pandas.tseries.offsets import Day

from timer_forecaster.frames.history import History, extended, steps_after, times_at
from timer_forecaster.frames.panel import Panel


def panel(**series):
    """A panel of instances, each a dict of day and value."""
    start = pd.Timestamp("2024-01-01")
    frames = {
        key: pd.DataFrame({"y": own}).rename(index=lambda n: start + pd.Timedelta(days=n))
        for key, own in series.items()
    }
    return Panel.of(pd.concat(frames))


def line(start, stop):
    return {n: float(n) for n in range(start, stop)}


def day(n):
    return pd.Timestamp("2024-01-01") + pd.Timedelta(days=n)


def test_a_history_holds_the_newest_steps():
    histories = extended({}, panel(a=line(0, 8), b=line(3, 8)), 4)
    assert list(histories) == ["a", "b"]
    assert histories["a"].values.tolist() == [[4, 5, 6, 7]]
    assert histories["a"].times().tolist() == [day(n) for n in range(4, 8)]
    assert histories["a"].step == Day(1)


def test_instances_that_end_together_share_their_end():
    histories = extended({}, panel(a=line(0, 8), b=line(0, 8), c=line(0, 7)), 4)
    assert histories["a"].end is histories["b"].end
    assert histories["c"].end.tolist() == [day(6)]


def test_later_values_are_written_over_earlier_ones():
    before = extended({}, panel(a=line(0, 4)), 10)
    after = extended(before, panel(a={2: 20.0, 5: 50.0}), 10)
    np.testing.assert_equal(after["a"].values.tolist(), [[0, 1, 20, 3, np.nan, 50]])
    assert before["a"].values.tolist() == [[0, 1, 2, 3]]  # what was remembered is not changed


def test_values_of_the_past_end_the_history_there():
    histories = extended(extended({}, panel(a=line(4, 8)), 10), panel(a={2: 2.0, 5: 50.0}), 10)
    np.testing.assert_equal(histories["a"].values.tolist(), [[2, np.nan, 4, 50]])
    assert histories["a"].end.tolist() == [day(5)]


def test_new_instances_come_last_and_have_the_known_step():
    histories = extended({}, panel(b=line(0, 4)), 10)
    histories = extended(histories, panel(a={9: 9.0}, b={4: 4.0}), 10)
    assert list(histories) == ["b", "a"]
    assert histories["a"].step == Day(1)
    assert histories["b"].values.shape == (1, 5)


def test_a_new_instance_needs_a_value_of_every_variable():
    with pytest.raises(ValueError, match="instance 'a' has a variable without any observed value"):
        extended({}, panel(a=dict.fromkeys(range(4), np.nan)), 10)


def history(end=7):
    return History(pd.DatetimeIndex([day(end)]), Day(1), np.ones((1, 4)))


def test_steps_are_counted_from_the_end():
    times = pd.DatetimeIndex([day(n) for n in (4, 7, 9)])
    assert steps_after(history(), times, "fh").tolist() == [-3, 0, 2]
    assert times_at(history(), np.array([-3, 0, 2])).equals(times)
    integers = History(pd.Index([10]), 2, np.ones((1, 4)))
    assert times_at(integers, np.array([3, -1])).tolist() == [16, 8]


@pytest.mark.parametrize(
    "times, message",
    [
        (pd.DatetimeIndex([day(8), day(8)]), "fh from .* are not all distinct"),
        (pd.DatetimeIndex([day(8) + pd.Timedelta(hours=3)]), "whole steps of D from 2024-01-08"),
        (pd.DatetimeIndex([day(8)], tz="UTC"), "fh are .*UTC.*, those of y are .*; use the same"),
        (pd.PeriodIndex([day(8)], freq="D"), "fh are period.*, those of y are"),
    ],
)
def test_times_off_the_grid_are_refused(times, message):
    with pytest.raises(ValueError, match=message):
        steps_after(history(), times, "fh")
