"""Build a corpus: from source files to shuffled, compressed Parquet shards and a manifest.

The series are scattered at random over scratch files that fit into memory. The scratch files are
then read in turn, shuffled and written. This shuffles the whole corpus uniformly at bounded memory,
so every shard is a fair sample of all data sets.
"""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import math
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet as pq
from tqdm import tqdm

from timer_forecaster import __version__
from timer_forecaster.checks import check_integer
from timer_forecaster.corpus.curation import Curation, trimmed
from timer_forecaster.corpus.excerpt import Excerpt
from timer_forecaster.corpus.held_out import HELD_OUT, HELD_OUT_SERIES
from timer_forecaster.corpus.manifest import DatasetEntry, Manifest, ShardEntry
from timer_forecaster.corpus.sources import Array, Series, Source, source_files
from timer_forecaster.files import check_new_folder, make_folder, whole_folder

__all__ = ["LONGEST_ROW", "build"]

LONGEST_ROW = 1 << 18
"""Largest number of points in a row. Longer series are cut, so that shards stay alike."""

_SCHEMA = pa.schema(
    [("dataset", pa.string()), ("item_id", pa.string()), ("target", pa.list_(pa.float32()))]
)
_GROUP_POINTS = 1 << 21
_MEGABYTE = 10**6


def build(
    source: str | Path,
    out: str | Path,
    exclude: Sequence[str] = HELD_OUT,
    exclude_series: Sequence[str] = HELD_OUT_SERIES,
    curation: Curation | None = None,
    shard_megabytes: float = 50.0,
    memory_megabytes: float = 256.0,
    seed: int = 0,
    excerpt: Excerpt | None = None,
    progress: bool = False,
) -> Manifest:
    """Write the series of a folder as a corpus: Parquet shards and ``manifest.json``.

    The same source, settings and versions give the same bytes.

    Parameters
    ----------
    source : path
        Holds one file ``<dataset>__<frequency>.parquet`` per data set, see `sources.Source`.
    out : path
        Folder to write, absent or empty. It stays empty until the corpus is complete; a hidden
        folder beside it holds shards and scratch files meanwhile.
    exclude : str or sequence of str
        Data sets to leave out: stems of source files. Default: `HELD_OUT`, whose data sets may be
        absent.
    exclude_series : str or sequence of str
        Values of ``item_id`` to leave out. Default: `HELD_OUT_SERIES`.
    curation : Curation, optional
        Rules for the series. Default: trim them, and drop constant and hardly observed ones.
    shard_megabytes : float
        Approximate size of a shard (10^6 bytes, compressed). All have about equally many points.
    memory_megabytes : float
        Approximate memory for the series that wait to be written.
    seed : int
        Seed of the shuffle, at least 0.
    excerpt : Excerpt, optional
        Bounds of what each data set may add, for a small corpus. Default: all of it.
    progress : bool
        Show a progress bar.

    Returns
    -------
    Manifest

    Raises
    ------
    ValueError
        If the source holds nothing to keep, a file cannot be read, a data set to leave out is
        unknown, or `out` is not empty.

    Examples
    --------
    >>> from pathlib import Path
    >>> import numpy as np
    >>> import pandas as pd
    >>> from timer_forecaster.corpus.shards import build
    >>> Path("source").mkdir()
    >>> waves = [np.sin(np.arange(200.0) / period) for period in (3, 4, 5)]
    >>> table = pd.DataFrame({"item_id": ["a", "b", "c"], "target": waves})
    >>> table.to_parquet("source/waves__D.parquet")
    >>> manifest = build("source", "corpus")
    >>> manifest.points
    600
    """
    seed = check_integer("seed", seed, 0)
    sources = _sources(Path(source), _names(exclude))
    _check_sizes(shard=shard_megabytes, memory=memory_megabytes)
    _check_empty(Path(out))
    settings = {
        "exclude": _names(exclude),
        "exclude_series": _names(exclude_series),
        "curation": None if curation is None else dataclasses.asdict(curation),
        "shard_megabytes": shard_megabytes,
        "memory_megabytes": memory_megabytes,
        "seed": seed,
        "version": __version__,
    }
    if excerpt is not None:  # manifests of whole data sets stay as they were
        settings["excerpt"] = dataclasses.asdict(excerpt)
    rules = _Rules(frozenset(_names(exclude_series)), excerpt or Excerpt(), curation, seed)
    with whole_folder(out) as folder:
        with tempfile.TemporaryDirectory(dir=folder, prefix="scratch-") as scratch:
            points = sum(source.points for source in sources)
            heap = _Shuffler(Path(scratch), points, memory_megabytes, seed)
            shown = tqdm(sources, "gathering", disable=not progress)
            datasets = tuple(_gather(one, heap, rules) for one in shown)
            if not heap.points:
                raise ValueError(f"source={str(source)!r}: not one of its series can be kept")
            shards = tuple(_write_shards(heap, folder, shard_megabytes * _MEGABYTE))
        manifest = Manifest(shards, datasets, settings)
        manifest.write(folder)
    return manifest


