"""What files of series have in common: their columns of times and ids, and how they are written."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import pandas as pd
from pandas.tseries.offsets import BaseOffset

from timer_forecaster.frames.columns import chosen_targets
from timer_forecaster.frames.files.dialect import Dialect, find_dialect
from timer_forecaster.frames.files.joined import joined_ids, joined_name, joined_times
from timer_forecaster.frames.files.options import ReadingOptions
from timer_forecaster.frames.files.parquet import read_parquet
from timer_forecaster.frames.files.report import time_text
from timer_forecaster.frames.files.sources import Source
from timer_forecaster.frames.files.textfile import read_text
from timer_forecaster.frames.files.time_column import the_time_column
from timer_forecaster.frames.files.workbook import read_workbook
from timer_forecaster.frames.reading.errors import MissingColumnError
from timer_forecaster.frames.stamps import parse_times
from timer_forecaster.frames.table import Table


@dataclass(frozen=True)
class Layout:
    """The columns of times and ids, and how files are written.

    Parameters
    ----------
    options : ReadingOptions
    times, ids : sequence of str
        Names of columns. Without any of times, they are found in the first file.
    freq : str, int or pandas offset, optional
        Step of the times, which may decide how dates are read.
    texts : sequence of str
        Columns that are read as texts, also where they hold numbers.
    """

    options: ReadingOptions
    times: Sequence[str] = ()
    ids: Sequence[str] = ()
    freq: str | int | BaseOffset | None = None
    texts: Sequence[str] = ()

    @property
    def reserved(self) -> list[str]:
        """Columns of times and ids."""
        return [*self.times, *self.ids]

    @property
    def time_column(self) -> str:
        """The column of times, joined where there are several."""
        return joined_name(self.times)

    @property
    def id_column(self) -> str | None:
        """The column of ids, joined where there are several."""
        return joined_name(self.ids) if self.ids else None

    def open(self, source: Source, targets: Sequence[str] = ()) -> tuple[Table, Layout]:
        """Return the columns of a file, and this layout with the columns of times that were found.

        Raises
        ------
        MissingColumnError
            If the file lacks a column.
        ValueError
            If a column has several roles, or there are no rows.
        """
        table, times = self._table(source, targets)
        layout = dataclasses.replace(self, times=times)
        layout._check_names(source, table, targets)
        _refuse_empty(table)
        return table, layout

    def stamps(self, frame: pd.DataFrame, ids: pd.Series | None = None) -> tuple[pd.Series, str]:
        """Return the times of rows, and how the first of them was read."""
        options, names = self.options, self.times

        def parse(
            values: pd.Series, column: str, timezone: str | None = options.timezone
        ) -> pd.Series:
            return parse_times(
                values,
                column,
                date_format=options.date_format,
                dayfirst=options.dayfirst,
                timezone=timezone,
                freq=self.freq,
                series=ids,
            )

        given = [_blank_as_missing(frame[name]) for name in names]
        one = len(names) == 1
        days = partial(parse, timezone=None)
        times = parse(given[0], names[0]) if one else joined_times(given, names, parse, days)
        label = ", ".join(map(repr, names))
        if not len(times) or not any(map(_is_string, given)):
            return times, label
        first, time = " ".join(str(column.iloc[0]) for column in given), time_text(times.iloc[0])
        return times, label if first == time else f"{label} ({first!r} is {time})"

    def keys(self, table: Table) -> tuple[pd.Series | None, pd.DataFrame | None]:
        """Return the ids, and their parts if they are several columns."""
        if not self.ids:
            return None, None
        columns = self.parts(table)
        return (columns[self.ids[0]], None) if len(self.ids) == 1 else joined_ids(columns)

    def parts(self, table: Table) -> pd.DataFrame:
        """Return the columns of ids; ids of a text file or of cells of several types are texts."""
        return table.frame[list(self.ids)].apply(_as_ids)

    def _table(self, source: Source, targets: Sequence[str]) -> tuple[Table, list[str]]:
        """Return the columns of a file, and the names of those that hold the times."""
        times, options = list(self.times), self.options
        wanted = self.reserved or list(targets)
        kind = source.kind()
        has_header = False if options.no_header else None
        if source.frame is not None:
            table = Table(source.frame, "a frame", {})
        elif kind == "parquet":
            table = read_parquet(source)
        elif kind == "excel":
            table = read_workbook(source, wanted, sheet=options.sheet, has_header=has_header)
        else:
            known: dict[str, Any] = {"separator": options.sep, "encoding": options.encoding}
            known["has_header"] = has_header
            dialect = find_dialect(source, wanted, **known)
            times = times or _time_of_sample(dialect, self.ids)
            texts = [name for name in self.texts if name in dialect.header.names]
            decimal_known = options.decimal is not None or options.thousands is not None
            known |= {"decimal_known": decimal_known, "dialect": dialect}
            table = read_text(source, [*times, *self.ids, *texts], **known)
        if not times:
            _refuse_empty(table)
            times = [the_time_column(table.frame, self.ids)]
        return table, times

    def _check_names(self, source: Source, table: Table, targets: Sequence[str]) -> None:
        columns = [str(name) for name in table.frame]
        roles = {"time_column": self.times, "id_column": self.ids, "target_columns": targets}
        for argument, name in ((role, name) for role, names in roles.items() for name in names):
            if name not in columns:
                raise MissingColumnError(source.name, argument, name, columns)
            if name in table.repeated:
                raise ValueError(f"{argument}: column {name!r} is there more than once")
        for names in (self.times, self.ids):
            if len(set(names)) < len(names):
                raise ValueError(f"columns {', '.join(names)}: name each once")
        both = [name for name in self.ids if name in self.times]
        if both:
            raise ValueError(f"id_column and time_column are both {both[0]!r}")
        if targets:
            first_id = self.ids[0] if self.ids else None
            chosen_targets(table.frame, targets, self.times[0], first_id)
            inner = [name for name in targets if name in self.reserved]
            if inner:
                raise ValueError(f"target_columns: {inner[0]!r} is the time or the id column")


def _refuse_empty(table: Table) -> None:
    if table.frame.empty:
        raise ValueError("there are no rows of data")


def _is_string(column: pd.Series) -> bool:
    return bool(
        pd.api.types.is_string_dtype(column.dtype) or pd.api.types.is_object_dtype(column.dtype)
    )


def _blank_as_missing(column: pd.Series) -> pd.Series:
    return column.mask(column == "") if _is_string(column) else column


def _as_ids(column: pd.Series) -> pd.Series:
    """Return ids; those of a text file or of cells of several types are texts."""
    if not _is_string(column):
        return column
    texts = column.map(str, na_action="ignore")
    return texts.mask(texts == "")


def _time_of_sample(dialect: Dialect, ids: Sequence[str]) -> list[str]:
    """Return the column of dates of a text file; none if its rows are refused later."""
    names = dialect.header.names
    rows = [row for row in dialect.sample if any(row) and not row[0].startswith("#")]
    if not rows or any(len(row) < len(names) or any(row[len(names) :]) for row in rows):
        return []
    sample = pd.DataFrame([row[: len(names)] for row in rows], columns=names)
    return [the_time_column(sample, ids)]
