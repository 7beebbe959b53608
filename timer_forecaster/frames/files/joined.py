"""Times and ids that a file has in several columns."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

_UNITS = ("year", "month", "day", "hour", "minute", "second")

ParseTimes = Callable[[pd.Series, str], pd.Series]
"""Reads a column of times; the second argument is its name in errors."""


def joined_name(names: Sequence[str]) -> str:
    """Return the name of the column that several columns are joined to.

    Examples
    --------
    >>> joined_name(["date", "hour"])
    'date hour'
    """
    return " ".join(names)


def joined_times(
    columns: Sequence[pd.Series],
    names: Sequence[str],
    parse: ParseTimes,
    parse_days: ParseTimes | None = None,
) -> pd.Series:
    """Read the times that several columns make together.

    Parameters
    ----------
    columns : sequence of pandas.Series
        A date and a clock time, a date and an hour from 0 to 24, or columns of a year, a month, and
        so on, which are called by their units.
    names : sequence of str
        Names of the columns.
    parse : callable
        Reads a column of times.
    parse_days : callable, optional
        Reads a column of dates to which hours are added, without a time zone: an hour of the clock
        is not as many hours from midnight where the clock changes. Default: ``parse``.

    Raises
    ------
    ValueError
        If the columns are of no such kind, or a row cannot be read.
    """
    label = joined_name(names)
    units = [_unit(name) for name in names]
    if "year" in units and None not in units and len(set(units)) == len(units):
        return parse(_of_units(columns, names, [unit or "" for unit in units]), label)
    if len(columns) != 2:
        raise ValueError(
            f"time_column={list(names)}: three columns and more must be called year, month, day, "
            "hour, minute and second; join them in the file"
        )
    date, clock = (_as_text(column) for column in columns)
    for column, name in ((date, names[0]), (clock, names[1])):
        if (column == "").any():
            row = int((column == "").to_numpy().argmax())
            raise ValueError(f"time column {name!r}: data row {row + 1} has no time")
    hours = clock.str.fullmatch(r"[0-9]{1,2}(\.0+)?")
    if not hours.all():
        digits = clock.str.fullmatch(r"[0-9]{4}")
        if digits.all():
            clock = clock.str[:2] + ":" + clock.str[2:]
        elif clock.str.fullmatch(r"[0-9.]+").any():
            row = int(clock.str.fullmatch(r"[0-9.]+").to_numpy().argmax())
            raise ValueError(
                f"time column {names[1]!r}: data row {row + 1}, {clock.iloc[row]!r}, is neither a "
                "clock time such as 13:30 nor an hour from 0 to 24"
            )
        return parse(date + " " + clock, label)
    days = (parse_days or parse)(date, names[0])
    if isinstance(days.dtype, pd.PeriodDtype) or days.dtype.kind != "M":
        raise ValueError(f"time column {names[0]!r} does not hold dates")
    return parse(days + _hours(clock, names[1]), label)


def _hours(clock: pd.Series, name: str) -> pd.Series:
    """Return the time from midnight; the hour 24 of a day is the hour 0 of the next one."""
    hour = clock.astype("float64").astype("int64")
    if (hour > 24).any():
        row = int((hour > 24).to_numpy().argmax())
        raise ValueError(
            f"time column {name!r}: data row {row + 1}, {clock.iloc[row]!r}, is no hour from 0 to "
            "24"
        )
    return pd.to_timedelta(hour, unit="h")


def _unit(name: str) -> str | None:
    """Return the unit that a column is called by."""
    word = re.sub(r"[^a-z]", "", name.lower()).removesuffix("s")
    short = {"yr": "year", "mon": "month", "hr": "hour", "min": "minute", "sec": "second"}
    return short.get(word, word) if short.get(word, word) in _UNITS else None


def _of_units(
    columns: Sequence[pd.Series], names: Sequence[str], units: Sequence[str]
) -> pd.Series:
    """Return the times of columns of years, months and so on."""
    known = [unit for unit in _UNITS if unit in units]
    if known != list(_UNITS[: len(known)]) or len(known) < 2:
        raise ValueError(
            f"time_column={list(names)}: name a year, a month, and every unit between the year and "
            "the smallest one"
        )
    numbers = {}
    for column, name, unit in zip(columns, names, units, strict=True):
        text = _as_text(column)
        whole = text.str.fullmatch(r"[0-9]+(\.0+)?")
        if not whole.all():
            row = int((~whole).to_numpy().argmax())
            raise ValueError(
                f"time column {name!r}: data row {row + 1}, {text.iloc[row]!r}, is no {unit} in "
                "numbers"
            )
        numbers[unit] = text.astype("float64").astype("int64")
    if (numbers["year"] < 1000).any():
        row = int((numbers["year"] < 1000).to_numpy().argmax())
        raise ValueError(f"time column: data row {row + 1} has a year of fewer than four digits")
    numbers.setdefault("day", pd.Series(1, index=columns[0].index))
    times = pd.to_datetime(pd.DataFrame(numbers), errors="coerce")
    if times.isna().any():
        row = int(times.isna().to_numpy().argmax())
        given = ", ".join(f"{unit} {numbers[unit].iloc[row]}" for unit in known)
        raise ValueError(
            f"time column {joined_name(names)!r}: data row {row + 1}, {given}, is no time"
        )
    return times


def joined_ids(columns: pd.DataFrame) -> tuple[pd.Series, pd.DataFrame]:
    """Join several columns of ids to one.

    Returns
    -------
    ids : pandas.Series
        A text for each row, NaN where a column has none.
    parts : pandas.DataFrame
        The columns, a row for each text, which is the index.

    Examples
    --------
    >>> ids, parts = joined_ids(pd.DataFrame({"store": ["1", "1"], "item": ["a", "b"]}))
    >>> ids.tolist()
    ['1 / a', '1 / b']
    >>> parts.loc["1 / b"].to_dict()
    {'store': '1', 'item': 'b'}
    """
    missing = columns.isna().any(axis=1).to_numpy()
    codes, _ = pd.factorize(pd.MultiIndex.from_frame(columns))
    first = np.unique(codes, return_index=True)[1]
    distinct = columns.iloc[first].to_numpy(dtype=object).tolist()
    labels = [" / ".join(map(str, row)) for row in distinct]
    if len(set(labels)) < len(labels):  # an id has the sign that joins them
        labels = [" / ".join(map(repr, row)) for row in distinct]
    index = pd.Index(labels, dtype=object)
    ids = pd.Series(index.to_numpy()[codes], index=columns.index, dtype=object)
    return ids.mask(missing), columns.iloc[first].set_axis(index, axis=0)


def _as_text(column: pd.Series) -> pd.Series:
    """Return a column as texts, empty where a value is missing; dates lose a midnight."""
    if column.dtype.kind == "M":
        return column.dt.strftime("%Y-%m-%d").fillna("")
    text = column.astype(object).where(column.notna(), "").map(str).astype(object)
    return text.astype("str").str.strip()
