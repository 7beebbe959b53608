"""Columns of texts: dates in the notation, order and zone that the whole column shows."""

from __future__ import annotations

import re
from collections.abc import Hashable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from timer_forecaster.frames.stamps.doubts import row_error, why_unread
from timer_forecaster.frames.stamps.fields import dates_of
from timer_forecaster.frames.stamps.notations import (
    MONTH_AND_NUMBER,
    NOTATIONS,
    Notation,
    parts_of,
    read_parts,
)
from timer_forecaster.frames.stamps.offsets import split_offsets, with_offsets
from timer_forecaster.frames.stamps.readings import Reading, anchored, decided

# What pandas reads as ISO 8601: the year first, and nothing has to be guessed. It also reads
# "today", which this does not match.
_ISO = r"\d{4}([-/]?)\d{1,2}\1\d{1,2}(?:[T ].*)?|\d{4}-\d{1,2}"

_ALL = (*NOTATIONS, *MONTH_AND_NUMBER)
_MONTHS_OF_A_YEAR = 12

_YEARS = ("%Y", "%y", "%G", "%c", "%x", "ISO8601")


class TextOptions(NamedTuple):
    """What is known of a column of texts, beside the texts."""

    date_format: str | None = None
    dayfirst: bool | None = None
    timezone: str | None = None
    freq: Any = None


def read_texts(values: pd.Series, column: Hashable, options: TextOptions) -> pd.Series:
    """Read texts as dates.

    Parameters
    ----------
    values : pandas.Series
        Texts, none of them missing.
    column : hashable
        Name of the column, for errors.
    options : TextOptions

    Returns
    -------
    pandas.Series
        The same rows, as datetime64. Texts with an offset from UTC have a zone: UTC, the offset,
        or the best known zone whose clock shows changing offsets.

    Raises
    ------
    ValueError
        If a text is no date, or the column does not decide what its texts mean. The error names
        the first such row, counted from 1.
    """
    places, distinct = pd.factorize(values.astype(str).str.strip())
    texts = _Texts(values, places, pd.Series(distinct, dtype=object).astype(str), column, options)
    return pd.Series(texts.times().take(places), index=values.index, name=values.name)


class _Texts(NamedTuple):
    """The distinct texts of a column."""

    rows: pd.Series
    places: NDArray[np.intp]  # of each row's text
    texts: pd.Series
    column: Hashable
    options: TextOptions

    def times(self) -> pd.DatetimeIndex:
        """Return the time of each text."""
        if self.options.date_format is not None:
            return self._by_format(self.options.date_format)
        wall, offsets = split_offsets(self.texts)
        some = np.asarray(offsets.notna())
        if some.any() and not some.all():
            raise self._error(~some, "has no offset from UTC, and other rows have one")
        times = self._iso(wall)
        times = self._notation(wall) if times is None else times
        return (
            with_offsets(times, offsets, self.column, self.options.timezone)
            if some.all()
            else times
        )

    def _by_format(self, date_format: str) -> pd.DatetimeIndex:
        if not any(year in date_format for year in _YEARS):
            raise ValueError(f"date_format={date_format!r} has no year: it needs %Y or %y")
        try:
            # Several offsets from UTC make no column of pandas, unless it is in UTC.
            utc = "%z" in date_format or "%Z" in date_format
            times = pd.to_datetime(self.texts, format=date_format, errors="coerce", utc=utc)
        except ValueError as error:
            raise ValueError(f"date_format={date_format!r} cannot be used: {error}") from error
        if times.isna().any():
            raise self._error(times.isna(), f"is not of date_format={date_format!r}")
        return pd.DatetimeIndex(times)

    def _iso(self, wall: pd.Series) -> pd.DatetimeIndex | None:
        """Return dates in ISO 8601, None if there are others."""
        if not wall.str.fullmatch(_ISO).all():
            return None
        times = pd.to_datetime(wall, format="ISO8601", errors="coerce")
        return None if times.isna().any() else pd.DatetimeIndex(times)

    def _notation(self, wall: pd.Series) -> pd.DatetimeIndex:
        """Return dates in the notation that fits most texts, which must fit all."""
        lower = wall.str.lower().str.replace(r"\s+", " ", regex=True)
        possible = [one for one in _ALL if re.fullmatch(one.pattern, lower.iloc[0])]
        unread = np.ones(len(wall), dtype=bool)
        for notation in possible or _ALL:
            parts = parts_of(lower, notation)
            strange = parts["all"].isna().to_numpy()
            if not strange.any():
                readings, strange = self._readings(notation, parts)
                if readings:
                    return self._chosen(notation, readings, lower)
            unread = strange if strange.sum() < unread.sum() else unread
        raise self._error(unread, why_unread(wall[unread].iloc[0]))

    def _readings(
        self, notation: Notation, parts: pd.DataFrame
    ) -> tuple[list[Reading], NDArray[np.bool_]]:
        """Return the readings that give a date for every text, and else the texts without."""
        readings, fewest = [], np.ones(len(parts), dtype=bool)
        order = {True: "day first", False: "month first", None: None}[self.options.dayfirst]
        for name, meaning in notation.readings.items():
            if order in notation.readings and name != order:
                continue
            times = pd.DatetimeIndex(read_parts(parts, meaning))
            bad = np.asarray(times.isna())
            if not bad.any():
                readings.append(Reading(name, anchored(times, notation.period, self.options.freq)))
            fewest = bad if bad.sum() < fewest.sum() else fewest
        return readings, fewest

    def _chosen(
        self, notation: Notation, readings: list[Reading], lower: pd.Series
    ) -> pd.DatetimeIndex:
        """Return the times of the reading that the column or the frequency decides."""
        first = readings[0].times
        if notation in MONTH_AND_NUMBER and not _has_years(notation, first, lower):
            why = "can be a month and a year, or a day of a month without a year; write dates as "
            raise self._error(first.notna(), f"{why}2024-01-31, or give date_format, as '%b-%y'")
        if all(reading.times.equals(first) for reading in readings):
            return first
        best = decided(readings, self.options.freq)
        if best is not None:
            return best.times
        differ = np.any([reading.times != first for reading in readings], axis=0)
        raise self._error(
            differ,
            f"can be {' or '.join(reading.name for reading in readings)}; write dates as "
            "2024-12-31, or pass a frequency that decides, as freq='D' or freq='MS', or convert "
            "them with dayfirst or date_format",
        )

    def _error(self, bad: Any, why: str) -> ValueError:
        rows = np.asarray(bad, dtype=bool)[self.places]
        return row_error(self.rows, rows, self.column, why)


def _has_years(notation: Notation, months: pd.DatetimeIndex, lower: pd.Series) -> bool:
    """Whether months with two digits are months of years, and not days without a year."""
    parts = parts_of(lower, notation)
    number = np.asarray(parts["yy"], dtype=np.int64)
    days = dates_of(np.full(len(parts), 2000), np.asarray(months.month, np.int64), number)
    if np.isnat(days).any():  # no days of these months
        return True
    one_year = len(months) == _MONTHS_OF_A_YEAR and months.year.nunique() == 1
    best = decided([Reading("months", months), Reading("days", pd.DatetimeIndex(days))])
    return one_year or (best is not None and best.name == "months")
