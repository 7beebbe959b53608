"""Far horizons without a roll-out: the same series read at several strides.

Every k-th step of a series is a series too, k times as coarse. From it, one pass of the network
reaches k times as far and looks k times as far back. The k phases of such a coarse series are
forecast side by side and give each step of the horizon quantiles of single steps, not of means.
`predict(rollout="multiscale")` averages the quantiles of several strides and of the median
roll-out; ``docs/inference.md`` has its measured gain and cost. A network whose contexts have one
length reads series of a long season in this way too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from timer_forecaster.arrays import FloatArray
from timer_forecaster.inference.channels import grouped
from timer_forecaster.inference.frequency import Frequency
from timer_forecaster.inference.seasons import dominant_period
from timer_forecaster.inference.series import from_first_observed

Parts: TypeAlias = Sequence[tuple[list[int], FloatArray]]
"""Numbers of series, and their quantiles."""

STRIDE_FACTORS = (1, 2)
"""Strides, as multiples of the smallest one that takes a single pass."""

LOOK_BACK = 65_536
"""Newest steps that coarser strides read. Memories of series keep as many."""

SEASON_STRIDES = (2, 4)
"""Strides for horizons of one pass, where the season is long for the context."""

MOST_SEASONS = 20
"""A context of fixed length that holds more seasons is enough. Chosen on held-out data sets."""

MIN_PHASE_STEPS = 256
"""Steps that a stride needs in each phase. Shorter series are rolled out instead."""


def strides(n_steps: int, horizon: int, pass_length: int) -> tuple[int, ...]:
    """Return the coarser strides at which to read a series; none if one pass is enough.

    Parameters
    ----------
    n_steps : int
        Length of the series.
    horizon : int
        Steps to forecast.
    pass_length : int
        Steps of one pass of the network.
    """
    passes = -(-horizon // pass_length)
    if passes == 1:
        return ()
    wanted = (passes * factor for factor in STRIDE_FACTORS)
    return tuple(stride for stride in wanted if n_steps >= stride * MIN_PHASE_STEPS)


def strides_of_season(values: FloatArray, context_length: int) -> tuple[int, ...]:
    """Return the coarser strides of a series whose season is long for a context.

    A context of fixed length holds few such seasons. A few phases look further back.

    Parameters
    ----------
    values : ndarray, shape (steps,)
        From the first observed value on.
    context_length : int
        Steps of every context of the network.
    """
    wanted = [k for k in SEASON_STRIDES if len(values) >= max(k * MIN_PHASE_STEPS, context_length)]
    if not wanted or len(values) == context_length:
        return ()
    long = dominant_period(values) * MOST_SEASONS >= context_length
    return tuple(wanted) if long else ()


def phases(series: FloatArray, stride: int) -> list[FloatArray]:
    """Split a series into its phases, each of every `stride`-th step.

    Phase p ends so that its first forecast step is step p of the horizon. If a phase has no
    observed value, missing steps of the series take the last value observed before them.

    Parameters
    ----------
    series : ndarray, shape (steps,), steps >= stride
        NaN where missing, with at least one value.
    stride : int

    Returns
    -------
    list of ndarray
        As many as the stride.
    """
    parts = [series[(len(series) + phase) % stride :: stride] for phase in range(stride)]
    if any(np.isnan(part).all() for part in parts):
        import pandas as pd  # here: it takes a third of the time that torch takes

        filled = np.asarray(pd.Series(series).ffill().bfill(), dtype=np.float64)
        return phases(filled, stride)
    return parts


def interleave(quantiles: FloatArray, stride: int, horizon: int) -> FloatArray:
    """Put the forecasts of phases in the order of time.

    Parameters
    ----------
    quantiles : ndarray, shape (n_series * stride, ceil(horizon / stride), Q)
        Forecasts of the phases of each series in turn.
    stride : int
    horizon : int

    Returns
    -------
    ndarray, shape (n_series, horizon, Q)
    """
    by_phase = quantiles.reshape(-1, stride, *quantiles.shape[1:])
    in_time = by_phase.swapaxes(1, 2).reshape(len(by_phase), -1, quantiles.shape[-1])
    return in_time[:, :horizon]


def _by_phase(n_series: int, stride: int, width: int) -> NDArray[np.intp]:
    """Return the places of phases, series by series, so that those of a row lie together."""
    places = np.arange(n_series * stride).reshape(-1, width, stride)
    return places.swapaxes(1, 2).ravel()


def forecast(
    roll_out: Callable[..., FloatArray],
    series: Sequence[FloatArray],
    horizon: int,
    pass_length: int,
    max_context_length: int,
    frequencies: Sequence[Frequency] | None = None,
    width: int = 1,
    fixed_context: bool = False,
) -> FloatArray:
    """Average, for each series, the quantiles of the median roll-out and of coarser strides.

    Series that are too short for a coarser stride have the quantile roll-out. If one pass is
    enough, so have all, but those whose season is long for a context of fixed length.

    Parameters
    ----------
    roll_out : callable (series, horizon, rollout, frequencies) -> ndarray
        The result has the shape (n_series, horizon, Q).
    series : sequence of ndarray, each of shape (steps,)
    horizon : int
        Steps to forecast.
    pass_length : int
        Steps of one pass of the network.
    max_context_length : int
        Steps of the longest context that the network reads.
    frequencies : sequence of Frequency, optional
        Of each series, for a network that reads them.
    width : int
        Series that are read as one row, and so at the same strides.
    fixed_context : bool
        Whether the network reads contexts of its longest length alone.

    Returns
    -------
    ndarray, shape (n_series, horizon, Q)
    """
    series = [values[-LOOK_BACK:] for values in series]
    rows_of: dict[int, list[int]] = {}
    rolled_out: dict[str, list[int]] = {"quantile": [], "median": []}
    for numbers in grouped(range(len(series)), width):
        shortest = min((from_first_observed(series[i]) for i in numbers), key=len)
        coarser = strides(len(shortest), horizon, pass_length)
        if fixed_context and horizon <= pass_length:
            coarser = strides_of_season(shortest, max_context_length)
        for stride in coarser:
            rows_of.setdefault(stride, []).extend(numbers)
        rolled_out["median" if coarser else "quantile"].extend(numbers)
    parts = [
        (rows, roll_out([series[row] for row in rows], horizon, rollout, _of(frequencies, rows)))
        for rollout, rows in rolled_out.items()
        if rows
    ]
    coarse_parts = []
    for stride, rows in rows_of.items():
        recent = [phases(series[row][-stride * max_context_length :], stride) for row in rows]
        order = _by_phase(len(rows), stride, width)
        split = [phase for values in recent for phase in values]
        of_phases = _of(frequencies, np.repeat(rows, stride)[order].tolist(), stride)
        coarse = roll_out([split[i] for i in order], -(-horizon // stride), "quantile", of_phases)
        coarse_parts.append((rows, interleave(coarse[np.argsort(order)], stride, horizon)))
    found = _mean(parts + coarse_parts, len(series))
    if fixed_context and horizon > pass_length and coarse_parts:
        _widen(found, coarse_parts)
    return found


def _widen(quantiles: FloatArray, coarse_parts: Parts) -> None:
    """Give forecasts the mean widths of their coarser strides around their medians, in place.

    The intervals of a median roll-out are too narrow, the more so the more passes it takes.
    """
    middle = slice(quantiles.shape[-1] // 2, quantiles.shape[-1] // 2 + 1)
    rows = sorted(set().union(*(rows for rows, _ in coarse_parts)))
    with np.errstate(over="ignore", invalid="ignore"):  # beyond all floats: refused later
        widths = [(rows, part - part[..., middle]) for rows, part in coarse_parts]
        quantiles[rows] = quantiles[rows][..., middle] + _mean(widths, len(quantiles))[rows]


def _mean(parts: Parts, n_series: int) -> FloatArray:
    """Return the mean of the quantiles that each series has in the parts, zeros if it has none."""
    if len(parts) == 1 and len(parts[0][0]) == n_series:
        return parts[0][1]  # all series had the same roll-out, and no coarser stride
    total = np.zeros((n_series, *parts[0][1].shape[1:]))
    count = np.zeros((n_series, 1, 1))
    for rows, quantiles in parts:
        with np.errstate(over="ignore", invalid="ignore"):  # beyond all floats: refused later
            total[rows] += quantiles
        count[rows] += 1
    total /= np.maximum(count, 1)
    return total


def _of(
    frequencies: Sequence[Frequency] | None, rows: Sequence[int], stride: int = 1
) -> list[Frequency] | None:
    """Return the frequencies of rows that are read at a stride."""
    if frequencies is None:
        return None
    return [frequencies[row] if stride == 1 else frequencies[row].coarser(stride) for row in rows]
