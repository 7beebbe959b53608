"""The mean cycle of a long season, which the network need not find in its context.

A context of 512 hourly steps holds three weeks, and a small network cannot tell from them how the
days of a week differ. The mean of the newest eight cycles can. It is subtracted from the series
before the network reads it, and added to the forecast, if it explains the newest cycles from those
before them. `docs/ttm.md` has the measured gain, and says on which data the thresholds were chosen.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from timer_forecaster.arrays import FloatArray
from timer_forecaster.inference.scaling import squarable_unit
from timer_forecaster.inference.seasons import short_and_long_period

LONG = 64
"""Steps from which on a season is long."""

_LOOK_BACK = 16_384  # newest steps that are read
_CYCLES = 8  # of a mean cycle
_FADING = 0.8  # weight of a cycle relative to the next newer one
_CHECKED = 4  # newest cycles that are explained by those before them
_EXPLAINED = 0.7  # share of the variance of these cycles
_MORE = 0.05  # that a long season must explain beyond a short one


def mean_cycle(values: FloatArray, context_length: int) -> FloatArray | None:
    """Return the part of a series that its long season explains, of one cycle.

    Parameters
    ----------
    values : ndarray, shape (steps,)
        NaN where missing.
    context_length : int
        Steps that the network reads. It finds the seasons of shorter series itself.

    Returns
    -------
    ndarray, shape (period,), or None
        In the units of the series. Its first entry belongs to the first step after the series.
        None if there is no long season, or if it explains too little.

    Examples
    --------
    >>> import numpy as np
    >>> week = np.random.default_rng(0).normal(size=168)
    >>> found = mean_cycle(np.tile(week, 6), context_length=512)
    >>> np.allclose(found, week - week.mean())
    True
    """
    if len(values) <= context_length:
        return None
    recent = values[-_LOOK_BACK:]
    unit = squarable_unit(recent)
    recent = recent / unit
    short, long = short_and_long_period(recent, LONG)
    if not long:
        return None
    newest = recent[-min(_CHECKED, len(recent) // long - 2) * long :]
    share, explained = _explained(newest, _before_each(recent, long, long, _CYCLES))
    least = _EXPLAINED
    if short < LONG:
        cycles = max(2, context_length // short)
        _, by_short = _explained(newest, _before_each(recent, long, short, cycles))
        least = max(least, by_short + _MORE)
    return unit * share * _mean(recent, long, _CYCLES) if explained >= least else None


def without(series: Sequence[FloatArray], cycles: Sequence[FloatArray | None]) -> list[FloatArray]:
    """Return series without their mean cycles."""
    return [
        values if cycle is None else values - _repeated(cycle, -len(values), len(values))
        for values, cycle in zip(series, cycles, strict=True)
    ]


def add(quantiles: FloatArray, cycles: Sequence[FloatArray | None]) -> None:
    """Add mean cycles to forecasts, (n_series, horizon, Q), in place."""
    for of_series, cycle in zip(quantiles, cycles, strict=True):
        if cycle is not None:
            of_series += _repeated(cycle, 0, len(of_series))[:, None]


def _repeated(cycle: FloatArray, first: int, steps: int) -> FloatArray:
    """Return steps of a cycle, counted from the end of the series."""
    return cycle[(first + np.arange(steps)) % len(cycle)]


def _mean(values: FloatArray, period: int, most: int) -> FloatArray:
    """Return the mean of the newest cycles, newer ones with more weight, about zero."""
    count = min(most, len(values) // period)
    cycles = values[len(values) - count * period :].reshape(count, period)
    seen = np.isfinite(cycles)
    weights = _FADING ** np.arange(count)[::-1, None] * seen
    sums = (np.where(seen, cycles, 0.0) * weights).sum(axis=0)
    mean = sums / np.maximum(weights.sum(axis=0), np.finfo(np.float64).tiny)
    held = seen.any(axis=0)
    level = mean[held].mean() if held.any() else 0.0
    return np.where(held, mean - level, 0.0)


def _before_each(values: FloatArray, step: int, period: int, most: int) -> FloatArray:
    """Return, for the newest stretches of a length, mean cycles of what precedes each."""
    checked = min(_CHECKED, len(values) // step - 2)
    ends = len(values) - step * np.arange(checked, 0, -1)
    return np.concatenate([_repeated(_mean(values[:end], period, most), 0, step) for end in ends])


def _explained(values: FloatArray, cycles: FloatArray) -> tuple[float, float]:
    """Return the share of the cycles that fits best, 0 to 1, and the variance it explains."""
    seen = np.isfinite(values)
    given, cycles = values[seen], cycles[seen]
    if not len(given):
        return 0.0, 0.0
    given = given - given.mean()
    power, total = float(cycles @ cycles), float(given @ given)
    if not power or not total:
        return 0.0, 0.0
    share = min(max(float(given @ cycles) / power, 0.0), 1.0)
    rest = given - share * cycles
    return share, 1.0 - float(rest @ rest) / total
