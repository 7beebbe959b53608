"""Dates from their fields: years, months, days, weeks, hours, in whole columns.

Fields that name no date become NaT.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Fields = NDArray[np.int64]
Dates = NDArray[np.datetime64]

_NONE = np.datetime64("NaT", "D")
_FIRST_YEAR, _LAST_YEAR = 1, 9999


def dates_of(year: Fields, month: Fields | int = 1, day: Fields | int = 1) -> Dates:
    """Return dates of the calendar.

    Examples
    --------
    >>> dates_of(np.array([2024, 2023]), 2, 29).astype(str).tolist()
    ['2024-02-29', 'NaT']
    """
    year, month, day = np.broadcast_arrays(year, month, day)
    known = (_FIRST_YEAR <= year) & (year <= _LAST_YEAR) & (1 <= month) & (month <= 12)
    months = (np.where(known, (year - 1970) * 12 + month - 1, 0)).astype("datetime64[M]")
    dates = months.astype("datetime64[D]") + _days(day - 1)
    known &= (day >= 1) & (dates.astype("datetime64[M]") == months)
    return np.where(known, dates, _NONE)


def days_of_year(year: Fields, day: Fields) -> Dates:
    """Return the dates of days that are counted from the start of the year, which is day 1."""
    dates = dates_of(year) + _days(day - 1)
    return np.where((day >= 1) & (dates < dates_of(year + 1)), dates, _NONE)


def weeks_of(year: Fields, week: Fields, day: Fields | int = 1) -> Dates:
    """Return the dates of the days of ISO weeks; the first day is Monday.

    Examples
    --------
    >>> weeks_of(np.array([2024, 2024]), np.array([1, 53])).astype(str).tolist()
    ['2024-01-01', 'NaT']
    """
    first, following = _first_mondays(year), _first_mondays(year + 1)
    monday = first + _days(7 * (week - 1))
    known = (week >= 1) & (monday < following) & (np.asarray(day) >= 1) & (np.asarray(day) <= 7)
    return np.where(known, monday + _days(day - 1), _NONE)


def _first_mondays(year: Fields) -> Dates:
    """Return the Mondays of the weeks that hold the fourth of January."""
    fourth = dates_of(year, 1, 4)
    weekday = (fourth.astype("int64") + 3) % 7  # the epoch began on a Thursday
    return fourth - _days(weekday)


def _days(numbers: Fields | int) -> NDArray[np.timedelta64]:
    """Return numbers as days; numpy 2.5 deprecates sums of dates and plain numbers."""
    return np.asarray(numbers).astype("timedelta64[D]")


def moments_of(
    dates: Dates, hour: Fields | int = 0, minute: Fields | int = 0, second: Fields | int = 0
) -> Dates:
    """Return the times of the day of dates, to the second."""
    known = _within(hour, 23) & _within(minute, 59) & _within(second, 59)
    seconds = np.asarray(hour, np.int64) * 3600 + np.asarray(minute) * 60 + second
    moments = dates.astype("datetime64[s]") + seconds.astype("timedelta64[s]")
    return np.where(known, moments, np.datetime64("NaT", "s"))


def _within(field: Fields | int, largest: int) -> NDArray[np.bool_]:
    return (np.asarray(field) >= 0) & (np.asarray(field) <= largest)


def full_years(year: Fields) -> Fields:
    """Return years of two digits as POSIX reads them: 69 is 1969, 68 is 2068."""
    return year + np.where(year < 69, 2000, 1900)
