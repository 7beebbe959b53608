"""Partitions of whole series: the number of a row follows from its id alone.

The tasks that group rows import this module, so it imports little.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    import pyarrow as pa

NUMBER = "__partition__"
"""Column of the number of the partition."""

ROWS = 500_000
"""Rows of a partition with its answers, about: as many as a worker holds at once."""

STEPS = 100
"""Rows of a series, where the number of series is not known."""


def partitions_for(rows: int, answer_rows: int) -> int:
    """Return the number of partitions of some rows.

    It follows from the data and the task alone, so that a second run cuts them in the same way.

    Parameters
    ----------
    rows : int
    answer_rows : int
        Rows of the answer about one id.

    Examples
    --------
    >>> partitions_for(100, 7), partitions_for(500_000, 100), partitions_for(500_000, 9900)
    (1, 2, 100)
    """
    return max(1, math.ceil(rows * (1 + answer_rows / STEPS) / ROWS))


def numbered(
    table: pa.Table, id_column: str, partitions: int, finished: Collection[int] = ()
) -> pa.Table:
    """Return the rows of partitions that are not finished, with the numbers of these.

    Parameters
    ----------
    table : pyarrow.Table
    id_column : str
    partitions : int
        Number of partitions. They have about the same number of ids.
    finished : collection of int
        Numbers of partitions to leave out.

    Examples
    --------
    >>> import pyarrow as pa
    >>> table = pa.table({"shop": ["a", "b", "a", "c"]})
    >>> numbers = numbered(table, "shop", 4)[NUMBER].to_pylist()
    >>> numbers[0] == numbers[2]
    True
    >>> numbered(table, "shop", 4, finished=numbers).num_rows
    0
    """
    import pyarrow as pa

    ids = table[id_column]
    if pa.types.is_dictionary(ids.type):  # whose codes would differ from partition to partition
        ids = ids.cast(ids.type.value_type)
        table = table.set_column(table.column_names.index(id_column), id_column, ids)
    hashes = pd.util.hash_pandas_object(ids.to_pandas(), index=False).to_numpy()
    numbers = (hashes % np.uint64(partitions)).astype(np.int64)
    table = table.append_column(NUMBER, [numbers])
    left_out = np.isin(numbers, list(finished))
    return table.filter(~left_out) if left_out.any() else table


def filled(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """Return a table with the columns of a schema; absent ones are empty.

    Columns whose type is null in the schema keep their own: it is not known.

    Examples
    --------
    >>> import pyarrow as pa
    >>> schema = pa.schema([("sold", pa.float64()), ("price", pa.float64())])
    >>> filled(pa.table({"price": [1, 2]}), schema).to_pydict()
    {'sold': [None, None], 'price': [1.0, 2.0]}
    """
    import pyarrow as pa

    held = []
    for field in schema:
        if field.name not in table.column_names:
            held.append(pa.nulls(table.num_rows, field.type))
        elif pa.types.is_null(field.type):
            held.append(table[field.name])
        else:
            held.append(table[field.name].cast(field.type))
    return pa.table(held, names=schema.names)


def frames_of(
    table: pa.Table, id_column: str, time_column: str
) -> Iterator[tuple[int, pd.DataFrame]]:
    """Yield the number and the frame of each partition of a table.

    A shuffle brings rows in any order. Here they are ordered by their ids and times, so that two
    runs write the same.
    """
    if not table.num_rows:  # a block without rows may have no columns
        return
    numbers = table[NUMBER].to_numpy()
    for number in np.unique(numbers).tolist():
        frame = (
            table.filter(numbers == number).drop_columns([NUMBER]).to_pandas(ignore_metadata=True)
        )
        yield number, frame.sort_values([id_column, time_column], kind="stable", ignore_index=True)
