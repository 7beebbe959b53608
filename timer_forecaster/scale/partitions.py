"""Partitions: whole series of a source, read as a file of them alone would be."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from timer_forecaster.frames.files.joined import joined_name
from timer_forecaster.frames.files.options import ReadingOptions
from timer_forecaster.frames.files.sources import Source
from timer_forecaster.frames.reading import SeriesFile, read_series
from timer_forecaster.scale.apart import (
    FAULT,
    is_named,
    read_apart,
    series_numbers,
    without_faults,
)
from timer_forecaster.scale.batches import Rows
from timer_forecaster.scale.cutting import ReturningIdError, cut
from timer_forecaster.scale.folder import Content, name_of
from timer_forecaster.scale.parquet import ParquetRows
from timer_forecaster.scale.tasks import SeriesColumns, without_rows
from timer_forecaster.scale.text import TextRows

if TYPE_CHECKING:
    import pyarrow as pa

_STREAMED = "a Parquet file, a folder of Parquet files, or a text file such as CSV"


class Partition(NamedTuple):
    """Whole series of a source."""

    name: str
    read: SeriesFile | None
    """The series that can be read; None if none can."""
    rejected: pd.DataFrame
    """The columns of ids, the target and the reason of each series that cannot be read."""
    content: Content
    done: int
    """How much of the source is read then, in the unit of the source."""


@dataclasses.dataclass(frozen=True)
class Names:
    """Columns as a user names them, as in `read_series`.

    Parameters
    ----------
    id_column : str or sequence of str
    time_column, target_columns, known_columns, past_columns, categories : optional
    freq : str, optional

    Examples
    --------
    >>> from timer_forecaster.scale import Names
    >>> Names("shop", target_columns="sold").arguments["target_columns"]
    ['sold']
    """

    id_column: Sequence[str] | str
    time_column: Sequence[str] | str | None = None
    target_columns: Sequence[str] | str | None = None
    known_columns: Sequence[str] | str | None = None
    past_columns: Sequence[str] | str | None = None
    categories: Sequence[str] | str | None = None
    freq: str | None = None

    @property
    def arguments(self) -> dict[str, Any]:
        """The names as arguments of `read_series`, lists but for the frequency."""
        given = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return {
            name: [v] if isinstance(v, str) and name != "freq" else v for name, v in given.items()
        }


class SeriesSource:
    """The series of a source that need not fit in memory.

    Parameters
    ----------
    path : str or Path
        A Parquet file, a folder of Parquet files, or a text file such as CSV. The rows of each id
        follow each other, over row groups and files too.
    names : Names
        Without a time column, the only column of dates is taken; without targets, the only numeric
        column beside the others that are named.
    options : ReadingOptions, optional
        How the file is written, as far as it is not to be found out.

    Raises
    ------
    MissingColumnError
        If there is no column of a name.
    ValueError
        If the source cannot be read, or if columns that are not named are not evident.
    ImportError
        If pyarrow is not installed.

    Examples
    --------
    >>> import pandas as pd
    >>> from timer_forecaster.scale import Names, SeriesSource
    >>> rows = pd.DataFrame({"shop": list("aabb"), "day": [1, 2, 1, 2], "sold": [3.0, 4, 5, 6]})
    >>> rows.to_parquet("sales.parquet")
    >>> SeriesSource("sales.parquet", Names("shop", "day")).columns.target_columns
    ['sold']
    """

    def __init__(
        self, path: str | Path, names: Names, options: ReadingOptions | None = None
    ) -> None:
        self.path, asked = Path(path), names.arguments
        self._options = options or ReadingOptions()
        self.rows: Rows = self._opened(asked)
        self._asked = asked
        if isinstance(self.rows, TextRows):  # whose times are joined, and read, line by line
            self._options = ReadingOptions()
            times = asked["time_column"]
            self._asked = asked | {"time_column": times and [joined_name(times)]}
        self.columns = self._settled(names)

    def _settled(self, names: Names) -> SeriesColumns:
        """Return the columns by their roles, and keep to them in all partitions."""
        head = self.rows.head()
        if not len(head):
            raise ValueError(f"{self.path}: there are no rows of data")
        read = self._read_head(without_faults(head, self._asked["id_column"])[0])
        targets = read.target_columns if names.target_columns else [self._only_target(read)]
        times = self._asked["time_column"] or [read.time_column]
        self._asked |= {"time_column": times, "target_columns": targets}
        if isinstance(self.rows, TextRows):
            given = {} if names.time_column else {"time_column": times}
            self.rows = self.rows.settled(head, target_columns=targets, **given)
            self._options = ReadingOptions(timezone=self.rows.timezone)
        covariates = read.known_columns or None, read.past_columns or None
        held = read.frame.select_dtypes("category")
        codes = [name for name in (*read.known_columns, *read.past_columns) if name in held]
        return SeriesColumns(
            read.time_column, str(read.id_column), targets, names.freq, *covariates, codes or None
        )

    def partitions(self, most_rows: int, answer_rows: int) -> Iterator[Partition]:
        """Yield the series in partitions, in the order of the source.

        :meta private:

        Parameters
        ----------
        most_rows : int
            Rows of a partition and of the answers about it. A series that has more is a partition
            of its own.
        answer_rows : int
            Rows of the answer about one id.

        Raises
        ------
        ValueError
            If the rows of an id do not follow each other, if lines of a text cannot be read, or if
            none of many series of a partition can be read.
        """
        ids, columns = self._asked["id_column"], self.columns
        covariates = [*(columns.known_columns or ()), *(columns.past_columns or ())]
        wanted = [*ids, *self._asked["time_column"], *columns.target_columns, *covariates]
        batches = self.rows.batches(list(dict.fromkeys(wanted)))
        try:
            for number, (table, done) in enumerate(cut(batches, ids, most_rows, answer_rows)):
                yield self._partition(name_of(number), table, done)
        except ReturningIdError as error:
            raise ValueError(
                f"{self.path}: {error}; the rows of an id must follow each other: "
                f"{self.rows.sorting(ids)}"
            ) from None

    def _partition(self, name: str, table: pa.Table, done: int) -> Partition:
        """Read whole series; those that cannot be read do not stop the others."""
        ids = self._asked["id_column"]
        frame, faults = without_faults(table, ids)
        try:
            read, reasons = read_apart(frame, ids, self._read)
        except ValueError as error:
            raise ValueError(f"{without_rows(str(error))}; so it is in {name}") from None
        reasons = faults.astype(object).combine_first(reasons)
        if read is not None and reasons.isna().all():
            content = Content.of(read.frame, self.columns.id_column)
            return Partition(name, read, self.columns.rejected({}), content, done)
        whole = table.to_pandas()
        numbers = series_numbers(whole, ids)
        content = Content.of(whole.assign(**{FAULT: numbers}), FAULT)
        first = ~pd.Series(numbers).duplicated() & reasons.notna()
        rejected = self._rejected(whole.loc[first, ids], reasons[first].tolist())
        return Partition(name, read, rejected, content, done)

    def _rejected(self, keys: pd.DataFrame, reasons: Sequence[str]) -> pd.DataFrame:
        """Return the table of series that cannot be read, with the columns of ids of the source."""
        own = self.columns.id_column
        found = self.columns.rejected(
            {
                (number, target): reason.removeprefix(f"{self.path}: ").removeprefix(
                    f"target {target!r}: "
                )
                for number, reason in enumerate(reasons)
                for target in self.columns.target_columns
            }
        )
        ids = keys.iloc[found[own]].reset_index(drop=True)
        if len(ids.columns) == 1:
            ids = pd.DataFrame({own: ids[own].tolist()})
        return pd.concat([ids, found.drop(columns=own)], axis=1)

    def _opened(self, asked: dict[str, Any]) -> Rows:
        kind = "parquet" if self.path.is_dir() else Source.of(self.path).kind()
        if kind == "parquet":
            self._options.refuse_unused([kind])
            return ParquetRows(self.path)
        if kind == "text" and self.path.is_file():
            return TextRows(self.path, asked, self._options)
        raise ValueError(f"{self.path} cannot be streamed: name {_STREAMED}")

    def _read_head(self, frame: pd.DataFrame) -> SeriesFile:
        """Read the first rows; they must all be readable where they decide about the columns."""
        if is_named(self._asked):
            read = read_apart(frame, self._asked["id_column"], self._read, is_head=True).read
            if read is not None:
                return read
        return self._read(frame)

    def _read(self, frame: pd.DataFrame) -> SeriesFile:
        """Read columns as a file of them would be read."""
        source = Source(str(self.path), None, frame=frame)
        return read_series(source, options=self._options, on_error="nan", **self._asked)

    def _only_target(self, read: SeriesFile) -> str:
        """Return the only numeric column that has no other role."""
        taken = {read.time_column, read.id_column, *read.known_columns, *read.past_columns}
        numeric = [str(name) for name in read.frame.select_dtypes("number") if name not in taken]
        if len(numeric) != 1:
            raise ValueError(
                f"{self.path}: columns {', '.join(map(repr, numeric))} are numeric: name those to "
                "forecast by target_columns (--target), since all partitions must have the same"
            )
        return numeric[0]
