"""The dataset of the series: Parquet files or a dataset of Ray, beside one of the future."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from timer_forecaster.scale import SeriesColumns

if TYPE_CHECKING:
    import pyarrow as pa
    from ray.data import Dataset

Data = Any
"""A dataset of Ray, or the path or paths of Parquet files or of folders of them."""


def dataset_of(data: Data, argument: str, columns: Sequence[str]) -> Dataset:
    """Return the dataset of some columns; nothing else is read.

    Parameters
    ----------
    data : ray.data.Dataset, str, Path, or sequence of str or Path
    argument : str
        Its name in errors.
    columns : sequence of str

    Raises
    ------
    ValueError, TypeError
        If it is neither a dataset nor a path, or lacks a column.
    """
    import ray.data

    dataset = data
    if not isinstance(data, ray.data.Dataset):
        paths = [data] if isinstance(data, str | os.PathLike) else data
        if not isinstance(paths, Sequence) or not all(
            isinstance(path, str | os.PathLike) for path in paths
        ):
            raise TypeError(
                f"{argument} is a {type(data).__name__}: give paths of Parquet files, or a dataset "
                "of Ray, such as ray.data.from_pandas makes of a frame"
            )
        dataset = ray.data.read_parquet(list(map(_found, paths)))
    held = dataset.columns() or []
    for name in columns:
        if name not in held:
            raise ValueError(f"{argument} has no column {name!r}; its columns are {held}")
    return dataset.select_columns(list(columns))


def _found(path: str | os.PathLike[str]) -> str:
    text = os.fspath(path)
    if "://" not in text and not Path(text).exists():
        raise ValueError(f"there is no {text}")
    return text if "://" in text else str(Path(text).absolute())  # workers run in other folders


def with_future(dataset: Dataset, future: Data, columns: SeriesColumns) -> Dataset:
    """Return a dataset with the rows of the future below it, whose targets are empty.

    Parameters
    ----------
    dataset : ray.data.Dataset
    future : ray.data.Dataset, str, Path, or sequence of str or Path
        Rows of ids and times after the last target, with the known columns.
    columns : SeriesColumns

    Raises
    ------
    ValueError
        If no known column is named, or the future lacks one.
    """
    import pyarrow as pa

    if not columns.known_columns:
        raise ValueError("future has no meaning without known_columns: name its columns in them")
    names = [columns.id_column, columns.time_column, *columns.known_columns]
    rows = dataset_of(future, "future", names)
    held = dataset.schema()
    schema = pa.schema(
        (name, kind if isinstance(kind, pa.DataType) else pa.from_numpy_dtype(kind))
        for name, kind in zip(held.names, held.types, strict=True)
    )
    fill = partial(filled, schema=schema)
    return dataset.union(rows.map_batches(fill, batch_format="pyarrow", batch_size=None))


def filled(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """Return a table with the columns of a schema; absent ones are empty.

    Examples
    --------
    >>> import pyarrow as pa
    >>> schema = pa.schema([("sold", pa.float64()), ("price", pa.float64())])
    >>> filled(pa.table({"price": [1, 2]}), schema).to_pydict()
    {'sold': [None, None], 'price': [1.0, 2.0]}
    """
    import pyarrow as pa

    held = [
        table[field.name].cast(field.type)
        if field.name in table.column_names
        else pa.nulls(table.num_rows, field.type)
        for field in schema
    ]
    return pa.table(held, schema=schema)


def described(dataset: Dataset, rows: int, partitions: int) -> dict[str, Any]:
    """Return by what the data of a run are known again, for `run_identity`.

    Parameters
    ----------
    dataset : ray.data.Dataset
    rows, partitions : int
        Numbers of all rows, and of the partitions that they are cut into.
    """
    held = dataset.schema()
    types = {name: str(kind) for name, kind in zip(held.names, held.types, strict=True)}
    return {"rows of the data": rows, "columns of the data": types, "partitions": partitions}
