"""The step between the times of a series.

Times are a `pandas.DatetimeIndex` (with or without time zone), a `pandas.PeriodIndex` or a
`pandas.Index` of integers. A step is a pandas offset, `OpenHours`, or an integer for integer times.
"""

from collections.abc import Hashable
from functools import lru_cache
from typing import cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray
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

from timer_forecaster.frames.calendar.axes import Axes, Stamps, most_common, most_common_of
from timer_forecaster.frames.calendar.months import MonthDays
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
    return None if len(times) < 3 else regular_steps(Axes.of([times]))[0]


def regular_steps(axes: Axes) -> list[Step | None]:
    """Return `regular_step` of each axis."""
    found: list[Step | None] = [None] * len(axes)
    three = np.flatnonzero(axes.sizes >= 3)
    if not len(three):
        return found
    axes = axes.take(three)
    shortest, longest = axes.shortest(), axes.each(np.maximum, axes.distances)
    if not isinstance(axes.joined, pd.DatetimeIndex):
        own = np.where(shortest == longest, shortest, 0).tolist()
    elif axes.joined.tz is not None:
        own = [_inferred(cast(pd.DatetimeIndex, axis)) for axis in axes]
    else:
        own = _regular_offsets(axes, shortest, longest)
    for number, step in zip(three.tolist(), own, strict=True):
        found[number] = step or None
    return found


