"""The step between the times of a series.

Times are a `pandas.DatetimeIndex` (with or without time zone), a `pandas.PeriodIndex` or a
`pandas.Index` of integers. A step is a pandas offset, `OpenHours`, or an integer for integer times.
"""

from functools import lru_cache
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

from timer_forecaster.frames.calendar.opening import DAY, PER_UNIT, opening_name
from timer_forecaster.frames.calendar.opening import Step as Step


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
        return _regular_offset(times)
    steps = np.diff(times.to_numpy())
    return int(steps[0]) if (steps == steps[0]).all() else None


def _regular_offset(times: pd.DatetimeIndex) -> BaseOffset | None:
    """Return the offset that pandas infers; it is asked only where the distances allow one."""
    if times.tz is None:
        stamps, day = times.asi8, DAY // PER_UNIT[times.unit]
        distances = np.diff(stamps)
        shortest, longest = int(distances.min()), int(distances.max())
        if shortest < 27 * day:  # no months
            if shortest == longest:
                weekday = int(stamps[0] // day % 7) if shortest % (7 * day) == 0 else 0
                return _even_offset(shortest, weekday, times.unit)
            if not _may_be_business_time(distances, longest, day):
                return None
    alias = pd.infer_freq(times)
    return None if alias is None else to_offset(alias)


def _may_be_business_time(distances: np.ndarray, longest: int, day: int) -> bool:
    """Whether distances are of business days, or hours, with their nights and weekends."""
    if longest == 3 * day:
        return bool(((distances == day) | (distances == longest)).all())
    return longest in (17 * day // 24, 65 * day // 24)


@lru_cache(maxsize=64)
def _even_offset(distance: int, weekday: int, unit: str) -> BaseOffset | None:
    """Return the offset of times that are evenly distant, the first on a weekday of 1970."""
    day = DAY // PER_UNIT[unit]
    stamps = weekday * day + distance * np.arange(3)
    alias = pd.infer_freq(pd.DatetimeIndex(stamps.view(f"M8[{unit}]")))
    return None if alias is None else to_offset(alias)


def most_common_step(times: pd.Index) -> Step | None:
    """Return the most common step between sorted distinct dates or integers, at least two.

    Steps of months and of business days are recognized by the calendar: by equal days of the
    month, by month ends, or by weekends that are always absent.
    """
    if not isinstance(times, pd.DatetimeIndex):
        return int(_most_common(np.diff(times.to_numpy())))
    wall = times if times.tz is None else times.tz_localize(None)
    stamps, day = wall.asi8, DAY // PER_UNIT[wall.unit]
    distance = int(_most_common(np.diff(stamps)))
    if distance >= 28 * day:
        months = _month_step(wall)
        if months is not None:
            return months
    if distance == day and len(wall) > 5:
        weekday = (stamps // day + 3) % 7  # 1970-01-01 was a Thursday
        if (weekday < 5).all():
            return BDay()
    return _distant(distance, wall.unit)


@lru_cache(maxsize=64)
def _distant(distance: int, unit: str) -> BaseOffset:
    """Return the offset of a distance."""
    days, rest = divmod(distance * PER_UNIT[unit], DAY)
    if rest == 0:
        return Day(days)  # calendar days: 23 or 25 hours long where the clock changes
    return to_offset(pd.Timedelta(distance * PER_UNIT[unit]))


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
    """Return the name of a step in errors, such as "D" or "business days Mon–Sat"."""
    return opening_name(step) or str(getattr(step, "freqstr", step))
