"""Calendar codes: dates that are written as one number, such as 20240131 or 202401.

A number that can be a code may also be a plain count. Codes are not regular as numbers where a
year, month or week ends; such a step decides, as does a column that holds a whole year. Where
nothing decides, a code of less than eight digits is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd

from timer_forecaster.frames.stamps.fields import (
    Dates,
    Fields,
    dates_of,
    days_of_year,
    full_years,
    moments_of,
    weeks_of,
)
from timer_forecaster.frames.stamps.readings import coverage

_YEARS = (1900, 2100)
_LONG_YEARS = (1700, 2200)
_SHORT_YEARS = (1990, 2049)


class Code(NamedTuple):
    """A notation of dates by digits."""

    name: str
    dates: Callable[[Fields], Dates]
    noun: str  # for errors: numbers of this notation are "months"
    freq: str  # for errors: a frequency of such dates
    period: str = ""  # "Q", "M" or "W" if a number stands for a whole one
    proof: str = "cycle"  # which evidence makes it a code: "valid", "order", "cycle" or "carry"

    @property
    def digits(self) -> int:
        """Number of digits."""
        return len(self.name)


def _years(dates: Dates, years: tuple[int, int]) -> Dates:
    first, last = (np.datetime64(f"{year}-01-01") for year in (years[0], years[1] + 1))
    with np.errstate(invalid="ignore"):
        known = (dates >= first) & (dates < last)
    return np.where(known, dates, np.array("NaT", dates.dtype))


def _day(n: Fields) -> Dates:
    return _years(dates_of(n // 10000, n // 100 % 100, n % 100), _LONG_YEARS)


def _day_first(n: Fields) -> Dates:
    return _years(dates_of(n % 10000, n // 10000 % 100, n // 1000000), _YEARS)


def _month_first(n: Fields) -> Dates:
    return _years(dates_of(n % 10000, n // 1000000, n // 10000 % 100), _YEARS)


def _short_day(n: Fields) -> Dates:
    return _years(dates_of(full_years(n // 10000), n // 100 % 100, n % 100), _SHORT_YEARS)


def _quarter(n: Fields) -> Dates:
    return _years(dates_of(n // 10, 3 * (n % 10) - 2), _YEARS)


def _week(n: Fields) -> Dates:
    return _years(weeks_of(n // 100, n % 100), _YEARS)


CODES = (
    Code("YYYYMMDD", _day, "days", "D", proof="valid"),
    Code("DDMMYYYY", _day_first, "days", "D", proof="order"),
    Code("MMDDYYYY", _month_first, "days", "D", proof="order"),
    Code("YYYYMMDDHH", lambda n: moments_of(_day(n // 100), n % 100), "hours", "h", proof="valid"),
    Code(
        "YYYYMMDDHHMM",
        lambda n: moments_of(_day(n // 10**4), n // 100 % 100, n % 100),
        "minutes",
        "min",
        proof="valid",
    ),
    Code(
        "YYYYMMDDHHMMSS",
        lambda n: moments_of(_day(n // 10**6), n // 10**4 % 100, n // 100 % 100, n % 100),
        "seconds",
        "s",
        proof="valid",
    ),
    Code("YYYYQ", _quarter, "quarters", "QS", period="Q"),
    Code("YYYYMM", lambda n: _years(dates_of(n // 100, n % 100), _YEARS), "months", "MS", "M"),
    Code("YYYYWW", _week, "weeks", "W-MON", period="W"),
    Code("YYYYDDD", lambda n: _years(days_of_year(n // 1000, n % 1000), _YEARS), "days", "D"),
    Code("YYMM", lambda n: dates_of(full_years(n // 100), n % 100), "months", "MS", "M", "carry"),
    Code("YYMMDD", _short_day, "days", "D"),
)


class Coded(NamedTuple):
    """The distinct numbers of a column, read by a code."""

    code: Code
    numbers: Fields  # sorted
    times: pd.DatetimeIndex  # NaT where a number is no date

    @property
    def valid(self) -> bool:
        """Whether all numbers are dates."""
        return not self.times.hasnans

    def is_certain(self) -> bool:
        """Whether numbers of so many digits are no counts if all of them are dates."""
        if self.code.proof == "order" and len(self.numbers) > 1:
            return int(np.diff(self.numbers).min()) >= _YEAR_LAST
        return self.code.proof in ("valid", "order")

    def crosses(self) -> bool:
        """Whether the dates are regular where the numbers are not."""
        dates, plain = coverage(self.times), coverage(pd.Index(self.numbers))
        return dates > plain and (dates == 1 or dates >= max(_GAPS, plain + _MORE))

    def is_whole(self) -> bool:
        """Whether the numbers reach from the first to the last that the code has in a row."""
        steps = np.diff(self.numbers)
        if len(steps) < _FEWEST_OF_A_CYCLE - 1 or (steps != steps[0]).any():
            return False
        around = np.array([self.numbers[0] - steps[0], self.numbers[-1] + steps[0]])
        return bool(np.isnat(self.code.dates(around)).all())


# The least step of days, where a number ends with the year.
_YEAR_LAST = 10_000

# Share of the dates that must be observed, and how much more than of plain numbers.
_GAPS, _MORE = 0.5, 0.1
_FEWEST_OF_A_CYCLE = 4


def codes_of(numbers: Fields, width: int | None = None) -> list[Coded]:
    """Return the readings of sorted distinct numbers by all codes of their number of digits.

    Parameters
    ----------
    numbers : ndarray of int
    width : int, optional
        Digits of each number as it was written. By default numbers that begin with the day or the
        month may have lost a leading zero.

    Examples
    --------
    >>> [coded.code.name for coded in codes_of(np.array([202311, 202312]))]
    ['YYYYMM', 'YYYYWW']
    """
    if numbers[0] <= 0:
        return []
    least, most = len(str(numbers[0])), len(str(numbers[-1]))
    found = []
    for code in CODES:
        lost = code.proof == "order" and code.digits - 1 <= least and most <= code.digits
        if width == code.digits or (width is None and (lost or least == most == code.digits)):
            dates = code.dates(numbers).astype("datetime64[s]")
            if not np.isnat(dates).all():
                found.append(Coded(code, numbers, pd.DatetimeIndex(dates)))
    return found