def _names(given: Sequence[str]) -> list[str]:
    """Return names as texts, as those of series are; one text is one name."""
    return [given] if isinstance(given, str) else [str(name) for name in given]


def _sources(folder: Path, exclude: Sequence[str]) -> list[Source]:
    files = source_files(folder, exclude)
    if not files:
        raise ValueError(f"source={str(folder)!r}: exclude leaves none of its data sets")
    return [Source(file) for file in files]


def _check_sizes(**megabytes: float) -> None:
    for name, size in megabytes.items():
        if not size > 0:
            raise ValueError(f"{name}_megabytes={size!r} must be positive")


def _check_empty(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ValueError(f"out={str(folder)!r} is not an empty folder: remove it or name another")
    check_new_folder(make_folder(folder))


class _Rules(NamedTuple):
    """Which series of a data set are kept, and which of their values."""

    unwanted: frozenset[str]
    excerpt: Excerpt
    curation: Curation | None
    seed: int

    def __call__(self, series: Series, chosen: bool) -> tuple[Array | None, str, Counter[str]]:
        """Return the values kept, or None and the reason; and counts of changed values."""
        if series.item_id in self.unwanted:
            return None, "held out", Counter()
        if not chosen:
            return None, "not chosen", Counter()
        values = self.excerpt.cut(series.values)
        return (*trimmed(values), Counter()) if self.curation is None else self.curation(values)


def _gather(source: Source, heap: _Shuffler, rules: _Rules) -> DatasetEntry:
    """Put the series kept of a source on the heap, and return its entry of the manifest."""
    kept: Counter[str] = Counter(series=0, points=0, missing=0)
    found: Counter[str] = Counter(series=0, points=0)
    dropped: Counter[str] = Counter()
    changed: Counter[str] = Counter()
    chosen = rules.excerpt.chosen(source.rows, source.name, rules.seed)
    for series, is_chosen in zip(source, chosen, strict=True):
        found.update(series=1, points=len(series.values))
        values, reason, changes = rules(series, bool(is_chosen))
        if values is None:
            dropped[reason] += 1
            continue
        changed.update(changes)
        for piece in _pieces(values):
            heap.add(source.name, series.item_id, piece)
            kept.update(series=1, points=len(piece), missing=int(np.isnan(piece).sum()))
    return DatasetEntry(
        name=source.name,
        frequency=source.frequency,
        source=_provenance(source.file),
        series_found=found["series"],
        points_found=found["points"],
        dropped_series=dict(dropped),
        changed_points=dict(changed),
        **kept,
    )


def _pieces(values: Array) -> Iterator[Array]:
    """Cut a long series into equal pieces, and leave out pieces without variation."""
    for part in np.array_split(values, math.ceil(len(values) / LONGEST_ROW)):
        piece, _ = trimmed(part)
        if piece is not None:
            yield piece


def _provenance(file: Path) -> dict[str, Any]:
    return {"file": file.name, "bytes": file.stat().st_size, "sha256": digest(file)}


def digest(file: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


class _Shuffler:
    """A heap of series on disk that returns them in random order.

    An eighth of the memory holds the series on their way to the scratch files. A scratch file has
    about the same size, because Arrow holds it several times while it is shuffled.
    """

    def __init__(self, folder: Path, points: int, memory_megabytes: float, seed: int) -> None:
        self.points = 0
        self._limit = int(memory_megabytes * _MEGABYTE / 8)
        self._files = [
            folder / f"{number}.arrow" for number in range(1 + 4 * points // self._limit)
        ]
        self._waiting: list[list[tuple[str, str, Array]]] = [[] for _ in self._files]
        self._waiting_bytes = 0
        self._seed = seed
        self._rng = np.random.default_rng(seed)

    def add(self, dataset: str, item_id: str, values: Array) -> None:
        """Put a series on the heap."""
        self._waiting[self._rng.integers(len(self._files))].append((dataset, item_id, values))
        self.points += len(values)
        self._waiting_bytes += values.nbytes
        if self._waiting_bytes > self._limit:
            self._flush()

    def tables(self) -> Iterator[pa.Table]:
        """Yield tables of `_SCHEMA`, each a random sample in random order; the heap is kept."""
        self._flush()
        for number, file in enumerate(self._files):
            if file.exists():
                table = pa.concat_tables(_streams(file))
                order = np.random.default_rng([self._seed, number]).permutation(len(table))
                yield table.take(pa.array(order))

    def _flush(self) -> None:
        for file, rows in zip(self._files, self._waiting, strict=True):
            if rows:
                with file.open("ab") as stream, pa.ipc.new_stream(stream, _SCHEMA) as writer:
                    writer.write_table(_table(rows))
                rows.clear()
        self._waiting_bytes = 0


def _table(rows: Sequence[tuple[str, str, Array]]) -> pa.Table:
    names, items, values = zip(*rows, strict=True)
    ends = np.cumsum([0, *(len(each) for each in values)], dtype=np.int32)
    target = pa.ListArray.from_arrays(ends, np.concatenate(values))
    return pa.table([names, items, target], schema=_SCHEMA)


def _streams(file: Path) -> Iterator[pa.Table]:
    """Read the Arrow streams in a file, one after the other."""
    size = file.stat().st_size
    with pa.OSFile(str(file)) as stream:
        while stream.tell() < size:
            yield pa.ipc.open_stream(stream).read_all()


def _write_shards(heap: _Shuffler, folder: Path, shard_bytes: float) -> Iterator[ShardEntry]:
    """Write shards of the wanted size, with about equally many points each."""
    count = max(1, round(heap.points * _bytes_per_point(heap, folder) / shard_bytes))
    labeled = itertools.groupby(_groups(heap, count), key=itemgetter(0))
    for number, (_, groups) in enumerate(labeled):
        yield _write_shard(folder / f"shard-{number:05d}.parquet", (table for _, table in groups))


def _bytes_per_point(heap: _Shuffler, folder: Path) -> float:
    """Measure the compression of the values on a part of the heap."""
    with tempfile.TemporaryFile(dir=folder) as file:
        points, _ = _write_groups(file, itertools.islice(heap.tables(), 1))
        return file.tell() / points


def _groups(heap: _Shuffler, count: int) -> Iterator[tuple[int, pa.Table]]:
    """Yield row groups of the heap with the number of their shard, by their first point."""
    written = 0
    for table in heap.tables():
        starts = written + np.concatenate([[0], _ends(table)[:-1]])
        shard = starts * count // heap.points
        changes = np.diff(shard) + np.diff(starts // _GROUP_POINTS)
        cuts = [0, *np.flatnonzero(changes) + 1, len(table)]
        for start, end in itertools.pairwise(cuts):
            yield int(shard[start]), table.slice(start, end - start)
        written += int(_ends(table)[-1])


def _ends(table: pa.Table) -> npt.NDArray[np.int64]:
    """Return the number of points of the table up to the end of each row."""
    lengths = pa.compute.list_value_length(table.column("target")).to_numpy()
    return np.cumsum(lengths, dtype=np.int64)


def _write_groups(file: IO[bytes], groups: Iterable[pa.Table]) -> tuple[int, Counter[str]]:
    """Write tables as row groups of a Parquet file; count its points and each data set's rows."""
    points, rows = 0, Counter[str]()
    writer = pq.ParquetWriter(
        file,
        _SCHEMA,
        compression="zstd",
        use_dictionary=["dataset"],
        # Measured values take a fifth less space than with dictionaries, and less time.
        column_encoding={"target.list.element": "BYTE_STREAM_SPLIT"},
    )
    with writer:
        for table in groups:
            writer.write_table(table)
            rows.update(table.column("dataset").to_pylist())
            points += int(_ends(table)[-1])
    return points, rows


def _write_shard(file: Path, groups: Iterable[pa.Table]) -> ShardEntry:
    with file.open("wb") as stream:
        points, rows = _write_groups(stream, groups)
    return ShardEntry(
        name=file.name,
        sha256=digest(file),
        bytes=file.stat().st_size,
        rows=rows.total(),
        points=points,
        datasets=dict(sorted(rows.items())),
    )
