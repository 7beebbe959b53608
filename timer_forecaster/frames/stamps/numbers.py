"""Columns of numbers: dates where the whole column or `freq` shows it, else counts."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, NoReturn

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from timer_forecaster.frames.calendar.times import regular_step, step_name
from timer_forecaster.frames.stamps.codes import Code, Coded, codes_of
from timer_forecaster.frames.stamps.epochs import Counted, days_of, unix_of
from timer_forecaster.frames.stamps.readings import Reading, anchored, coverage, decided, is_count

# If so many numbers are dates of a code, the others are errors; unless the numbers are a count.
_NEARLY_ALL, _MOST = 0.9, 0.5
_FEW = 10

_MONTHS = 12
_CALENDAR_YEARS = (1900, 2100)


def read_numbers(
    numbers: pd.Series,
    column: Hashable,
    freq: Any = None,
    width: int | None = None,
    timezone: str | None = None,
) -> pd.Series:
    """Read whole numbers as dates, or leave them as they are.

    Parameters
    ----------
    numbers : pandas.Series of int64
    column : hashable
        Name of the column, for errors.
    freq : str, int or offset, optional
        A frequency of dates decides that they are dates, an integer that they are not.
    width : int, optional
        Digits of each number in a column of texts.
    timezone : str, optional
        Zone of the times that are counted from 1970.

    Returns
    -------
    pandas.Series
        The same rows, as datetime64 or int64; times from 1970 are in `timezone`.

    Raises
    ------
    ValueError
        If nothing decides between dates and counts, or some of the numbers are no dates.

    Examples
    --------
    >>> read_numbers(pd.Series([202311, 202312, 202401]), "month").dt.month.tolist()
    [11, 12, 1]
    """
    if is_count(freq):
        return numbers
    distinct, places = np.unique(numbers.to_numpy(), return_inverse=True)
    times = _Column(numbers, distinct, column, freq, width, timezone).times()
    if times is None:
        return numbers
    return pd.Series(times.take(places), index=numbers.index, name=numbers.name)


class _Column:
    """The distinct numbers of a column, and all ways to read them as dates."""

    def __init__(
        self,
        rows: pd.Series,
        numbers: NDArray[np.int64],
        column: Hashable,
        freq: Any,
        width: int | None,
        timezone: str | None,
    ) -> None:
        self.rows, self.numbers, self.column, self.freq = rows, numbers, column, freq
        coded = codes_of(numbers, width)
        self.codes = [one for one in coded if one.valid]
        likely = ("valid", "cycle")
        self.broken = [one for one in coded if not one.valid and one.code.proof in likely]
        counted = (unix_of(numbers, timezone), days_of(numbers))
        self.counted = [one for one in counted if one is not None]

    def times(self) -> pd.DatetimeIndex | None:
        """Return the dates of the numbers, None if these are counts."""
        return self._by_column() if self.freq is None else self._by_freq()

    def _by_freq(self) -> pd.DatetimeIndex | None:
        readings = self._readings([*self.codes, *self.counted])
        fitting = [one for one in readings if coverage(one.times, self.freq) > 0]
        if fitting:
            best = decided(fitting, self.freq)
            return self._refuse(fitting) if best is None else best.times
        self._refuse_errors()
        return readings[0].times if len(readings) == 1 else None

    def _readings(self, found: Sequence[Coded | Counted]) -> list[Reading]:
        readings = []
        for one in found:
            if isinstance(one, Coded):
                times = anchored(one.times, one.code.period, self.freq)
                readings.append(Reading(_name(one.code), times))
            else:
                readings.append(Reading(one.name, one.times))
        return readings

    def _by_column(self) -> pd.DatetimeIndex | None:
        evident = self._evident()
        if evident:
            best = decided(readings := self._readings(evident))
            if best is not None:
                return best.times
            if isinstance(evident[-1], Counted) and len(evident) == 2:
                return readings[0].times
            self._refuse(readings)
        possible = [one for one in self.codes if self._is_open(one)]
        if possible:
            self._refuse(self._readings(possible))
        self._refuse_errors()
        return None

    def _evident(self) -> list[Coded | Counted]:
        """Return the readings for which the column gives evidence, the strongest kind alone."""
        counted = [one for one in self.counted if one.evident]
        certain = [one for one in self.codes if one.is_certain()]
        if certain:
            return [*certain, *counted]
        crossing = [one for one in self.codes if one.crosses()]
        whole = [one for one in self.codes if one.code.proof == "cycle" and one.is_whole()]
        return [*(crossing or whole)] or [*counted]

    def _is_open(self, one: Coded) -> bool:
        """Whether numbers may be a code, without evidence."""
        if one.code.proof != "carry":
            return one.code.proof == "cycle"
        first, last = _CALENDAR_YEARS
        years = first <= self.numbers[0] and self.numbers[-1] <= last
        return one.is_whole() and len(self.numbers) == _MONTHS and not years

    def _refuse(self, readings: list[Reading]) -> NoReturn:
        codes = {_name(one.code): one.code for one in self.codes}
        steps = [_step_of(one.times, codes.get(one.name)) for one in readings]
        told = len(set(steps)) == len(steps) and None not in steps
        pairs = zip(readings, steps, strict=True)
        dates = [f"freq={step!r} if they are {reading.name}" for reading, step in pairs]
        remedies = dates if told else ["dates made of them by pd.to_datetime with a format"]
        raise ValueError(
            f"time column {self.column!r}: {self.numbers[0]} to {self.numbers[-1]} can be "
            f"{', '.join(reading.name for reading in readings)} or plain numbers; pass "
            f"{', '.join(remedies)}, or freq={self._plain_step()} if they are plain numbers"
        )

    def _refuse_errors(self) -> None:
        """Refuse numbers of which nearly all are dates of a code, if they are no count."""
        plain = coverage(pd.Index(self.numbers)) if self.broken else 1.0
        for one in self.broken:
            wrong = np.asarray(one.times.isna())
            share = 1 - wrong.mean()
            nearly = share >= _NEARLY_ALL and plain < 1 and len(wrong) >= _FEW
            if nearly or (share >= _MOST and plain < _MOST):
                bad = self.rows.isin(self.numbers[wrong]).to_numpy()
                row = int(bad.argmax())
                raise ValueError(
                    f"time column {self.column!r} looks like {one.code.name}, but data row "
                    f"{row + 1}, {self.rows.iloc[row]}, is no date: correct it, or pass "
                    f"freq={self._plain_step()} if the column holds plain numbers"
                )

    def _plain_step(self) -> int:
        return int(np.gcd.reduce(np.diff(self.numbers))) if len(self.numbers) > 1 else 1


def _name(code: Code) -> str:
    return f"{code.noun} ({code.name})"


def _step_of(times: pd.DatetimeIndex, code: Code | None) -> str | None:
    """Return a frequency to pass for dates of a code."""
    step = regular_step(times)
    if code is not None and (code.period or step is None):
        return code.freq
    return None if step is None else step_name(step)
