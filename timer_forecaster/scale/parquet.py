"""The rows of Parquet files, batch by batch: of one file, or of all files of a folder."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from timer_forecaster.frames.files.parquet import free_names, is_new
from timer_forecaster.scale.batches import Batch, kind_of, require_pyarrow

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow import parquet

_ROWS = 1 << 16  # of a batch
_BYTES = 1 << 20  # of a column that are read from the disk at once
_INDEX = re.compile(r"__index_level_\d+__")  # a name that pandas gives to an index without one
_SUFFIXES = (".parquet", ".parq", ".pq")


class ParquetRows:
    """The rows of a Parquet file or of a folder of them, in the order of the names of the files.

    Numbers in names count as numbers: ``part-10`` comes after ``part-9``. Folders such as
    ``year=2024`` are columns. Dates in an index of pandas that has no name are a column too, of the
    name that `timer_forecaster.frames.files.parquet` gives them.

    Parameters
    ----------
    path : Path

    Attributes
    ----------
    files : list of Path
    schema : pyarrow.Schema
    stored : dict of str to str
        Names in the files of those columns that have another name here.
    total : int
        Number of rows.

    Raises
    ------
    ValueError
        If there is no Parquet file, or one cannot be read. The error names it.
    ImportError
        If pyarrow is not installed.
    """

    unit = "row"

    def __init__(self, path: Path) -> None:
        require_pyarrow()
        import pyarrow as pa
        from pyarrow import dataset

        self.path = path
        self._root = path if path.is_dir() else path.parent
        self.files = _files_of(path) if path.is_dir() else [path]
        names = [str(file) for file in self.files]
        base = {"partition_base_dir": str(self._root), "partitioning": "hive"}
        with _naming(path):
            self._dataset = dataset.dataset(names, format="parquet", **base)
            self._counts = [one.count_rows() for one in self._dataset.get_fragments()]
            self.schema: pa.Schema = self._schema()
        self.total = sum(self._counts)
        self.stored: dict[str, str] = {}
        self.stored = self._dates_of_index()
        shown = {held: name for name, held in self.stored.items()}
        self.schema = pa.schema([f.with_name(shown.get(f.name, f.name)) for f in self.schema])

    def _schema(self) -> pa.Schema:
        """Return the columns of the first file; those that are empty in it have later types."""
        import pyarrow as pa

        schema = self._dataset.schema.remove_metadata()
        for place, field in enumerate(schema):
            if pa.types.is_null(field.type):
                held = (one.physical_schema for one in self._dataset.get_fragments())
                types = (one.field(field.name).type for one in held if field.name in one.names)
                filled = (kind for kind in types if not pa.types.is_null(kind))
                schema = schema.set(place, field.with_type(next(filled, field.type)))
        return schema

    def _dates_of_index(self) -> dict[str, str]:
        """Return names for the dates of an index without a name, and their names in the files."""
        levels = [name for name in self.schema.names if _INDEX.fullmatch(name)]
        if not levels:
            return {}
        frame = self._first(self.schema.names).to_pandas()
        own = frame.drop(columns=levels)
        new = [level for level in levels if is_new(pd.Index(frame[level]), own)]
        return dict(zip(free_names(self.schema.names), new, strict=False))

    def described(self) -> dict[str, Any]:
        """Return the names, sizes and numbers of rows of the files."""
        files = [
            [file.relative_to(self._root).as_posix(), file.stat().st_size, count]
            for file, count in zip(self.files, self._counts, strict=True)
        ]
        return {"data": files}

    def head(self) -> pa.Table:
        """Return all columns of the first rows."""
        return self._first([name for name in self.schema.names if not _INDEX.fullmatch(name)])

    def _first(self, columns: Sequence[str]) -> pa.Table:
        tables = (batch.table for batch in self.batches(columns))
        return next((table for table in tables if len(table)), self.schema.empty_table())

    def sorting(self, ids: Sequence[str]) -> str:
        """Return how the rows can be sorted by some columns, for an error."""
        names = ", ".join(map(repr, ids))
        return (
            f"sort the rows by {names}, for example by `polars.scan_parquet(...).sort([{names}], "
            "maintain_order=True).sink_parquet(...)`, or use `timer_forecaster.ray.forecast`, "
            "which takes rows in any order"
        )

    def batches(self, columns: Sequence[str]) -> Iterator[Batch]:
        """Yield some columns, and the number of rows so far.

        A row group is never in memory as a whole, however large it is.

        Raises
        ------
        ValueError
            If a file is damaged, or has columns of other types than the first one.
        """
        import pyarrow as pa
        from pyarrow import dataset, parquet

        schema, done = pa.schema([self.schema.field(name) for name in columns]), 0
        for fragment in self._dataset.get_fragments():
            keys = dataset.get_partition_keys(fragment.partition_expression)
            stored = [self.stored.get(name, name) for name in columns if name not in keys]
            with (
                _naming(fragment.path),
                parquet.ParquetFile(fragment.path, buffer_size=_BYTES) as file,
            ):
                for batch in _batches(file, stored):
                    done += len(batch)
                    yield Batch(_completed(batch, keys, schema, self.stored), done)


def _batches(file: parquet.ParquetFile, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """Yield some columns of a file, by a new reader for each few row groups.

    A reader of pyarrow keeps memory of each row group that it has read until it ends.
    """
    for groups in _portions(file.metadata):
        yield from file.iter_batches(_ROWS, groups, columns, use_threads=False)


def _portions(metadata: parquet.FileMetaData) -> Iterator[list[int]]:
    """Yield the numbers of neighboring row groups that have the rows of a batch together."""
    groups, rows = [], 0
    for number in range(metadata.num_row_groups):
        groups.append(number)
        rows += metadata.row_group(number).num_rows
        if rows >= _ROWS:
            yield groups
            groups, rows = [], 0
    if groups:
        yield groups


def _completed(
    batch: pa.RecordBatch, keys: dict[str, Any], schema: pa.Schema, stored: dict[str, str]
) -> pa.Table:
    """Return a batch with the columns that the names of folders hold, in the order of a schema."""
    import pyarrow as pa

    columns = []
    for field in schema:
        name = stored.get(field.name, field.name)
        if field.name in keys:
            value = pa.scalar(keys[field.name], field.type)
            columns.append(pa.repeat(value, len(batch)))
        elif name in batch.schema.names:
            columns.append(_cast(batch[name], field))
        else:
            columns.append(pa.nulls(len(batch), field.type))
    return pa.table(columns, schema=schema)


def _cast(values: pa.Array, field: pa.Field) -> pa.Array:
    """Return values with the type of a field; refuse a type that means something else.

    pyarrow reads the text "007" as the number 7, and clock times as instants of UTC.
    """
    import pyarrow as pa

    if not pa.types.is_null(values.type) and kind_of(values.type) != kind_of(field.type):
        raise pa.ArrowTypeError(
            f"column {field.name!r} is {values.type}, and {field.type} in the first file; write "
            "one type in all files"
        )
    return values.cast(field.type)


@contextmanager
def _naming(path: str | Path) -> Iterator[None]:
    """Name a file in errors of pyarrow."""
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, OSError) as error:
        raise ValueError(f"{path} cannot be read as Parquet: {error}") from error


def _files_of(folder: Path) -> list[Path]:
    """Return the Parquet files below a folder; names that begin with . or _ are no data."""
    found = [
        file
        for file in folder.rglob("*")
        if file.suffix.lower() in _SUFFIXES
        and not any(part.startswith((".", "_")) for part in file.relative_to(folder).parts)
        and file.is_file()
    ]
    if not found:
        raise ValueError(f"the folder {folder} holds no Parquet file")
    return sorted(found, key=_natural)


def _natural(path: Path) -> list[tuple[int, str]]:
    """Return a key that sorts numbers in names as numbers."""
    parts = re.split(r"(\d+)", path.as_posix())
    return [(int(part), "") if part.isdigit() else (0, part) for part in parts]
