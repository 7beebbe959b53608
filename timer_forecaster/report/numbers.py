"""Numbers and times of pictures in few bytes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from timer_forecaster.arrays import FloatArray

FINENESS = 5000
"""Least number of rounding steps in the range of what is drawn together."""

_SMALLEST = -300  # decimal exponent; below it are numbers that floats hold in part


def scale_of(arrays: Sequence[FloatArray]) -> tuple[int, int]:
    """Return the decimal exponent to round values by, and a whole number to count from.

    A value is written as ``round(value / 10**exponent) - base``.

    Parameters
    ----------
    arrays : sequence of ndarray
        Values that share a picture; those that are not finite do not matter.

    Examples
    --------
    >>> scale_of([np.array([1000000.0, 1000001.0])])
    (-4, 10000000000)
    """
    finite = [array[np.isfinite(array)] for array in arrays]
    finite = [array for array in finite if array.size]
    if not finite:
        return 0, 0
    low = min(float(array.min()) for array in finite)
    high = max(float(array.max()) for array in finite)
    size = max(abs(low), abs(high))
    extent = high / 2 - low / 2
    extent = 2 * extent if extent < 1e300 else extent
    exponent = _SMALLEST
    if size:
        # Floats have 16 digits: what differs in later ones alone is no range.
        extent = max(extent, size * 1e-9) if extent else size
        exponent = max(_SMALLEST, math.floor(math.log10(extent / FINENESS)))
    return exponent, round(low / 10.0**exponent)


def rounded(values: FloatArray, scale: tuple[int, int]) -> list[int | None]:
    """Return values as whole numbers on a scale, None where they are not finite.

    Examples
    --------
    >>> rounded(np.array([1.234, np.nan]), (-2, 100))
    [23, None]
    """
    exponent, base = scale
    finite = np.isfinite(values)
    whole = np.rint(np.where(finite, values, 0.0) / 10.0**exponent).tolist()
    return [
        int(one) - base if is_there else None
        for one, is_there in zip(whole, finite.tolist(), strict=True)
    ]


def as_counts(times: pd.Index) -> tuple[NDArray[np.int64], str]:
    """Return times as whole numbers, and how to write them.

    Dates are milliseconds since 1970 on the clock that they show. They are written as
    ``"month"``, ``"day"``, ``"minute"`` or ``"second"`` by the finest part that is not at its
    start; other times are a ``"number"``.

    Examples
    --------
    >>> counts, unit = as_counts(pd.date_range("2024-01-01", periods=3, freq="MS"))
    >>> unit, np.diff(counts).tolist()
    ('month', [2678400000, 2505600000])
    """
    if isinstance(times, pd.PeriodIndex):
        times = times.to_timestamp()
    if not isinstance(times, pd.DatetimeIndex):
        return times.to_numpy().astype(np.int64), "number"
    wall = times.tz_localize(None) if times.tz is not None else times
    counts = wall.as_unit("ms").asi8
    if len(counts) and (counts % 60_000).any():
        return counts, "second"
    if len(counts) and (counts % 86_400_000).any():
        return counts, "minute"
    return counts, "day" if (wall.day != 1).any() else "month"


def in_runs(counts: NDArray[np.int64]) -> dict[str, Any]:
    """Return whole numbers as a start and runs of equal steps, in units of ``g``.

    Examples
    --------
    >>> in_runs(np.array([10, 20, 30, 60]))
    {'s': 10, 'g': 10, 'r': [[1, 2], [3, 1]]}
    """
    steps = np.diff(counts)
    unit = int(np.gcd.reduce(steps)) or 1 if len(steps) else 1
    steps = steps // unit
    ends = np.flatnonzero(np.diff(steps)) + 1
    bounds = [0, *ends.tolist(), len(steps)] if len(steps) else [0]
    runs = [[int(steps[i]), j - i] for i, j in pairwise(bounds)]
    return {"s": int(counts[0]) if len(counts) else 0, "g": unit, "r": runs}


def low_and_high(values: FloatArray, size: int) -> tuple[FloatArray, FloatArray]:
    """Return the lowest and the highest value of blocks of so many values, NaN without any.

    Examples
    --------
    >>> low, high = low_and_high(np.array([1.0, 3.0, np.nan, np.nan]), 2)
    >>> low.tolist(), high.tolist()
    ([1.0, nan], [3.0, nan])
    """
    blocks = values[: len(values) // size * size].reshape(-1, size)
    low = np.min(blocks, axis=1, initial=np.inf, where=np.isfinite(blocks))
    high = np.max(blocks, axis=1, initial=-np.inf, where=np.isfinite(blocks))
    return np.where(np.isfinite(low), low, np.nan), np.where(np.isfinite(high), high, np.nan)
