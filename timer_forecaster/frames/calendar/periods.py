"""Periods of the day, the week and the year, in steps of a frequency."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pandas as pd
from pandas.tseries.frequencies import to_offset
from pandas.tseries.offsets import BaseOffset, BusinessHour, DateOffset, Day, MonthBegin

from timer_forecaster.frames.calendar.opening import DAY, OpenHours, Step

_DAY = pd.Timedelta(days=1)
_YEAR = 365.25  # days
_MINUTES_OF_DAY = 1_440
_BUSINESS_DAYS = (5.0, 261.0)  # of a week, of a year
_PER_YEAR = {"W": 52.18, "M": 12.0, "Q": 4.0}  # by the first letter of a frequency


def periods_of(freq: Step | str | None) -> tuple[float, ...]:
    """Return the periods that series of a frequency may have.

    Parameters
    ----------
    freq : str, pandas offset, int or None
        Step of the times. Integers and None have no periods.

    Returns
    -------
    tuple of float
        In steps: day, week and year of steps below half a day, and of business hours; week and year
        of days; the year of longer steps.

    Examples
    --------
    >>> periods_of("h")
    (24.0, 168.0, 8766.0)
    >>> periods_of("MS")
    (12.0,)
    """
    step: Any = to_offset(freq) if isinstance(freq, str) else freq
    if type(step) is DateOffset:
        step = _named(step)
    if isinstance(step, OpenHours):
        return _of_open_hours(step)
    if not isinstance(step, BaseOffset):
        return ()
    if step.name == "B":
        return _BUSINESS_DAYS if step.n == 1 else ()
    if isinstance(step, BusinessHour):
        return _of_business_hours(step) if step.n == 1 else ()
    try:
        length = step.n * _DAY if isinstance(step, Day) else pd.Timedelta(step)  # type: ignore[arg-type]
    except ValueError:
        return _of_calendar(step)
    days = _DAY / length
    if days > 2:
        return (days, 7 * days, _YEAR * days)
    if days == 1:
        return (7.0, _YEAR)
    return (_PER_YEAR["W"],) if days == 1 / 7 else ()


def _named(step: DateOffset) -> BaseOffset | None:
    """Return a named offset as long as a `DateOffset`, such as that of the 15th of each month."""
    parts = {name: value for name, value in step.kwds.items() if name.endswith("s")}
    months = 12 * parts.pop("years", 0) + parts.pop("months", 0)
    if months and not parts:
        return MonthBegin(step.n * months)
    return to_offset(step.n * pd.Timedelta(**parts)) if parts and not months else None


def _of_calendar(step: BaseOffset) -> tuple[float, ...]:
    """Return the year in steps of weeks, months or quarters."""
    per_year = _PER_YEAR.get(step.rule_code[:1].removeprefix("B"), 0.0) / step.n
    if step.rule_code.startswith("BM"):
        per_year = _PER_YEAR["M"] / step.n
    if step.rule_code.startswith("BQ"):
        per_year = _PER_YEAR["Q"] / step.n
    return (per_year,) if per_year >= 2 else ()


def _of_business_hours(step: Any) -> tuple[float, ...]:
    """Return the day, the week and the year in hours that are open."""
    spans = zip(step.start, step.end, strict=True)
    minutes = [60 * (end.hour - start.hour) + end.minute - start.minute for start, end in spans]
    day = sum((own - 1) % _MINUTES_OF_DAY + 1 for own in minutes) / 60  # some end on the next day
    calendar = step.calendar  # of custom hours alone
    week = day * (5 if calendar is None else int(np.sum(calendar.weekmask)))
    return (day, week, week * _YEAR / 7)


def _of_open_hours(step: OpenHours) -> tuple[float, ...]:
    """Return the week and the year in open steps; the day too if all open days are alike."""
    week = float(len(step.open))
    days = Counter(slot * step.width // DAY for slot in step.open)
    year = week * _YEAR / 7
    alike = set(days.values())
    if step.width >= DAY or alike == {1}:
        return (week, year) if week > 1 else ()
    return (float(alike.pop()), week, year) if len(alike) == 1 else (week, year)
