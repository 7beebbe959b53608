"""Search for runs of values that a corpus shares with other data, such as a benchmark.

Every window of the other data is hashed, and every window of the corpus is looked up: by its
values, and by its shape, which finds copies that were rescaled, shifted or turned upside down.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.ndimage import maximum_filter1d, minimum_filter1d

from timer_forecaster.corpus.sources import Array, Series, series_of

__all__ = ["EQUAL_RUN", "SHAPE_RUN", "SharedRun", "find_shared_runs"]

EQUAL_RUN = 12
"""Consecutive equal values that make a shared run."""

SHAPE_RUN = 32
"""Consecutive values of equal shape that make a shared run."""

Codes = npt.NDArray[np.uint64]
Mask = npt.NDArray[np.bool_]
Positions = npt.NDArray[np.int64]
Values = npt.NDArray[np.float64]

_CHUNK_POINTS = 1 << 17  # The arrays of a chunk stay in the caches of a processor.
_SMALL = 100
_SHAPE_LEVELS = 1000
_SHAPE_ERROR = 1e-4
_FILTER_BITS = 26
_FACTOR = np.uint64(0x9E3779B97F4A7C15)


class SharedRun(NamedTuple):
    """A stretch of a series of the corpus that another series contains.

    Parameters
    ----------
    dataset, item_id : str
        The series of the corpus.
    start : int
        First step in the row of the corpus.
    other_dataset, other_item_id : str
        The other series.
    other_start : int
        First step in the other row.
    length : int
        Steps.
    kind : {"equal", "rescaled"}

    Examples
    --------
    >>> from timer_forecaster.corpus.overlap import SharedRun
    >>> run = SharedRun("train", "a", 100, "test", "b", 0, 64, "equal")
    >>> run.start + run.length
    164
    """

    dataset: str
    item_id: str
    start: int
    other_dataset: str
    other_item_id: str
    other_start: int
    length: int
    kind: str


class _Chunk(NamedTuple):
    """Series end to end, with NaN after each, so that no window spans two of them."""

    values: Array
    starts: Positions
    series: list[Series]


def find_shared_runs(corpus: str | Path, other: str | Path) -> list[SharedRun]:
    """Find runs of values that two folders share.

    *Equal* runs have at least `EQUAL_RUN` consecutive float32 values in common. Runs with fewer
    than six distinct values in twelve, or of whole numbers below 100 alone, are trivial and not
    looked for: counts of rare events agree by chance.

    *Rescaled* runs have at least `SHAPE_RUN` consecutive values that agree, up to a factor of
    either sign and a constant, to a ten-thousandth of their range. Runs with fewer than sixteen
    distinct values in 32, straight lines, and runs that vary by less than a hundredth of their
    level (float32 is too coarse for those) are not looked for. A shape is hashed in steps of a
    thousandth of the range: a copy of exactly 32 values may be missed, a copy of 64 is found.

    Values that were averaged, summed or interpolated over time are not recognized.

    Parameters
    ----------
    corpus, other : path
        A corpus written by `build`, or source files. The second is held in memory, with about 50
        bytes a point. 47 million points are searched for 11 million in half a minute.

    Returns
    -------
    list of SharedRun
        Neighboring windows are joined; the longest run comes first. A run with several places in
        the other folder appears once.

    Examples
    --------
    >>> from pathlib import Path
    >>> import numpy as np
    >>> import pandas as pd
    >>> from timer_forecaster.corpus.overlap import find_shared_runs
    >>> walk = np.random.default_rng(0).normal(size=300).cumsum()
    >>> for folder, values in (("train", walk), ("test", walk[100:200])):
    ...     Path(folder).mkdir()
    ...     table = pd.DataFrame({"item_id": ["a"], "target": [values]})
    ...     table.to_parquet(f"{folder}/{folder}__D.parquet")
    >>> [(run.kind, run.start, run.length) for run in find_shared_runs("train", "test")]
    [('equal', 100, 100), ('rescaled', 100, 100)]
    """
    chunk = _joined(series_of(other))
    indices = [_Index(chunk, _EQUAL), _Index(chunk, _SHAPE)]
    runs = [
        run for part in _chunks(series_of(corpus)) for index in indices for run in index.runs(part)
    ]
    return sorted(runs, key=lambda run: -run.length)


def _chunks(series: Iterable[Series]) -> Iterator[_Chunk]:
    waiting: list[Series] = []
    points = 0
    for one in series:
        waiting.append(one)
        points += len(one.values)
        if points >= _CHUNK_POINTS:
            yield _joined(waiting)
            waiting, points = [], 0
    if waiting:
        yield _joined(waiting)


def _joined(series: Iterable[Series]) -> _Chunk:
    rows = list(series)
    gap, end = np.full(1, np.nan, np.float32), np.full(SHAPE_RUN, np.nan, np.float32)
    values = np.concatenate([*(part for row in rows for part in (row.values, gap)), end])
    lengths = np.array([len(row.values) + 1 for row in rows])
    # The rest needs names and starts only.
    names = [row._replace(values=gap) for row in rows]
    return _Chunk(values, np.cumsum(lengths) - lengths, names)


class _Kind(NamedTuple):
    """A comparison of windows of a number of steps."""

    name: str
    run: int
    code: Callable[[Array], tuple[Codes, Mask]]
    """Return the hash of the window from each step, and whether to look for it."""

    agree: Callable[[Array, Array], Mask]
    """Return whether windows (n, run) and (n, run) of equal hash are equal."""


class _Index:
    """The windows of the other data, sorted by their hash."""

    def __init__(self, other: _Chunk, kind: _Kind) -> None:
        self._other, self._kind = other, kind
        starts = range(0, len(other.values) - kind.run + 1, _CHUNK_POINTS)
        parts = [self._usable(start) for start in starts]
        positions, codes = (np.concatenate(column) for column in zip(*parts, strict=True))
        order = np.argsort(codes)
        self._positions, self._codes = positions[order], codes[order]
        # These few bits rule out most windows of a corpus without a search.
        self._known = np.zeros(1 << _FILTER_BITS, dtype=bool)
        self._known[_leading_bits(self._codes)] = True

    def _usable(self, start: int) -> tuple[Positions, Codes]:
        """Positions and hashes of the windows that start in one part of the other data."""
        end = start + _CHUNK_POINTS + self._kind.run - 1
        codes, usable = self._kind.code(self._other.values[start:end])
        inside = np.flatnonzero(usable)
        return start + inside, codes[inside]

    def runs(self, part: _Chunk) -> Iterator[SharedRun]:
        """Yield the shared runs of a part of the corpus."""
        if not len(self._codes):
            return
        codes, usable = self._kind.code(part.values)
        here = np.flatnonzero(usable & self._known[_leading_bits(codes)])
        place = np.searchsorted(self._codes, codes[here]).clip(max=len(self._codes) - 1)
        found = self._codes[place] == codes[here]
        here, there = here[found], self._positions[place[found]]
        steps = np.arange(self._kind.run)
        agree = self._kind.agree(
            part.values[here[:, None] + steps], self._other.values[there[:, None] + steps]
        )
        yield from self._joined_runs(part, here[agree], there[agree])

    def _joined_runs(self, part: _Chunk, here: Positions, there: Positions) -> Iterator[SharedRun]:
        """Join windows that follow or overlap each other in both series."""
        pace = np.diff(here)
        breaks = np.flatnonzero((pace != np.diff(there)) | (pace > self._kind.run)) + 1
        for first, last in pairwise([0, *breaks, len(here)]):
            if first < last:
                length = int(here[last - 1] - here[first]) + self._kind.run
                place, other_place = (
                    _located(part, here[first]),
                    _located(self._other, there[first]),
                )
                yield SharedRun(*place, *other_place, length, self._kind.name)


def _located(chunk: _Chunk, position: int) -> tuple[str, str, int]:
    number = int(np.searchsorted(chunk.starts, position, side="right")) - 1
    series = chunk.series[number]
    return series.dataset, series.item_id, int(position - chunk.starts[number])


def _leading_bits(codes: Codes) -> Positions:
    return (codes >> np.uint64(64 - _FILTER_BITS)).astype(np.int64)


def _equal_codes(values: Array) -> tuple[Codes, Mask]:
    bits = (values + np.float32(0)).view(np.uint32)  # -0.0 becomes 0.0
    small = (values == np.round(values)) & (np.abs(values) < _SMALL)
    usable = _all(np.isfinite(values), EQUAL_RUN) & ~_all(small, EQUAL_RUN)
    usable &= _distinct(values, EQUAL_RUN) >= EQUAL_RUN // 2
    return _hashed((bits[k:] for k in range(EQUAL_RUN)), len(usable)), usable


def _equal_agree(here: Array, there: Array) -> Mask:
    return np.all(here == there, axis=1)


def _shape_codes(values: Array) -> tuple[Codes, Mask]:
    run, count = SHAPE_RUN, len(values) - SHAPE_RUN + 1
    exact = np.nan_to_num(values.astype(np.float64))
    low = minimum_filter1d(exact, run, origin=-(run // 2))[:count]
    high = maximum_filter1d(exact, run, origin=-(run // 2))[:count]
    bend = maximum_filter1d(np.abs(np.diff(exact, 2)), run - 2, origin=-(run // 2 - 1))[:count]
    span = high - low
    usable = _all(np.isfinite(values), run) & (_distinct(values, run) >= run // 2)
    usable &= (span > 0.01 * np.maximum(np.abs(low), np.abs(high))) & (bend > 0.01 * span)
    # A shape is upright if its last value is not below its first.
    upright = exact[:count] <= exact[run - 1 :]
    base, signed = np.where(upright, low, high), np.where(upright, span, -span)
    scale = np.divide(_SHAPE_LEVELS, signed, out=np.zeros(count), where=usable)
    return _hashed(_levels(exact, base, scale), count), usable


def _levels(exact: Values, base: Values, scale: Values) -> Iterator[Codes]:
    """Yield the levels of the first values of all windows, then of the second ones, and so on."""
    level = np.empty_like(base)
    for k in range(SHAPE_RUN):
        np.subtract(exact[k : k + len(base)], base, out=level)
        level *= scale
        np.rint(level, out=level)
        yield level.astype(np.int64).view(np.uint64)


def _shape_agree(here: Array, there: Array) -> Mask:
    return np.all(np.abs(_shape(here) - _shape(there)) < _SHAPE_ERROR, axis=1)


def _shape(windows: Array) -> Values:
    exact = windows.astype(np.float64)
    low, high = exact.min(axis=1, keepdims=True), exact.max(axis=1, keepdims=True)
    upright = exact[:, :1] <= exact[:, -1:]
    return np.where(upright, exact - low, high - exact) / (high - low)


_EQUAL = _Kind("equal", EQUAL_RUN, _equal_codes, _equal_agree)
_SHAPE = _Kind("rescaled", SHAPE_RUN, _shape_codes, _shape_agree)


def _hashed(columns: Iterable[npt.NDArray[Any]], count: int) -> Codes:
    """Hash windows of whole numbers: arrays of their first values, second values, and so on."""
    codes = np.zeros(count, np.uint64)
    for column in columns:
        codes *= _FACTOR
        codes += column[:count].astype(np.uint64, copy=False)
    codes ^= codes >> np.uint64(32)
    codes *= _FACTOR
    return codes


def _all(mask: Mask, run: int) -> Mask:
    """Return for each first step whether a window of `run` steps is true throughout."""
    count = np.concatenate([[0], np.cumsum(mask)])
    return np.equal(count[run:] - count[:-run], run)


def _distinct(values: Array, run: int) -> npt.NDArray[np.int8]:
    """Return for each first step the number of distinct values in a window of `run` steps."""
    since = np.full(len(values), run, np.int8)  # steps since the same value last occurred
    for lag in range(run - 1, 0, -1):
        np.copyto(since[lag:], lag, where=values[lag:] == values[:-lag])
    count = len(values) - run + 1
    distinct = np.full(count, run, np.int8)
    for step in range(1, run):
        distinct -= since[step : step + count] <= step
    return distinct
