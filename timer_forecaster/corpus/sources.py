"""Series one by one, from Parquet files: the sources of a corpus, or its shards."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from timer_forecaster.extras import missing_extra

try:
    import pyarrow as pa
    import pyarrow.parquet as pq
except ImportError as error:
    raise ImportError(missing_extra("a corpus needs pyarrow", "pretrain")) from error

from timer_forecaster.corpus.held_out import HELD_OUT
from timer_forecaster.corpus.manifest import MANIFEST_NAME, Manifest

__all__ = ["Array", "Series", "Source", "series_of"]

Array = npt.NDArray[np.float32]

_BATCH_POINTS = 1 << 20


class Series(NamedTuple):
    """One series of a data set.

    Parameters
    ----------
    dataset, item_id : str
        Names of the data set and of the series.
    values : ndarray, shape (steps,)
        NaN where missing.

    Examples
    --------
    >>> import numpy as np
    >>> from timer_forecaster.corpus.sources import Series
    >>> Series("waves", "a", np.arange(3.0)).values
    array([0., 1., 2.])
    """

    dataset: str
    item_id: str
    values: Array


class Source:
    """A Parquet file ``<dataset>__<frequency>.parquet`` with one series a row.

    Parameters
    ----------
    file : path
        Has the columns ``item_id`` and ``target`` (lists of numbers, NaN or null = missing), and
        ``freq``, if the frequency is not in the name of the file.

    Raises
    ------
    ValueError
        If the file is not Parquet, lacks a column, or has no lists of numbers as targets.

    Examples
    --------
    >>> from pathlib import Path
    >>> import numpy as np
    >>> import pandas as pd
    >>> from timer_forecaster.corpus.sources import Source
    >>> table = pd.DataFrame({"item_id": ["a", "b"], "target": [np.arange(5.0), np.ones(7)]})
    >>> table.to_parquet("waves__D.parquet")
    >>> [series.item_id for series in Source(Path("waves__D.parquet"))]
    ['a', 'b']
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self.name = file.stem
        self._parquet = _opened(file)
        missing = sorted({"item_id", "target"} - set(self._parquet.schema_arrow.names))
        if missing:
            raise ValueError(
                f"{file} has no column {', '.join(missing)}; a source has one series a row, with "
                "the columns item_id and target (a list of numbers)"
            )
        kind = self._parquet.schema_arrow.field("target").type
        if not _holds_numbers(kind):
            raise ValueError(f"{file}: target must be a list of numbers in each row, not {kind}")

    @property
    def rows(self) -> int:
        """Number of series, from the metadata of the file."""
        return int(self._parquet.metadata.num_rows)

    @property
    def points(self) -> int:
        """Number of values, from the metadata of the file."""
        metadata = self._parquet.metadata
        columns = [
            column
            for column in range(metadata.num_columns)
            if metadata.schema.column(column).path.split(".")[0] == "target"
        ]
        groups = range(metadata.num_row_groups)
        return sum(metadata.row_group(g).column(c).num_values for g in groups for c in columns)

    @property
    def frequency(self) -> str:
        """Frequency of the first row, or the text after ``__`` in the name of the file."""
        if "freq" in self._parquet.schema_arrow.names:
            for batch in self._parquet.iter_batches(batch_size=1, columns=["freq"]):
                return str(batch.column("freq")[0].as_py())
        return self.name.rpartition("__")[2]

    def __iter__(self) -> Iterator[Series]:
        """Yield the series; a few megabytes are in memory at a time."""
        for batch in batches(self._parquet, self.points, ["item_id", "target"]):
            names = batch.column("item_id").to_pylist()
            for name, values in zip(names, unpacked(batch.column("target")), strict=True):
                yield Series(self.name, str(name), values)


def series_of(folder: str | Path) -> Iterator[Series]:
    """Yield all series of a folder: a corpus, or source files.

    Parameters
    ----------
    folder : path
        A corpus of `build`, or a folder of files of `Source`.

    Yields
    ------
    Series
        In the order of the files.

    Raises
    ------
    ValueError
        If there is nothing to read, or a file cannot be read.

    Examples
    --------
    >>> from pathlib import Path
    >>> import numpy as np
    >>> import pandas as pd
    >>> from timer_forecaster.corpus.sources import series_of
    >>> Path("waves").mkdir()
    >>> table = pd.DataFrame({"item_id": ["a"], "target": [np.arange(5.0)]})
    >>> table.to_parquet("waves/waves__D.parquet")
    >>> [(series.item_id, len(series.values)) for series in series_of("waves")]
    [('a', 5)]
    """
    folder = Path(folder)
    if not (folder / MANIFEST_NAME).exists():
        for file in source_files(folder):
            yield from Source(file)
        return
    for shard in Manifest.read(folder).shards:
        parquet = _opened(folder / shard.name)
        for batch in batches(parquet, shard.points, ["dataset", "item_id", "target"]):
            names = (batch.column(name).to_pylist() for name in ("dataset", "item_id"))
            for dataset, item_id, values in zip(
                *names, unpacked(batch.column("target")), strict=True
            ):
                yield Series(dataset, item_id, values)


def source_files(folder: Path, exclude: Sequence[str] = ()) -> list[Path]:
    """List the Parquet files of a folder by name, without those whose stem is excluded.

    Raises
    ------
    ValueError
        If there is none, or a name to exclude is neither in the folder nor in `HELD_OUT`.
    """
    files = sorted(folder.glob("*.parquet"))
    if not files:
        raise ValueError(f"folder={str(folder)!r} holds no Parquet file (*.parquet)")
    known = {file.stem for file in files}
    unknown = sorted(set(exclude) - known - set(HELD_OUT))
    if unknown:
        raise ValueError(
            f"exclude: there is no data set {', '.join(unknown)}; there are "
            f"{', '.join(sorted(known))}"
        )
    return [file for file in files if file.stem not in exclude]


def _holds_numbers(kind: pa.DataType) -> bool:
    """Whether an Arrow type is of lists of numbers."""
    value = getattr(kind, "value_type", None)
    if value is None:
        return False
    number = pa.types.is_integer(value) or pa.types.is_floating(value)
    return number or pa.types.is_decimal(value) or pa.types.is_null(value)


def _opened(file: Path) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(file)
    except (pa.ArrowException, OSError) as error:
        raise ValueError(f"{file} cannot be read as Parquet: {error}") from error


def batches(parquet: pq.ParquetFile, points: int, columns: Sequence[str]) -> Iterator[Any]:
    """Yield record batches of about four megabytes of values each."""
    mean_points = points / max(1, parquet.metadata.num_rows)
    rows = max(1, int(_BATCH_POINTS / max(1.0, mean_points)))
    yield from parquet.iter_batches(batch_size=rows, columns=list(columns))


def unpacked(column: Any) -> Iterator[Array]:
    """Yield the rows of an Arrow column of lists of numbers."""
    values, lengths = flattened(column)
    for start, length in zip(np.cumsum(lengths) - lengths, lengths, strict=True):
        yield values[start : start + length]


def flattened(column: Any) -> tuple[Array, npt.NDArray[np.int64]]:
    """Return the values of an Arrow column of lists, end to end, and the length of each list."""
    lists = column.cast(pa.list_(pa.float32())).fill_null([])
    values = lists.flatten().to_numpy(zero_copy_only=False).astype(np.float32, copy=False)
    return values, lists.value_lengths().to_numpy(zero_copy_only=False).astype(np.int64)
