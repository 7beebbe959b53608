"""Values of series, of any shape and scale, with missing values."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchmarks.fuzz.draw import Draw
from benchmarks.fuzz.product import LONGEST

Floats = NDArray[np.float64]


def some_length(draw: Draw) -> int:
    """Return the length of a series: mostly short, sometimes one point, or beyond the context."""
    least, most = draw.weighted(
        {(1, 1): 4, (2, 3): 5, (4, 15): 15, (16, 90): 64, (91, 300): 10, (480, 700): 2}
    )
    return draw.integer(least, most)


def pattern(draw: Draw, n: int) -> Floats:
    """Return n values of a common shape, of the size of one."""
    steps, rng = np.arange(n, dtype=np.float64), draw.rng
    kind = draw.pick(
        ["walk", "noise", "season", "trend", "steps", "spikes", "sparse", "two", "constant"]
    )
    if kind == "walk":
        return rng.normal(size=n).cumsum()
    if kind == "noise":
        return rng.normal(size=n)
    if kind == "season":
        return np.sin(2 * np.pi * steps / draw.integer(2, 24)) + 0.1 * rng.normal(size=n)
    if kind == "trend":
        return steps / max(n, 1) * draw.number(-3, 3)
    if kind == "steps":
        return np.repeat(rng.normal(size=n // 5 + 1), 5)[:n]
    if kind == "spikes":
        return np.where(rng.random(n) < 0.05, rng.normal(size=n) * 1e3, rng.normal(size=n))
    if kind == "sparse":
        return np.where(rng.random(n) < 0.2, rng.integers(1, 9, n), 0).astype(np.float64)
    if kind == "two":
        return rng.integers(0, 2, n).astype(np.float64)
    return np.full(n, draw.pick([0.0, 1.0, -2.5, 1e-3]))


def scaled(draw: Draw, values: Floats) -> Floats:
    """Return values at another scale and level; mostly common ones, sometimes extreme ones."""
    kind = draw.weighted({"common": 6, "level": 2, "extreme": 1, "edge": 0.2})
    if kind == "common":
        return values * 10.0 ** draw.integer(-3, 4) + draw.pick([0.0, 0.0, 10.0, -500.0])
    if kind == "level":
        return values + draw.pick([-1.0, 1.0]) * 10.0 ** draw.integer(3, 9)
    if kind == "extreme":
        return values * 10.0 ** draw.integer(-300, 300)
    largest = np.abs(values).max(initial=0.0) or 1.0
    return values / largest * draw.pick([5e-324, 1e-310, 1e307])


def with_missing(draw: Draw, values: Floats) -> Floats:
    """Return a copy with missing values at the start, inside or at the end; one value stays."""
    n, values = len(values), values.copy()
    kind = draw.weighted(
        {"none": 5, "start": 1, "inside": 2, "end": 1, "many": 0.5, "all but one": 0.2}
    )
    kept = values.copy()
    if kind == "start":
        values[: draw.integer(0, n - 1)] = np.nan
    elif kind == "inside":
        values[draw.rng.random(n) < 0.15] = np.nan
    elif kind == "end":
        values[n - draw.integer(0, min(n - 1, 40)) :] = np.nan
    elif kind == "many":
        values[draw.rng.random(n) < 0.8] = np.nan
    elif kind == "all but one":
        values[:] = np.nan
    if np.isnan(values[-LONGEST:]).all():
        place = draw.integer(max(0, n - 20), n - 1)
        values[place] = kept[place]
    return values


def some_series(draw: Draw, n: int | None = None, missing: bool = True) -> Floats:
    """Return a series that can be forecast."""
    values = scaled(draw, pattern(draw, some_length(draw) if n is None else n))
    return with_missing(draw, values) if missing and len(values) else values


def plain_series(draw: Draw, n: int, missing: bool = True) -> Floats:
    """Return a series of common size and of values with few digits, as files hold them."""
    values = np.round(pattern(draw, n) * draw.pick([1.0, 10.0, 1000.0]), draw.pick([0, 1, 2, 3]))
    values = values + 0.0  # no negative zero
    return with_missing(draw, values) if missing else values


def unusable(draw: Draw, values: Floats) -> tuple[Floats, str]:
    """Return a series that no forecast can be made from, and what is wrong with it."""
    kind = draw.pick(["infinite", "infinite", "nothing observed", "empty"])
    if kind == "infinite":
        values = values.copy()
        values[draw.integer(max(0, len(values) - 20), len(values) - 1)] = draw.pick(
            [np.inf, -np.inf]
        )
        return values, "an infinite value"
    if kind == "empty":
        return values[:0], "an empty series"
    return np.full(len(values), np.nan), "no observed value"


def spread(values: Floats) -> float:
    """Return the standard deviation of the observed values, without overflow."""
    observed = values[~np.isnan(values)]
    largest = float(np.abs(observed).max(initial=0.0))
    return float((observed / largest).std()) * largest if largest else 0.0


def level(values: Floats) -> float:
    """Return the largest absolute value that is observed."""
    return float(np.abs(values[~np.isnan(values)]).max(initial=0.0))