def _regular_offsets(axes: Axes, shortest: Stamps, longest: Stamps) -> list[BaseOffset | None]:
    """Return the offsets that pandas infers; it is asked only where the distances allow one."""
    unit = cast(pd.DatetimeIndex, axes.joined).unit
    day = DAY // PER_UNIT[unit]
    weekdays = np.where(shortest % (7 * day) == 0, axes.firsts // day % 7, 0)
    may_be_months = shortest >= 27 * day
    even = ~may_be_months & (shortest == longest)
    asked = ~even & (may_be_months | _may_be_business_time(axes, longest, day))
    found: list[BaseOffset | None] = [None] * len(axes)
    for number in np.flatnonzero(even).tolist():
        found[number] = _even_offset(int(shortest[number]), int(weekdays[number]), unit)
    asked_numbers = np.flatnonzero(asked)
    alike: dict[Hashable, BaseOffset | None] = {}
    marks = _marks_of_months(axes.take(asked_numbers)) if len(asked_numbers) else []
    for number, mark in zip(asked_numbers.tolist(), marks, strict=True):
        if mark is None:
            found[number] = _inferred(axes[number])
            continue
        if mark not in alike:
            alike[mark] = _inferred(axes[number])
        found[number] = alike[mark]
    return found


def _inferred(times: pd.DatetimeIndex) -> BaseOffset | None:
    alias = pd.infer_freq(times)
    return None if alias is None else to_offset(alias)


def _marks_of_months(axes: Axes) -> list[Hashable]:
    """Return equal marks for axes of which pandas infers the same offset; None for an unknown one.

    The times of a marked axis are first days of months, or last ones, at one time of the day. At
    one distance in months, the offset depends on it and on the first month. At several distances
    there is none, unless all times are on one weekday, such as the first Monday of a month.
    """
    unit, each = cast(pd.DatetimeIndex, axes.joined).unit, axes.each
    dates, last = MonthDays.of(axes.stamps, unit), axes.bounds[1:] - 1
    steps = np.append(np.diff(dates.months), 0)
    steps[last] = steps[axes.starts]

    def is_one(values: Stamps) -> NDArray[np.bool_]:
        return each(np.minimum, values) == each(np.maximum, values)

    is_first = each(np.logical_and, dates.day == 0)
    known = is_first | each(np.logical_and, dates.day_left == 1)
    even = is_one(steps)
    known &= is_one(dates.time) & (even | ~is_one(axes.stamps // (DAY // PER_UNIT[unit]) % 7))
    starts = axes.starts
    steps_of_even = np.where(even, steps[starts], 0)
    first_months = np.where(even, dates.months[starts] % 12, 0)
    shown = (part.tolist() for part in (is_first, steps_of_even, first_months, dates.time[starts]))
    marks = zip(*shown, strict=True)
    return [mark if is_known else None for mark, is_known in zip(marks, known, strict=True)]


def _may_be_business_time(axes: Axes, longest: Stamps, day: int) -> NDArray[np.bool_]:
    """Whether distances are of business days, or hours, with their nights and weekends."""
    distances, last = axes.distances, axes.bounds[1:] - 1
    fits = (distances == day) | (distances == 3 * day)
    fits[last] = True
    days = (longest == 3 * day) & axes.each(np.logical_and, fits)
    return days | (longest == 17 * day // 24) | (longest == 65 * day // 24)


@lru_cache(maxsize=64)
def _even_offset(distance: int, weekday: int, unit: str) -> BaseOffset | None:
    """Return the offset of evenly distant times; the first is on a weekday, 0 for Thursday."""
    day = DAY // PER_UNIT[unit]
    stamps = weekday * day + distance * np.arange(3)
    return _inferred(pd.DatetimeIndex(stamps.view(f"M8[{unit}]")))


def most_common_step(times: pd.Index) -> Step | None:
    """Return the most common step between sorted distinct dates or integers, at least two.

    Steps of months and of business days are recognized by the calendar: by equal days of the
    month, by month ends, or by weekends that are always absent.
    """
    return most_common_steps(Axes.of([times]))[0]


def most_common_steps(axes: Axes) -> list[Step | None]:
    """Return `most_common_step` of each axis, all of two times or more."""
    if not isinstance(axes.joined, pd.DatetimeIndex):
        return list(most_common(axes).tolist())
    if axes.joined.tz is not None:
        axes = Axes(axes.joined.tz_localize(None), axes.bounds)
    unit = cast(pd.DatetimeIndex, axes.joined).unit
    day = DAY // PER_UNIT[unit]
    distances = most_common(axes)
    weekdays = (axes.stamps // day + 3) % 7  # 1970-01-01 was a Thursday
    workdays = (distances == day) & (axes.sizes > 5) & axes.each(np.logical_and, weekdays < 5)
    found: list[Step | None] = [
        BDay() if is_workdays else _distant(distance, weekday, unit)
        for is_workdays, distance, weekday in zip(
            workdays.tolist(), distances.tolist(), (axes.firsts // day % 7).tolist(), strict=True
        )
    ]
    months = np.flatnonzero(distances >= 28 * day)
    if len(months):
        for number, step in zip(months.tolist(), _month_steps(axes.take(months)), strict=True):
            found[number] = step or found[number]
    return found


@lru_cache(maxsize=64)
def _distant(distance: int, weekday: int, unit: str) -> BaseOffset | None:
    """Return the offset of times at a distance; the first is on a weekday, 0 for Thursday."""
    days, rest = divmod(distance * PER_UNIT[unit], DAY)
    if rest == 0 and days % 7 == 0:
        return _even_offset(distance, weekday, unit)
    if rest == 0:
        return Day(days)  # calendar days: 23 or 25 hours long where the clock changes
    return to_offset(pd.Timedelta(distance * PER_UNIT[unit]))


def _month_steps(axes: Axes) -> list[BaseOffset | None]:
    """Return the steps of months that axes of dates without a zone show, or None."""
    dates = MonthDays.of(axes.stamps, cast(pd.DatetimeIndex, axes.joined).unit)
    months = most_common_of(axes, np.append(np.diff(dates.months), 0)).tolist()
    at_end = axes.each(np.logical_and, dates.day_left == 1).tolist()
    day, first = dates.day[axes.starts], (dates.months[axes.starts] % 12).tolist()
    same_day = (axes.each(np.logical_and, dates.day == axes.spread(day)) & (day < 28)).tolist()
    found: list[BaseOffset | None] = []
    for number, (count, is_end, is_day) in enumerate(zip(months, at_end, same_day, strict=True)):
        if count < 1:
            found.append(None)
        elif is_end or (is_day and day[number] == 0):
            found.append(_months(count, is_end, first[number]))
        elif is_day:
            found.append(DateOffset(months=count))
        else:
            found.append(_business_months(axes[number], count))
    return found


@lru_cache(maxsize=64)
def _months(count: int, at_end: bool, first: int) -> BaseOffset | None:
    """Return the offset that pandas infers from three such times; the first month counts from 0."""
    months = (first + count * np.arange(3)).astype("M8[M]")
    times = pd.DatetimeIndex(months.astype("M8[s]"))
    return _inferred(times + MonthEnd(0) if at_end else times)


def _business_months(wall: pd.DatetimeIndex, months: int) -> BaseOffset | None:
    for offset in (BMonthEnd, BMonthBegin):
        if all(offset().is_on_offset(time) for time in wall):
            return offset(months)
    return None


def step_name(step: Step | None) -> str:
    """Return the name of a step in errors, such as "D" or "business days Mon–Sat"."""
    return opening_name(step) or str(getattr(step, "freqstr", step))
