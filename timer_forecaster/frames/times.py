"""The step between the times of a series.

Times are a `pandas.DatetimeIndex` (with or without time zone), a `pandas.PeriodIndex` or a
`pandas.Index` of integers. A step is a pandas offset, or an integer for integer times.
"""

from typing import Any

import numpy as np
import pandas as pd
from pandas.tseries.frequencies import to_offset
from pandas.tseries.offsets import (
    BaseOffset,
    BDay,
    BMonthBegin,
    BMonthEnd,
    DateOffset,
    Day,
    MonthEnd,
)

Step = BaseOffset | int


def as_step(freq: str | int | BaseOffset, times: pd.Index) -> Step:
    """Return the step that a user gave as a frequency.

    Parameters
    ----------
    freq : str, int or pandas offset
        For dates a pandas offset or its alias, such as "h", "15min", "B" or "MS"; for integer
        times an integer.
    times : pandas.Index
        Times that are to have this step.

    Raises
    ------
    ValueError
        If times of this kind cannot have the step.
    """
    if isinstance(times, pd.PeriodIndex):
        raise ValueError(
            f"freq={freq!r}: the time column holds periods, which carry their frequency "
            f"({times.freqstr}); leave freq out"
        )
    if not isinstance(times, pd.DatetimeIndex):
        step = int(str(freq)) if str(freq).isdecimal() else 0
        if step < 1:
            raise ValueError(
                f"freq={freq!r}: the time column holds integers, so freq must be an integer >= 1"
            )
        return step
    try:
        offset = None if isinstance(freq, int) else to_offset(freq)
    except ValueError:
        offset = None
    if offset is None or offset.n < 1:
        raise ValueError(
            f"freq={freq!r} is not a pandas frequency: use for example 'h', '15min', 'D', 'B', "
            "'W-MON', 'MS' or 'QE'"
        )
    return offset


def regular_step(times: pd.Index) -> Step | None:
    """Return the step of sorted distinct dates or integers; None if irregular or fewer than 3."""
    if len(times) < 3:
        return None
    if isinstance(times, pd.DatetimeIndex):
        alias = pd.infer_freq(times)
        return None if alias is None else to_offset(alias)
    steps = np.diff(times.to_numpy())
    return int(steps[0]) if (steps == steps[0]).all() else None


def most_common_step(times: pd.Index) -> Step | None:
    """Return the most common step between sorted distinct dates or integers, at least two.

    Steps of months and of business days are recognized by the calendar: by equal days of the
    month, by month ends, or by weekends that are always absent.
    """
    if not isinstance(times, pd.DatetimeIndex):
        return int(_most_common(np.diff(times.to_numpy())))
    wall = times.tz_localize(None)
    step = pd.Timedelta(_most_common(np.diff(wall.to_numpy())))
    if step >= pd.Timedelta(days=28):
        months = _month_step(wall)
        if months is not None:
            return months
    if step == pd.Timedelta(days=1) and (wall.dayofweek < 5).all() and len(wall) > 5:
        return BDay()
    if step % pd.Timedelta(days=1) == pd.Timedelta(0):
        return Day(step.days)  # calendar days: 23 or 25 hours long where the clock changes
    return to_offset(step)


def _most_common(values: np.ndarray) -> Any:
    distinct, counts = np.unique(values, return_counts=True)
    return distinct[counts.argmax()]


def _month_step(wall: pd.DatetimeIndex) -> BaseOffset | None:
    months = int(_most_common(np.diff(wall.year.to_numpy() * 12 + wall.month.to_numpy())))
    if months < 1:
        return None
    if wall.is_month_end.all():
        return MonthEnd(months)
    if (wall.day == wall.day[0]).all() and wall.day[0] <= 28:
        return DateOffset(months=months)
    for offset in (BMonthEnd, BMonthBegin):
        if all(offset().is_on_offset(time) for time in wall):
            return offset(months)
    return None


def step_name(step: Step | None) -> str:
    """Return the name of a step in errors."""
    return str(getattr(step, "freqstr", step))
