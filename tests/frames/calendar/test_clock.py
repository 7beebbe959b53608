"""Steps of the wall clock."""

import numpy as np
import pandas as pd
import pytest
from pandas.tseries.offsets import BDay, DateOffset, Day, Hour, Minute, MonthBegin, Week
from stub_pipeline import StubPipeline, forecast_times

from timer_forecaster.frames.calendar.clock import last_time, local_times, on_wall_clock, wall_times
from timer_forecaster.frames.calendar.grids import future_times, past_times, regular_grid
from timer_forecaster.frames.history import Memory

# A zone, a time of the day that its clock skips, and the first day of a series that meets it.
SKIPPED = [
    ("America/Santiago", "00:00", "2024-08-20"),
    ("Africa/Cairo", "00:00", "2024-04-10"),
    ("America/Havana", "00:00", "2024-02-25"),
    ("Asia/Beirut", "00:00", "2024-03-15"),
    ("Europe/Berlin", "02:30", "2024-03-15"),
    ("America/New_York", "02:00", "2024-02-25"),
]
REPEATED = [
    ("Europe/Berlin", "02:30", "2024-10-10"),
    ("America/New_York", "01:00", "2024-10-20"),
    ("America/Havana", "00:30", "2024-10-20"),
]


def local(wall, zone):
    return local_times(pd.DatetimeIndex(wall), zone)


def days(zone, time, start, count=60, freq="D"):
    return local(pd.date_range(f"{start} {time}", periods=count, freq=freq), zone)


@pytest.mark.parametrize("zone, time, start", SKIPPED + REPEATED)
@pytest.mark.parametrize("known", range(3, 40, 3))
def test_days_go_on_over_a_change_wherever_the_history_ends(zone, time, start, known):
    times = days(zone, time, start)
    ahead = forecast_times(StubPipeline(), times[:known], 20)
    assert ahead.tolist() == times[known : known + 20].tolist()


@pytest.mark.parametrize("zone, time, start", SKIPPED)
def test_times_that_were_set_forward_like_the_clock_are_known(zone, time, start):
    wall = pd.date_range(f"{start} {time}", periods=60)
    first = np.ones(60, dtype=bool)
    times = wall.tz_localize(zone, ambiguous=first, nonexistent=pd.Timedelta(hours=1))
    assert wall_times(times).equals(wall)
    assert forecast_times(StubPipeline(), times[:40], 20).tolist() == times[40:].tolist()


@pytest.mark.parametrize("freq", ["W-SUN", "W-MON", "MS", "ME", "QS", "YS", "B", "2D"])
@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/Santiago", "Pacific/Auckland"])
def test_other_steps_of_the_calendar_go_on(zone, freq):
    times = days(zone, "00:00", "2022-01-01", 60, freq)
    for known in (10, 25, 40):
        ahead = forecast_times(StubPipeline(), times[:known], 20)
        assert ahead.tolist() == times[known : known + 20].tolist()


@pytest.mark.parametrize("freq", ["h", "30min", "6h", "24h"])
def test_hours_are_steps_of_time(freq):
    times = pd.date_range("2024-10-20", periods=400, freq=freq, tz="Europe/Berlin")
    ahead = forecast_times(StubPipeline(), times[:60], 340, freq=freq)
    assert ahead.tolist() == times[60:].tolist()


def test_a_fixed_offset_stays():
    times = pd.date_range("2024-03-20", periods=10, tz="UTC+01:00")
    ahead = forecast_times(StubPipeline(), times, 20)
    assert {str(time.utcoffset()) for time in ahead} == {"1:00:00"}


def test_a_second_time_of_the_day_that_occurs_twice_stays_as_it_is():
    times = days("Europe/Berlin", "02:30", "2024-10-20", 20)
    second = times.where(times.day != 27, times + pd.Timedelta(hours=1))
    assert regular_grid(second, Day()).equals(second)
    assert regular_grid(second.delete(3), Day()).equals(second)


@pytest.mark.parametrize("zone, time, start", SKIPPED + REPEATED)
def test_a_grid_holds_absent_days(zone, time, start):
    times = days(zone, time, start, 40)
    for absent in range(1, 39, 4):
        grid = regular_grid(times.delete(absent), Day())
        assert grid.tolist() == times.tolist()


def test_times_of_other_hours_are_not_on_the_grid():
    times = days("Europe/Berlin", "02:30", "2024-03-15")
    odd = times.insert(5, times[4] + pd.Timedelta(hours=1))
    assert regular_grid(odd, Day()) is None


@pytest.mark.parametrize("zone, time, start", SKIPPED + REPEATED)
def test_past_and_future_meet(zone, time, start):
    times = days(zone, time, start)
    assert past_times(times[30:], Day(), 30).equals(times[:30])
    assert future_times(times[:30], Day(), 30).equals(times[30:])


@pytest.mark.parametrize("zone, time, start", SKIPPED + REPEATED)
def test_the_memory_of_a_forecaster_knows_the_time_of_the_day(zone, time, start):
    times = days(zone, time, start)
    y = pd.DataFrame({"y": np.arange(60.0)}, index=times)
    for known in range(8, 24):
        memory = Memory.of(y.iloc[:known], 100)
        for stop in (known + 1, known + 4):  # one more time, which may be the skipped one
            updated = memory.updated(y.iloc[known:stop], 100)
            history = updated.histories[()]
            assert history.times().equals(times[:stop])
            ahead = future_times(history.end, history.step, 9)
            assert ahead.tolist() == times[stop : stop + 9].tolist()


@pytest.mark.parametrize(
    "step, wall",
    [(Day(), True), (BDay(), True), (Week(), True), (MonthBegin(), True), (Hour(), False),
     (Minute(15), False), (Hour(24), False), (DateOffset(months=1), True),
     (DateOffset(hours=6), False), (1, False)],
)  # fmt: skip
def test_days_and_longer_are_steps_of_the_wall_clock(step, wall):
    times = pd.date_range("2024-01-01", periods=3)
    assert on_wall_clock(times.tz_localize("Europe/Berlin"), step) == wall
    assert not on_wall_clock(times, step)
    assert not on_wall_clock(pd.Index([1, 2]), 1)


def test_the_last_time_is_alone_unless_it_was_moved():
    times = days("Africa/Cairo", "00:00", "2024-04-24", 5)
    none = times[:0]
    assert len(last_time(times, none)) == 1
    assert last_time(times[:3], none).equals(times[1:3])
    assert last_time(times[2:3], times[:2]).equals(times[1:3])
    assert last_time(pd.Index([1, 2]), pd.Index([])).tolist() == [2]
