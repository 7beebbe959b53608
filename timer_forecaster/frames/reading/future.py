"""A file of the future: its times, ids and numbers are read as the history's are."""

from __future__ import annotations

from typing import NamedTuple, cast

import numpy as np
import pandas as pd

from timer_forecaster.frames.files.later import later_ids, later_numbers
from timer_forecaster.frames.files.report import FutureReport
from timer_forecaster.frames.files.sources import Source
from timer_forecaster.frames.reading.errors import naming
from timer_forecaster.frames.reading.layout import Layout
from timer_forecaster.frames.reading.series_file import SeriesFile
from timer_forecaster.frames.stamps.alike import parse_alike
from timer_forecaster.frames.table import Table


class FutureFile(NamedTuple):
    """The columns of a file of the future."""

    source: Source
    layout: Layout
    table: Table

    @classmethod
    def of(cls, source: Source, layout: Layout) -> FutureFile:
        """Read the columns of a file.

        Parameters
        ----------
        source : Source
        layout : Layout
            Of the history, with the columns of times.
        """
        with naming(source):
            return cls(source, layout, layout.open(source)[0])

    @property
    def columns(self) -> list[str]:
        """Names of the columns."""
        return [str(name) for name in self.table.frame]

    @property
    def report(self) -> FutureReport:
        """How the file was read."""
        return FutureReport.of(self.source, self.table)

    def beside(self, read: SeriesFile, table: Table) -> pd.DataFrame:
        """Return the times, the ids and the known columns.

        Parameters
        ----------
        read : SeriesFile
            The history.
        table : Table
            The columns of its file.

        Raises
        ------
        NamedError
            If a row has no id, or a time or a number cannot be read, or is written in another way
            than in the history.
        """
        with naming(self.source):
            columns = {name: self._known(read, table, name) for name in read.known_columns}
            # Without ids, each file is one series.
            own, keys = (pd.Series(0, index=one.frame.index) for one in (table, self.table))
            if read.id_column is not None:
                own = cast(pd.Series, self.layout.keys(table)[0])
                keys = later_ids(self.layout.parts(self.table), own, read.parts)
            named = {} if read.id_column is None else {read.id_column: keys}
            named[read.time_column] = self._times(read, table, _told_apart(own, keys))
        future = pd.DataFrame({**named, **columns})
        if read.parts is not None:
            future = future[keys.notna().to_numpy()]  # ids without a history
        return future

    def _known(self, read: SeriesFile, table: Table, name: str) -> pd.Series:
        """Return a known column over the horizon, with numbers as the history has them."""
        if not pd.api.types.is_numeric_dtype(read.frame[name].dtype):
            column = self.table.frame[name]
            return column.astype("category") if name in self.layout.texts else column
        options = self.layout.options
        return later_numbers(
            table, self.table, name, options.decimal, options.thousands, read.frame[name]
        )

    def _times(self, read: SeriesFile, table: Table, series: pd.Series) -> pd.Series:
        """Return the times of the future, read as the times of the history are.

        Parameters
        ----------
        read : SeriesFile
        table : Table
        series : pandas.Series
            The series of each row of the history, and then of each row of the future.
        """
        own = series.iloc[len(table.frame) :].reset_index(drop=True)

        def parse(columns: pd.DataFrame) -> pd.Series:
            alone = len(columns) == len(self.table.frame)
            return self.layout.stamps(columns, own if alone else series)[0]

        before, after = (one.frame[list(self.layout.times)] for one in (table, self.table))
        return parse_alike(after, before, read.frame[read.time_column], parse)


def _told_apart(own: pd.Series, later: pd.Series) -> pd.Series:
    """Return the series of each row of two files; rows of one id in both are two series."""
    first, second = (pd.factorize(ids, use_na_sentinel=False)[0] for ids in (own, later))
    return pd.Series(np.concatenate([first, second + len(first)]))
