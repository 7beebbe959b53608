"""The times of many series in one index, so that all are read in few operations.

The times of a series are called an axis. A time is held as its stamp: an integer in the unit of
its index.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Stamps = NDArray[np.int64]


class Axes(Sequence[pd.Index]):
    """Axes of one type, none of them empty. Each is cut from the index of all when it is asked for.

    Parameters
    ----------
    joined : pandas.Index
        The times of the first axis, then of the second, and so on.
    bounds : ndarray of int, shape (axes + 1,)
        Of the axes in it.

    Examples
    --------
    >>> axes = Axes(pd.Index([3, 5, 7, 1, 2]), np.array([0, 3, 5]))
    >>> axes[1].tolist(), axes.lasts.tolist(), axes.distances.tolist()
    ([1, 2], [7, 2], [2, 2, 0, 1, 0])
    """

    def __init__(self, joined: pd.Index, bounds: NDArray[np.intp]) -> None:
        self.joined, self.bounds = joined, bounds
        self._cut: dict[int, pd.Index] = {}

    @classmethod
    def of(cls, axes: Sequence[pd.Index]) -> Axes:
        """Join axes of one type; one that is alone remains as it is."""
        first, *others = axes
        made = cls(first.append(others), np.cumsum([0, *map(len, axes)]).astype(np.intp))
        made._cut = dict(enumerate(axes))
        return made

    def __len__(self) -> int:
        """Return the number of axes."""
        return len(self.bounds) - 1

    def __getitem__(self, number: Any) -> Any:
        """Return an axis, or a list of some."""
        if isinstance(number, slice):
            return [self[i] for i in range(*number.indices(len(self)))]
        place = range(len(self))[number]
        if place not in self._cut:
            self._cut[place] = self.joined[self.bounds[place] : self.bounds[place + 1]]
        return self._cut[place]

    def take(self, numbers: NDArray[np.intp]) -> Axes:
        """Return some of the axes."""
        if np.array_equal(numbers, np.arange(len(self))):
            return self
        sizes = self.sizes[numbers]
        bounds = np.append(0, np.cumsum(sizes)).astype(np.intp)
        rows = np.arange(bounds[-1]) + np.repeat(self.starts[numbers] - bounds[:-1], sizes)
        taken = Axes(self.joined.take(rows), bounds)
        taken._cut = {i: self._cut[n] for i, n in enumerate(numbers.tolist()) if n in self._cut}
        return taken

    @property
    def starts(self) -> NDArray[np.intp]:
        """Place of the first time of each axis."""
        return self.bounds[:-1]

    @property
    def sizes(self) -> NDArray[np.intp]:
        """Number of times of each axis."""
        return np.diff(self.bounds)

    @cached_property
    def stamps(self) -> Stamps:
        """Stamps of all times."""
        return stamps_of(self.joined)

    @property
    def firsts(self) -> Stamps:
        """Stamp of the first time of each axis."""
        return self.stamps[self.starts]

    @property
    def lasts(self) -> Stamps:
        """Stamp of the last time of each axis."""
        return self.stamps[self.bounds[1:] - 1]

    @cached_property
    def distances(self) -> Stamps:
        """Distance of each time to the next one of its axis; 0 after the last."""
        found = np.append(np.diff(self.stamps), 0)
        found[self.bounds[1:] - 1] = 0
        return found

    def shortest(self) -> Stamps:
        """Return the shortest distance in each axis; of a single time the largest integer."""
        found = self.distances.copy()
        found[self.bounds[1:] - 1] = np.iinfo(np.int64).max
        return self.each(np.minimum, found)

    def each(self, reduction: np.ufunc, values: NDArray[Any]) -> NDArray[Any]:
        """Reduce a value for each time to one for each axis."""
        return reduction.reduceat(values, self.starts)

    def spread(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return for each time the value of its axis."""
        return np.repeat(values, self.sizes)


def alike(axes: Sequence[pd.Index]) -> list[tuple[NDArray[np.intp], Axes]]:
    """Return axes by their type: the numbers of those of one type, and these together."""
    if not len(axes):
        return []
    if isinstance(axes, Axes):
        return [(np.arange(len(axes)), axes)]
    groups: dict[Any, list[int]] = {}
    for number, axis in enumerate(axes):
        groups.setdefault(axis.dtype, []).append(number)
    return [
        (np.array(numbers, dtype=np.intp), Axes.of([axes[i] for i in numbers]))
        for numbers in groups.values()
    ]


def chosen(
    axes: Sequence[pd.Index], numbers: Sequence[int] | NDArray[np.intp]
) -> Sequence[pd.Index]:
    """Return some axes."""
    if isinstance(axes, Axes):
        return axes.take(np.asarray(numbers, dtype=np.intp))
    return [axes[i] for i in numbers]


def last_times(axes: Axes) -> list[pd.Index]:
    """Return an index of the last time of each axis; axes that end together share it."""
    _, first, which = np.unique(axes.lasts, return_index=True, return_inverse=True)
    ends = axes.joined.take(axes.bounds[1:][first] - 1)
    cut = [ends[i : i + 1] for i in range(len(ends))]
    return [cut[i] for i in which.tolist()]


def sizes_of(axes: Sequence[pd.Index]) -> list[int]:
    """Return the number of times of each axis."""
    return axes.sizes.tolist() if isinstance(axes, Axes) else [len(axis) for axis in axes]


def most_common(axes: Axes) -> Stamps:
    """Return the most common distance in each axis of two times or more; of several the shortest.

    Examples
    --------
    >>> most_common(Axes.of([pd.Index([1, 2, 3, 5, 7])])).tolist()
    [1]
    """
    return most_common_of(axes, axes.distances)


def most_common_of(axes: Axes, values: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the most common value in each axis but for its last time; of several the least."""
    inner = np.ones(len(values), dtype=bool)
    inner[axes.bounds[1:] - 1] = False
    owner, own = axes.spread(np.arange(len(axes)))[inner], values[inner]
    order = np.lexsort((own, owner))
    owner, own = owner[order], own[order]
    begins = np.flatnonzero(np.append(True, (np.diff(owner) != 0) | (np.diff(own) != 0)))
    counts = np.diff(np.append(begins, len(own)))
    owner, own = owner[begins], own[begins]
    best = np.lexsort((own, -counts, owner))
    first = np.flatnonzero(np.append(True, np.diff(owner[best]) != 0))
    return own[best[first]]


def stamps_of(times: pd.Index) -> Stamps:
    """Return the stamps of times."""
    if isinstance(times, pd.DatetimeIndex | pd.PeriodIndex):
        return times.asi8
    return times.to_numpy(dtype=np.int64)


def index_of(stamps: Stamps, like: pd.Index) -> pd.Index:
    """Return an index of stamps, of the kind of another index."""
    if isinstance(like, pd.PeriodIndex):
        return cast(Any, pd.PeriodIndex).from_ordinals(stamps, freq=like.freq)
    if isinstance(like, pd.DatetimeIndex):
        naive = pd.DatetimeIndex(stamps.view(f"M8[{like.unit}]"))
        return naive if like.tz is None else naive.tz_localize("UTC").tz_convert(like.tz)
    return pd.Index(stamps)
