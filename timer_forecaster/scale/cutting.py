"""Partitions of whole series, cut from rows in which the rows of each id follow each other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from timer_forecaster.scale.batches import Batch

if TYPE_CHECKING:
    import pyarrow as pa

_RECENT = 1 << 16  # ids that are looked up one by one before they are sorted among the others


class Cut(NamedTuple):
    """The rows of a partition."""

    table: pa.Table
    done: int
    """How much of the source was read when they were whole, in the unit of the source."""


class ReturningIdError(ValueError):
    """An id comes back after rows of other ids.

    Parameters
    ----------
    key : sequence
        Values of the columns of ids.
    row : int
        Number of the row of data, from 1.
    """

    def __init__(self, key: Sequence[Any], row: int) -> None:
        self.key, self.row = tuple(key), row
        shown = ", ".join(map(repr, self.key))
        super().__init__(f"data row {row:,}: the id {shown} comes back after rows of other ids")


def cut(
    batches: Iterable[Batch], ids: Sequence[str], most_rows: int, answer_rows: int
) -> Iterator[Cut]:
    """Cut rows into partitions of whole series.

    Where they are cut follows from the rows alone, not from the batches.

    Parameters
    ----------
    batches : iterable of Batch
    ids : sequence of str
        The columns that tell series apart.
    most_rows : int
        Rows of a partition and of the answers about it. A series that has more is a partition of
        its own.
    answer_rows : int
        Rows of the answer about one id.

    Raises
    ------
    ReturningIdError
        If the rows of an id do not follow each other.
    ValueError
        If a row has no id, or there are no rows.
    """
    seen, growing = _Seen(), _Growing(most_rows, answer_rows)
    rows = done = 0
    last: tuple[Any, ...] | None = None
    for batch in batches:
        done, table = batch.done, batch.table.select(list(ids))
        if not len(table):
            continue
        _refuse_missing(table, rows)
        starts, last = _starts(table, last)
        seen.add(table.take(starts), starts + rows)
        growing.tables.append(batch.table)
        for row in (starts + rows)[starts + rows > 0].tolist():
            whole = growing.end_series(row)
            if whole is not None:
                yield Cut(whole, done)
        rows += len(table)
    if not rows:
        raise ValueError("there are no rows of data")
    whole = growing.end_series(rows)
    if whole is not None:
        yield Cut(whole, done)
    yield Cut(growing.take(), done)


class _Growing:
    """The rows since the last cut."""

    def __init__(self, most_rows: int, answer_rows: int) -> None:
        self.tables: list[pa.Table] = []
        self._most, self._answer = most_rows, answer_rows
        self._begin = self._newest = 0  # numbers of the first row, and of that of the newest series
        self._size = 0  # of the series before the newest one, with their answers

    def end_series(self, row: int) -> pa.Table | None:
        """End the newest series before a row; return the series before it if it does not fit."""
        size, whole = row - self._newest + self._answer, None
        if self._newest > self._begin and self._size + size > self._most:
            whole = self.take()
        self._size += size
        self._newest = row
        return whole

    def take(self) -> pa.Table:
        """Return all series before the newest one, and keep the rest."""
        import pyarrow as pa

        rows = pa.concat_tables(self.tables, promote_options="permissive")
        count = self._newest - self._begin
        self.tables, self._begin, self._size = [rows.slice(count)], self._newest, 0
        return rows.slice(0, count)


class _Seen:
    """The ids so far, as 64-bit hashes: of a billion texts, two may be taken for one."""

    def __init__(self) -> None:
        self._sorted = np.empty(0, np.uint64)
        self._recent: set[int] = set()

    def add(self, keys: pa.Table, rows: NDArray[np.intp]) -> None:
        """Add the ids that begin in some rows; refuse one that was there before."""
        hashes = pd.util.hash_pandas_object(keys.to_pandas(), index=False).to_numpy()
        places = np.searchsorted(self._sorted, hashes).clip(max=max(0, len(self._sorted) - 1))
        known = self._sorted[places] == hashes if len(self._sorted) else np.zeros(len(hashes), bool)
        for number, (value, is_known) in enumerate(zip(hashes.tolist(), known, strict=True)):
            if is_known or value in self._recent:
                key = keys.slice(number, 1).to_pylist()[0].values()
                raise ReturningIdError(tuple(key), int(rows[number]) + 1)
            self._recent.add(value)
        if len(self._recent) > max(_RECENT, len(self._sorted) // 16):
            recent = np.fromiter(self._recent, np.uint64, len(self._recent))
            self._sorted = np.sort(np.concatenate([self._sorted, recent]))
            self._recent.clear()


def _refuse_missing(table: pa.Table, rows: int) -> None:
    """Refuse a row without an id; `rows` is the number of the rows before the table."""
    for name in table.column_names:
        if table[name].null_count:
            place = table[name].is_null().index(True).as_py()
            raise ValueError(f"id column {name!r}: data row {rows + place + 1:,} has no id")


def _starts(
    table: pa.Table, last: tuple[Any, ...] | None
) -> tuple[NDArray[np.intp], tuple[Any, ...]]:
    """Return the rows that have another id than the row before them, and the id of the last row."""
    import pyarrow as pa
    from pyarrow import compute

    new = np.zeros(len(table), dtype=bool)
    for column in table.combine_chunks().columns:
        values = column.chunk(0)
        if pa.types.is_dictionary(values.type):
            values = values.dictionary_decode()
        differs = compute.not_equal(values[1:], values[:-1])
        new[1:] |= differs.to_numpy(zero_copy_only=False)
    first, newest = (tuple(column[row].as_py() for column in table.columns) for row in (0, -1))
    new[0] = first != last
    return np.flatnonzero(new), newest
