"""Steps of whole months, counted in integers: first days, last days, and equal days of months."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pandas.tseries.offsets import (
    BaseOffset,
    DateOffset,
    Day,
    MonthBegin,
    MonthEnd,
    QuarterBegin,
    QuarterEnd,
    Week,
    YearBegin,
    YearEnd,
)

from timer_forecaster.frames.calendar.axes import Stamps
from timer_forecaster.frames.calendar.opening import DAY, PER_UNIT

_EVERY_MONTH_HAS = 28  # days
_LENGTHS = {MonthBegin: 1, MonthEnd: 1, QuarterBegin: 3, QuarterEnd: 3, YearBegin: 12, YearEnd: 12}
_AT_END = (MonthEnd, QuarterEnd, YearEnd)


class MonthDays(NamedTuple):
    """Stamps as months, days of the month and times of the day.

    Examples
    --------
    >>> days = np.array(["1970-02-27T01"], dtype="M8[s]").view(np.int64)
    >>> [part.tolist() for part in MonthDays.of(days, "s")]
    [[1], [26], [2], [3600]]
    """

    months: NDArray[np.int64]  # since January 1970
    day: NDArray[np.int64]  # 0 is the first of the month
    day_left: NDArray[np.int64]  # 1 on the last of the month
    time: NDArray[np.int64]  # since midnight

    @classmethod
    def of(cls, stamps: Stamps, unit: str) -> MonthDays:
        """Split stamps of a unit."""
        days, time = np.divmod(np.asarray(stamps), DAY // PER_UNIT[unit])
        months = days.astype("M8[D]").astype("M8[M]").astype(np.int64)
        return cls(months, days - _first_days(months), _first_days(months + 1) - days, time)


def _first_days(months: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.asarray(months).astype("M8[M]").astype("M8[D]").astype(np.int64)


@dataclass(frozen=True)
class Months:
    """Steps to one day of every month, quarter or year.

    Parameters
    ----------
    length : int
        Months of a step.
    anchor : int
        A month that has a step, counted from January 1970.
    day : int
        Days after the first of the month; negative: before the first of the next month.
    time : int
        Nanoseconds after midnight.
    """

    length: int
    anchor: int
    day: int
    time: int

    @property
    def longest(self) -> int:
        """Nanoseconds that a step takes at most."""
        return 31 * self.length * DAY

    def numbers(
        self, stamps: NDArray[np.int64], unit: str
    ) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Return the numbers of stamps along the steps, and which stamps are steps."""
        dates = MonthDays.of(stamps, unit)
        day = dates.day if self.day >= 0 else -dates.day_left
        numbers, rest = np.divmod(dates.months - self.anchor, self.length)
        is_step = (day == self.day) & (dates.time == self.time // PER_UNIT[unit]) & (rest == 0)
        return numbers, is_step

    def stamps(self, numbers: NDArray[np.int64], unit: str) -> NDArray[np.int64]:
        """Return the stamps of numbers."""
        months = self.anchor + numbers * self.length + (self.day < 0)
        scale = PER_UNIT[unit]
        return (_first_days(months) + self.day) * (DAY // scale) + self.time // scale


def months_of(step: Any, first: int, unit: str) -> tuple[Months, int] | None:
    """Return the months of a step from a first stamp, and how many of them it takes at once.

    Return None if it is no step of months, or if not every month has the day.
    """
    count = _plain_months(step)
    if count is None:
        return None
    dates = MonthDays.of(np.array([first]), unit)
    day, time = int(dates.day[0]), int(dates.time[0]) * PER_UNIT[unit]
    if type(step) is DateOffset:
        return (Months(1, 0, day, time), count) if day < _EVERY_MONTH_HAS else None
    length = _LENGTHS[type(step)]
    month = getattr(step, "startingMonth", getattr(step, "month", 1))
    return Months(length, (month - 1) % length, -1 if isinstance(step, _AT_END) else 0, time), count


def unanchored(step: Any) -> Any:
    """Return what tells the length of a step, equal for steps that begin on different days.

    These are weeks that begin on different weekdays, and quarters and years that begin in different
    months. Other steps are returned as they are.

    Examples
    --------
    >>> import pandas as pd
    >>> unanchored(pd.offsets.QuarterBegin(startingMonth=2)) == unanchored(pd.offsets.MonthBegin(3))
    True
    """
    if isinstance(step, Week):
        return Day(7 * step.n)
    count = _plain_months(step) if isinstance(step, BaseOffset) else None
    if count is None:
        return step
    return count * _LENGTHS.get(type(step), 1), isinstance(step, _AT_END)


@lru_cache(maxsize=64)
def _plain_months(step: Any) -> int | None:
    """Return how many months, quarters or years a step takes; None of another step."""
    if getattr(step, "normalize", True):
        return None
    if type(step) is DateOffset:
        months = step.kwds.get("months", 0)
        plain = step.kwds.keys() == {"months"} and isinstance(months, int) and months > 0
        return step.n * months if plain and step.n > 0 else None
    if type(step) not in _LENGTHS or step.n < 1:
        return None
    return int(step.n)
