"""Steps of months, counted as pandas walks them."""

import numpy as np
import pandas as pd
import pytest
from pandas.tseries.frequencies import to_offset

from timer_forecaster.frames.calendar.axes import stamps_of
from timer_forecaster.frames.calendar.counting import step_counter
from timer_forecaster.frames.calendar.months import MonthDays, months_of, unanchored


@pytest.mark.parametrize("unit", ["s", "us", "ns"])
def test_stamps_are_split_as_pandas_does(unit):
    times = pd.date_range("1931-11-29 05:00", periods=900, freq="29h").as_unit(unit)
    dates = MonthDays.of(times.asi8, unit)
    assert (dates.months % 12 + 1).tolist() == times.month.tolist()
    assert (dates.day + 1).tolist() == times.day.tolist()
    assert (dates.day + dates.day_left).tolist() == times.days_in_month.tolist()
    assert (dates.day_left == 1).tolist() == times.is_month_end.tolist()


@pytest.mark.parametrize("months", [1, 2, 3, 12])
@pytest.mark.parametrize("start", ["1995-02-28 10:30", "2024-01-01", "1968-12-15"])
def test_a_day_of_months_is_counted(months, start):
    step = pd.DateOffset(months=months)
    times = pd.date_range(start, periods=40, freq=step)
    counter = step_counter(times, step)
    numbers, whole = counter.after(stamps_of(times)[7], stamps_of(times))
    assert numbers.tolist() == list(range(-7, 33)) and whole.all()
    assert counter.at(stamps_of(times)[7], np.arange(-7, 33)).tolist() == times.asi8.tolist()


@pytest.mark.parametrize(
    "step",
    [
        pd.DateOffset(months=1, days=2),
        pd.DateOffset(days=3),
        pd.DateOffset(month=3),
        pd.offsets.MonthBegin(normalize=True),
        to_offset("SMS"),
        to_offset("BQE"),
        pd.offsets.Day(),
        3,
    ],
)
def test_other_steps_are_no_months(step):
    assert months_of(step, 0, "s") is None


def test_a_day_that_some_months_lack_is_walked():
    assert months_of(pd.DateOffset(months=1), 28 * 86_400, "s") is None


@pytest.mark.parametrize("freq", ["QS-FEB", "2QE", "YE-MAR", "3MS"])
def test_other_months_are_no_steps(freq):
    times = pd.date_range("2024-01-01", periods=9, freq=freq)
    between = times[:3].append(times[3:4] + pd.offsets.MonthEnd(1)).sort_values()
    counter = step_counter(times, to_offset(freq))
    assert counter.after(times.asi8[0], between.asi8)[1].tolist() == [True, True, True, False]
    first = pd.DatetimeIndex([times[0] + pd.Timedelta("1D")])
    assert not step_counter(first, to_offset(freq)).after(first.asi8[0], first.asi8)[1].any()


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("W-SUN", "W-MON", True),
        ("2W-SUN", "W-SUN", False),
        ("QS-JAN", "QS-FEB", True),
        ("3MS", "QS", True),
        ("YE", "YE-JUN", True),
        ("MS", "ME", False),
        ("MS", "QS", False),
        ("h", "D", False),
    ],
)
def test_steps_of_one_length_may_begin_on_different_days(one, other, same):
    assert (unanchored(to_offset(one)) == unanchored(to_offset(other))) is same
