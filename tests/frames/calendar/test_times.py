"""The step between times."""

import numpy as np
import pandas as pd
import pytest
from pandas.tseries.offsets import BDay, DateOffset, Day, Hour, MonthEnd

from timer_forecaster.frames.calendar.times import (
    as_step,
    most_common_step,
    regular_step,
    step_name,
)


@pytest.mark.parametrize(
    "times, expected",
    [
        (["2024-01-05", "2024-01-08", "2024-01-09", "2024-01-10"], BDay()),
        (["2024-01-01", "2024-01-02", "2024-01-04"], None),
        (["2024-01-01", "2024-01-02", "2024-01-03"], Day(1)),
        (["2024-01-01", "2024-01-02"], None),
        (["2024-01-31", "2024-02-29", "2024-03-31"], MonthEnd(1)),
    ],
)
def test_a_regular_step_needs_three_regular_times(times, expected):
    assert regular_step(pd.DatetimeIndex(times)) == expected


def test_a_regular_step_of_integers():
    assert regular_step(pd.Index([4, 7, 10])) == 3
    assert regular_step(pd.Index([4, 7, 11])) is None


@pytest.mark.parametrize(
    "times, expected",
    [
        (["2024-01-01 00:00", "2024-01-01 01:00", "2024-01-01 05:00"], Hour(1)),
        (["2024-01-15", "2024-02-15", "2024-05-15"], DateOffset(months=1)),
        (["2024-01-31", "2024-02-29", "2024-05-31"], MonthEnd(1)),
        (["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-04", "2024-01-05", "2024-01-09"],
         BDay()),
        (["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-06"], Day(1)),
    ],
)  # fmt: skip
def test_the_most_common_step_follows_the_calendar(times, expected):
    assert most_common_step(pd.DatetimeIndex(times)) == expected


@pytest.mark.parametrize("freq", ["MS", "ME", "QS-FEB", "QE", "YS", "YE", "2MS", "W-WED", "2W-SUN"])
def test_a_gap_changes_no_step_of_weeks_and_months(freq):
    times = pd.date_range("2020-01-01", periods=9, freq=freq)
    assert most_common_step(times.delete([4, 5])) == regular_step(times)


def test_a_day_is_a_day_where_the_clock_changes():
    times = pd.date_range("2024-03-29", periods=5, tz="Europe/Paris").delete(1)
    assert most_common_step(times) == Day(1)


def test_a_step_that_is_given_fits_the_kind_of_times():
    dates, integers = pd.date_range("2024-01-01", periods=2), pd.Index([1, 2])
    assert as_step("15min", dates) == pd.tseries.frequencies.to_offset("15min")
    assert as_step("5", integers) == as_step(np.int64(5), integers) == 5
    for freq, times in ((0, integers), (-1, integers), ("-1D", dates), ("D", integers)):
        with pytest.raises(ValueError, match=f"freq={freq!r}"):
            as_step(freq, times)


def test_steps_have_names():
    assert [step_name(step) for step in (None, 3, Hour(6))] == ["None", "3", "6h"]
