"""The series as a dataset of Ray: Parquet files or a dataset, beside the rows of the future."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from timer_forecaster.ray.partitions import filled
from timer_forecaster.scale import SeriesColumns
from timer_forecaster.scale.batches import kind_of
from timer_forecaster.scale.parquet import ParquetRows

if TYPE_CHECKING:
    import pyarrow as pa
    from ray.data import Dataset

Data = Any
"""A dataset of Ray, or the path or paths of Parquet files or of folders of them."""


class Source(NamedTuple):
    """A dataset of some columns, and what is known of it before it is read."""

    dataset: Dataset
    schema: pa.Schema
    rows: int
    files: list[Any]
    """Names, sizes and numbers of rows of its files; empty if Ray alone knows them."""

    @classmethod
    def of(cls, data: Data, argument: str, columns: Sequence[str]) -> Source:
        """Return the source of some columns; no other column is read.

        Parameters
        ----------
        data : ray.data.Dataset, str, Path, or sequence of str or Path
        argument : str
            Its name in errors.
        columns : sequence of str

        Raises
        ------
        ValueError, TypeError
            If it is neither a dataset nor paths of Parquet files, lacks a column or has no rows.
        """
        import pyarrow as pa
        import ray.data

        if isinstance(data, ray.data.Dataset):
            found = cls._of_dataset(data)
        else:
            found = cls._of_paths(_paths(data, argument))
        for name in columns:
            if name not in found.schema.names:
                held = found.schema.names
                raise ValueError(f"{argument} has no column {name!r}; its columns: {held}")
        if not found.rows:
            raise ValueError(f"{argument} has no rows")
        schema = pa.schema([found.schema.field(name) for name in columns])
        return found._replace(dataset=found.dataset.select_columns(list(columns)), schema=schema)

    @classmethod
    def _of_dataset(cls, dataset: Dataset) -> Source:
        return cls(dataset, _schema(dataset), dataset.count(), [])

    @classmethod
    def _of_paths(cls, paths: list[str]) -> Source:
        """Return Parquet files, whose footers tell their columns and rows."""
        import ray.data

        if any("://" in path for path in paths):  # file systems that Ray knows
            return cls._of_dataset(ray.data.read_parquet(paths))
        parts = [ParquetRows(Path(path)) for path in paths]
        names = [str(file) for part in parts for file in part.files]
        files = [file for part in parts for file in part.described()["data"]]
        rows = sum(part.total for part in parts)
        dataset, stored = ray.data.read_parquet(names), parts[0].stored
        if stored:
            dataset = dataset.rename_columns({held: name for name, held in stored.items()})
        return cls(dataset, parts[0].schema, rows, files)

    @classmethod
    def of_future(cls, future: Data, columns: SeriesColumns) -> Source:
        """Return the rows of the future.

        Parameters
        ----------
        future : ray.data.Dataset, str, Path, or sequence of str or Path
            Ids and times after the last target, with the known columns.
        columns : SeriesColumns

        Raises
        ------
        ValueError, TypeError
            If no known column is named, or the future cannot be used.
        """
        if not columns.known_columns:
            raise ValueError("future says nothing without known_columns: name its columns there")
        names = [columns.id_column, columns.time_column, *columns.known_columns]
        return cls.of(future, "future", names)

    def with_future(self, future: Source) -> Dataset:
        """Return the dataset with the rows of the future below it, whose targets are empty.

        Raises
        ------
        ValueError
            If a column of the future holds something else than that of the data.
        """
        for own in future.schema:
            known = self.schema.field(own.name).type
            if kind_of(own.type) != kind_of(known) and "null" not in map(str, (own.type, known)):
                raise ValueError(
                    f"future: column {own.name!r} is {own.type}, and {known} in data; give both "
                    "one type"
                )
        fill = partial(filled, schema=self.schema)
        rows = future.dataset.map_batches(fill, batch_size=None, batch_format="pyarrow")
        return self.dataset.union(rows)

    def described(self, argument: str) -> dict[str, Any]:
        """Return facts by which a second run knows the data again, for `run_identity`.

        Parameters
        ----------
        argument : str
            Their name: "data" or "future".
        """
        columns = {field.name: str(field.type) for field in self.schema}
        found = {argument: self.files, f"rows of {argument}": self.rows}
        return {**found, f"columns of {argument}": columns}


def _paths(data: Data, argument: str) -> list[str]:
    """Return paths as texts that hold in other folders, where workers run."""
    paths = [data] if isinstance(data, str | os.PathLike) else data
    if not isinstance(paths, Sequence) or not all(
        isinstance(path, str | os.PathLike) for path in paths
    ):
        raise TypeError(
            f"{argument} is a {type(data).__name__}: give paths of Parquet files, or a dataset of "
            "Ray, which ray.data.from_pandas makes of a frame"
        )
    texts = [os.fspath(path) for path in paths]
    for text in texts:
        if "://" not in text and not Path(text).exists():
            raise ValueError(f"{argument}: there is no {text}")
    return [text if "://" in text else str(Path(text).absolute()) for text in texts]


def _schema(dataset: Dataset) -> pa.Schema:
    """Return the schema of a dataset, also if pandas holds it."""
    import pyarrow as pa

    held = dataset.schema()
    if held is None:
        return pa.schema([])
    own = dict(zip(held.base_schema.names, held.base_schema.types, strict=True))
    return pa.schema(
        (name, _arrow_type(kind, own[name]))
        for name, kind in zip(held.names, held.types, strict=True)
    )


def _arrow_type(kind: Any, own: Any) -> pa.DataType:
    """Return the type of a column as Ray tells it or, where it does not, as pandas does.

    Objects of Python have the type null, which says nothing.
    """
    import pyarrow as pa

    return kind if isinstance(kind, pa.DataType) else pa.array(pd.Series(dtype=own)).type
