"""Counting along a step gives what walking by pandas gives."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandas.tseries.frequencies import to_offset
from pandas.tseries.offsets import CustomBusinessDay

from timer_forecaster.frames.calendar.axes import index_of, stamps_of
from timer_forecaster.frames.calendar.counting import step_counter
from timer_forecaster.frames.calendar.grids import future_times

COUNTED = ["s", "90s", "15min", "h", "5h", "D", "2D", "7D", "W", "2W-WED", "W-SUN", "B"]
COUNTED += ["MS", "2MS", "ME", "QS", "QE-NOV", "2QE", "YS", "YE-MAR"]
MASKS = ["Mon Tue Wed Thu Fri Sat", "Sun Mon Tue Wed Thu", "Mon Wed"]
STEPS = [*map(to_offset, COUNTED), *(CustomBusinessDay(weekmask=mask) for mask in MASKS)]


@given(
    st.sampled_from(STEPS),
    st.datetimes(pd.Timestamp("1901-01-01"), pd.Timestamp("2100-01-01")),
    st.sampled_from(["s", "ms", "us", "ns"]),
)
def test_counted_times_are_the_walked_ones(step, start, unit):
    walked = pd.date_range(pd.Timestamp(start).floor("s"), periods=40, freq=step).as_unit(unit)
    counter = step_counter(walked, step)
    stamps = stamps_of(walked)
    counted = counter.at(stamps[10], np.arange(-10, 30))
    assert index_of(counted, walked).equals(walked)
    numbers, whole = counter.after(stamps[10], stamps)
    assert numbers.tolist() == list(range(-10, 30))
    assert whole.all()


@pytest.mark.parametrize("step", ["2B", "C", "BME", "BQS", "WOM-3FRI", "bh"])
def test_other_steps_are_walked(step):
    offset = to_offset(step)
    if step == "C":
        offset = CustomBusinessDay(holidays=["2024-05-01"])
    assert step_counter(pd.date_range("2024-01-01", periods=3, freq=offset), offset) is None


def test_days_of_a_time_zone_are_walked_and_its_hours_are_counted():
    times = pd.date_range("2024-03-30", periods=40, freq="h", tz="Europe/Paris")
    for step in ("D", "W", "B"):
        assert step_counter(times, to_offset(step)) is None
    counter = step_counter(times, to_offset("h"))
    assert index_of(counter.at(stamps_of(times)[0], np.arange(40)), times).equals(times)


def test_times_between_steps_are_no_whole_steps():
    times = pd.DatetimeIndex(["2024-01-05 09:00", "2024-01-06 09:00", "2024-01-08 10:00"])
    counter = step_counter(times, to_offset("B"))
    assert counter.after(times.asi8[0], times.asi8)[1].tolist() == [True, False, False]
    weekly = step_counter(times, to_offset("W-MON"))  # the first is a Friday
    assert not weekly.after(times.asi8[0], times.asi8)[1].any()


@pytest.mark.parametrize("freq", ["M", "Q", "2h", "W-SUN"])
def test_periods_are_counted_by_their_frequency(freq):
    periods = pd.period_range("2024-01-01", periods=9, freq=freq)
    counter = step_counter(periods, periods.freq)
    counted = counter.at(stamps_of(periods)[0], np.arange(9))
    assert index_of(counted, periods).equals(periods)


def test_integers_are_counted():
    times = pd.Index([5, 10, 20, 22])
    numbers, whole = step_counter(times, 5).after(np.int64(5), stamps_of(times))
    assert numbers[:3].tolist() == [0, 1, 3]
    assert whole.tolist() == [True, True, True, False]
    assert step_counter(times, to_offset("D")) is None
    assert step_counter(pd.DatetimeIndex(["2024-01-01"]), 5) is None


def test_a_step_shorter_than_the_unit_of_the_stamps_is_walked():
    times = pd.DatetimeIndex(["2024-01-01"]).as_unit("s")
    assert step_counter(times, to_offset("500ms")) is None


LATE = pd.date_range("2262-04-01", periods=6, freq="D", unit="ns")  # nanoseconds end in this month
ENDS = {
    "integers": (pd.Index(np.arange(2**63 - 20, 2**63 - 10)), 1),
    "integers by 10**17": (pd.Index(np.arange(90) * 10**17), 10**17),
    "days": (LATE, pd.offsets.Day()),
    "weeks": (pd.date_range("2262-02-20", periods=6, freq="7D", unit="ns"), pd.offsets.Week()),
    "hours": (LATE[-1:], pd.offsets.Hour()),
    "hours of a zone": (LATE[-1:].tz_localize("UTC"), pd.offsets.Hour()),
    "business days": (LATE[-4:], pd.offsets.BDay()),
}


@pytest.mark.parametrize(("times", "step"), ENDS.values(), ids=ENDS)
def test_times_never_begin_anew_at_the_other_end(times, step):
    assert (np.diff(stamps_of(future_times(times, step, 2))) > 0).all()
    with pytest.raises(ValueError, match="horizon: the times go beyond the range of 64 bits; ask"):
        future_times(times, step, 1000)


def test_a_longer_unit_holds_later_times_as_advised():
    assert future_times(LATE.as_unit("s"), pd.offsets.Day(), 1000)[-1].year == 2264
