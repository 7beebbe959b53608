"""The memory of a forecaster: histories that later values extend."""

import numpy as np
import pandas as pd
import pytest
from pandas.tseries.offsets import BDay, Day

from timer_forecaster.frames.calendar.opening import found_opening
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


@pytest.mark.parametrize(
    "end",
    [
        pd.Index([7]),
        pd.DatetimeIndex([day(7)]),
        pd.DatetimeIndex([day(7)], tz="Europe/Paris"),
        pd.PeriodIndex([day(7)], freq="D"),
        pd.PeriodIndex([day(7)], freq="M"),
    ],
    ids=lambda end: str(end.dtype),
)
def test_times_of_another_kind_are_refused(end):
    step = 1 if end.dtype == "int64" else Day(1)
    held = History(end, step, np.ones((1, 4)))
    others = [
        pd.Index([8]),
        pd.Index([8.0]),
        pd.DatetimeIndex([day(8)]),
        pd.DatetimeIndex([day(8)], tz="UTC"),
        pd.PeriodIndex([day(8)], freq="D"),
    ]
    for times in others:
        if times.dtype != end.dtype:
            with pytest.raises(
                ValueError, match=r"fh are .*, those of y are .*; use the same kind"
            ):
                steps_after(held, times, "fh")
    with pytest.raises(ValueError, match="use the same kind"):
        later = pd.DataFrame({"y": [1.0]}, pd.DatetimeIndex([day(8)], tz="Asia/Tokyo"))
        extended({(): held}, Panel.of(later), 9)


def test_integers_of_any_width_are_of_one_kind():
    held = History(pd.Index([7], dtype="int32"), 1, np.ones((1, 4)))
    assert steps_after(held, pd.Index([9], dtype="uint8"), "fh").tolist() == [2]


def test_times_of_other_units_are_counted():
    held = History(pd.DatetimeIndex([day(7)]).as_unit("s"), Day(1), np.ones((1, 4)))
    times = pd.DatetimeIndex([day(5), day(8)]).as_unit("ns")
    assert steps_after(held, times, "fh").tolist() == [-2, 1]


def test_closed_days_are_named():
    step = found_opening(pd.DatetimeIndex([day(n) for n in range(90) if n % 7 != 6]))
    held = History(pd.DatetimeIndex([day(5)]), step, np.ones((1, 4)))
    assert steps_after(held, pd.DatetimeIndex([day(4), day(7)]), "fh").tolist() == [-1, 1]
    assert times_at(held, np.array([2, -5, 1])).tolist() == [
        day(8),
        day(0),
        day(7),
    ]
    with pytest.raises(
        ValueError, match=r"2024-01-07 .* is a Sunday and no step of y.* Mon–Sat.*asfreq\('D'\)"
    ):
        steps_after(held, pd.DatetimeIndex([day(4), day(6), day(7)]), "fh")
    with pytest.raises(ValueError, match="whole steps of business days Mon–Sat"):
        steps_after(held, pd.DatetimeIndex([day(7) + pd.Timedelta("1h")]), "fh")


def test_closed_hours_are_named():
    hours = pd.date_range("2024-01-01", periods=1000, freq="h")
    step = found_opening(hours[(hours.hour >= 9) & (hours.hour < 17)])
    held = History(pd.DatetimeIndex(["2024-01-05 16:00"]), step, np.ones((1, 4)))
    next_day = pd.DatetimeIndex(["2024-01-06 09:00"])
    assert steps_after(held, next_day, "fh").tolist() == [1]
    with pytest.raises(ValueError, match=r"17:00:00 is a Friday and no step of y.*09:00–16:00"):
        steps_after(held, pd.DatetimeIndex(["2024-01-05 17:00"]), "fh")


def test_instances_may_close_on_other_days():
    closed = {"a": {6}, "b": {0}, "c": set(), "d": {5, 6}}
    lines = {key: {n: 1.0 for n in range(90) if n % 7 not in own} for key, own in closed.items()}
    histories = extended({}, panel(**lines), 100)
    assert [len(h.values[0]) for h in histories.values()] == [78, 77, 90, 65]
    assert histories["d"].step == BDay()
    later = extended(histories, panel(a={91: 2.0}, e={90: 3.0}), 100)
    assert not np.isnan(later["a"].values).any()
    assert steps_after(later["e"], pd.DatetimeIndex([day(92)]), "fh").tolist() == [2]


@pytest.mark.parametrize("step", [1, 2, 5, 7])
def test_integer_times_have_a_step(step):
    y = pd.DataFrame({"y": np.arange(20.0)}, pd.Index(np.arange(20) * step + 3))
    for frame in (y, y.set_axis(pd.RangeIndex(3, 3 + 20 * step, step)), y.drop(index=3 + 4 * step)):
        held = extended({}, Panel.of(frame), 100)[()]
        assert held.step == step
        assert times_at(held, np.array([1, 2])).tolist() == [3 + 20 * step, 3 + 21 * step]


def test_instances_of_other_steps_may_end_together():
    closed = {"a": {6}, "b": set()}
    lines = {key: {n: 1.0 for n in range(90) if n % 7 not in own} for key, own in closed.items()}
    histories = extended({}, panel(**lines), 100)
    for days in ({91: 1.0}, {93: 1.0}, {95: 1.0}):
        histories = extended(histories, panel(a=days, b=days), 100)
    assert [h.values.shape[1] for h in histories.values()] == [83, 96]
    assert np.isnan(histories["a"].values).sum() == 2
    assert np.isnan(histories["b"].values).sum() == 3
