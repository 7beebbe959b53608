"""Beyond one pass without a roll-out: the same series read at several paces.

Every k-th step of a series is a series too, k times as coarse: from it one pass of the network
reaches k times as far and looks k times as far back. The k phases of such a coarse series,
forecast side by side, give each step of the horizon its own quantiles, those of single steps
rather than of means. `predict(rollout="multiscale")` averages the quantiles of several paces and
of the median roll-out; ``docs/inference.md`` has its measured gain and cost.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from timer_forecaster.arrays import FloatArray

PACE_FACTORS = (1, 2)
"""Paces, as multiples of the one that takes a single pass."""

LOOK_BACK = 65_536
"""Newest steps that coarser paces read; what remembers series for a forecast keeps as many."""

MIN_PHASE_STEPS = 256
"""A pace needs this many steps in each phase; shorter series are rolled out instead."""


def paces(n_steps: int, horizon: int, pass_length: int) -> tuple[int, ...]:
    """Coarser paces at which to read a series, none if the horizon fits into one pass.

    Parameters
    ----------
    n_steps : int
        Length of the series.
    horizon, pass_length : int
        Steps to forecast, and steps of one pass of the network.
    """
    passes = -(-horizon // pass_length)
    if passes == 1:
        return ()
    wanted = (passes * factor for factor in PACE_FACTORS)
    return tuple(pace for pace in wanted if n_steps >= pace * MIN_PHASE_STEPS)


def phases(series: FloatArray, pace: int) -> list[FloatArray]:
    """Split a series into `pace` series of every `pace`-th step.

    Phase p ends so that its first forecast step is step p of the horizon. Should a phase have no
    observed value, missing steps take the last value observed before them.

    Parameters
    ----------
    series : ndarray, shape (steps,), steps >= pace
        NaN where missing, not everywhere.
    pace : int
    """
    parts = [series[(len(series) + phase) % pace :: pace] for phase in range(pace)]
    if any(np.isnan(part).all() for part in parts):
        import pandas as pd  # here: it takes a third of the time that torch takes

        filled = np.asarray(pd.Series(series).ffill().bfill(), dtype=np.float64)
        return phases(filled, pace)
    return parts


def weave(quantiles: FloatArray, pace: int, horizon: int) -> FloatArray:
    """Put the forecasts of the phases back in the order of time.

    Parameters
    ----------
    quantiles : ndarray, shape (n_series * pace, ceil(horizon / pace), Q)
        Forecasts of the phases of each series in turn.

    Returns
    -------
    ndarray, shape (n_series, horizon, Q)
    """
    by_phase = quantiles.reshape(-1, pace, *quantiles.shape[1:])
    in_time = by_phase.swapaxes(1, 2).reshape(len(by_phase), -1, quantiles.shape[-1])
    return in_time[:, :horizon]


def forecast(
    roll_out: Callable[[Sequence[FloatArray], int, str], FloatArray],
    series: Sequence[FloatArray],
    horizon: int,
    pass_length: int,
    max_context_length: int,
) -> FloatArray:
    """Average, series by series, the quantiles of the median roll-out and of the coarser paces.

    Series too short for a coarser pace, and all within one pass, have the quantile roll-out.

    Parameters
    ----------
    roll_out : callable (series, horizon, rollout) -> ndarray, shape (n_series, horizon, Q)
    series : sequence of ndarray, each (steps,)
    horizon, pass_length, max_context_length : int
        Steps to forecast, of one pass of the network, and of the longest context it reads.

    Returns
    -------
    ndarray, shape (n_series, horizon, Q)
    """
    series = [values[-LOOK_BACK:] for values in series]
    rows_of: dict[int, list[int]] = {}
    rolled_out: dict[str, list[int]] = {"quantile": [], "median": []}
    for row, values in enumerate(series):
        observed = len(values) - int(np.isnan(values).argmin())
        coarser = paces(observed, horizon, pass_length)
        for pace in coarser:
            rows_of.setdefault(pace, []).append(row)
        rolled_out["median" if coarser else "quantile"].append(row)
    parts = [
        (rows, roll_out([series[row] for row in rows], horizon, rollout))
        for rollout, rows in rolled_out.items()
        if rows
    ]
    for pace, rows in rows_of.items():
        split = [
            part for row in rows for part in phases(series[row][-pace * max_context_length :], pace)
        ]
        steps = -(-horizon // pace)
        parts.append((rows, weave(roll_out(split, steps, "quantile"), pace, horizon)))
    if len(parts) == 1:
        return parts[0][1]  # all series had the same roll-out, and no coarser pace
    total = np.zeros((len(series), horizon, parts[0][1].shape[-1]))
    count = np.zeros((len(series), 1, 1))
    for rows, quantiles in parts:
        total[rows] += quantiles
        count[rows] += 1
    total /= count
    return total
