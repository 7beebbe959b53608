"""The mean cycle of a long season, which the network need not find in its context.

A network must see a season several times to continue it, and a day of the week comes once in 168
hourly steps. The mean of the cycles before a step can tell what the network cannot. It is
subtracted from each step before the network reads the series, and the mean of the newest cycles is
added to the forecast, if the means explain the newest cycles. Each step is relieved of what was
known before it, so the network reads errors as large as those that are to come, and its intervals
stay wide enough. `docs/inference.md` has the measured gain, and says on which data the thresholds
were chosen.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from timer_forecaster.arrays import FloatArray
from timer_forecaster.inference.multiscale import LOOK_BACK
from timer_forecaster.inference.scaling import squarable_unit
from timer_forecaster.inference.seasons import short_and_long_period

LONG = 64
"""Steps from which on a season is long."""

LEAST_STEPS = 512
"""A series that is not longer stays as it is: it has too few cycles to judge their means by."""

_CYCLES = 8  # of a mean cycle
_FADING = 0.8  # weight of a cycle relative to the next newer one
_CHECKED = 4  # newest cycles that are explained by those before them
_MORE = 0.05  # that a long season must explain beyond a short one


class Gate(NamedTuple):
    """Shares of the variance of the newest cycles that past cycles must explain."""

    of_values: float
    of_steps: float = 0.0
    """Of changes from step to step: a rough mean cycle spoils the next steps of smooth series."""

    @classmethod
    def of(cls, fixed_context: bool, near: bool) -> Gate:
        """Return the gate of a network; near, of one whose context grows, if one pass is enough.

        A network that reads a long context finds more by itself.
        """
        return cls(0.7) if fixed_context else cls(0.8, 0.8 if near else 0.0)


class Season(NamedTuple):
    """A long season of a series, as far as past cycles tell it."""

    cycle: FloatArray
    """Steps (period,) to add to a forecast of the rest, in the units of the series."""
    share: float
    """Part of the mean cycle that the newest cycles follow, 0 to 1."""

    def added(self, quantiles: FloatArray, history: FloatArray | None = None) -> FloatArray:
        """Return the forecast (horizon, Q) of the series from that of the rest.

        Parameters
        ----------
        quantiles : ndarray, shape (horizon, Q)
        history : ndarray, shape (steps,), optional
            Earlier steps of the series, for a forecast that begins after them. The cycle is then
            the one that was known there. Default: all steps.
        """
        cycle = self.cycle if history is None else self._after(history)
        return quantiles + repeated(cycle, len(quantiles))[:, None]

    def _after(self, history: FloatArray) -> FloatArray:
        period = len(self.cycle)
        newest = history[-(_CYCLES + 1) * period :]
        unit = squarable_unit(newest)
        return _means_before(newest / unit, period)[-period:] * (unit * self.share)


def relieve(values: FloatArray, gate: Gate) -> tuple[FloatArray, Season | None]:
    """Return a series without its long season, and the season.

    Parameters
    ----------
    values : ndarray, shape (steps,)
        NaN where missing.
    gate : Gate

    Returns
    -------
    rest : ndarray
        The newest 65,536 steps without the season; the series itself if there is no long season,
        or if past cycles explain less than the gate demands.
    season : Season or None
        The first entry of its cycle belongs to the first step after the series.

    Examples
    --------
    >>> import numpy as np
    >>> week = np.random.default_rng(0).normal(size=168)
    >>> rest, season = relieve(np.tile(week, 6), Gate(0.8))
    >>> np.allclose(rest, week.mean()), np.allclose(season.cycle, week - week.mean())
    (True, True)
    """
    if len(values) <= LEAST_STEPS:
        return values, None
    recent = values[-LOOK_BACK:]
    unit = squarable_unit(recent)
    scaled = recent / unit
    short, long = short_and_long_period(scaled, LONG)
    if not long:
        return values, None
    known = _means_before(scaled, long)
    newest = min(_CHECKED, len(scaled) // long - 2) * long
    given, cycles = scaled[-newest:], known[-newest - long : -long]
    share = _share(given, cycles)
    least = gate.of_values
    if short < LONG:
        repeats = _repeats(scaled, short, long, newest)
        least = max(least, _explained(given, _share(given, repeats) * repeats) + _MORE)
    expected = share * cycles
    by_steps = _explained(np.diff(given), np.diff(expected))
    if _explained(given, expected) < least or by_steps < gate.of_steps:
        return values, None
    known *= unit * share
    return recent - known[:-long], Season(known[-long:], share)


def repeated(cycle: FloatArray, horizon: int) -> FloatArray:
    """Return the steps of a cycle over a horizon."""
    return np.resize(cycle, horizon)


def _means_before(values: FloatArray, period: int) -> FloatArray:
    """Return for each step the mean of the cycles before it, then the mean of the newest cycles.

    Newer cycles have more weight. A mean is taken about the mean of its own cycle. It is zero
    where nothing was seen. Later cycles stand in for the past that the first two do not have.
    """
    before = -len(values) % period
    cycles = np.concatenate([np.full(before, np.nan), values]).reshape(-1, period)
    cycles[0, :before] = cycles[min(2, len(cycles) - 1), :before]
    seen = np.isfinite(cycles)
    filled = np.where(seen, cycles, 0.0)
    sums, weights = np.zeros((2, len(cycles) + 1, period))
    for age in range(1, min(_CYCLES, len(cycles)) + 1):
        sums[age:] += _FADING ** (age - 1) * filled[: len(filled) + 1 - age]
        weights[age:] += _FADING ** (age - 1) * seen[: len(seen) + 1 - age]
    sums[0], weights[0] = filled[1], seen[1]
    held = weights > 0
    means = np.divide(sums, weights, out=sums, where=held)
    levels = means.sum(axis=1, where=held) / np.maximum(held.sum(axis=1), 1)
    means -= levels[:, None]
    return np.where(held, means, 0.0).ravel()[before:]


def _repeats(values: FloatArray, short: int, long: int, newest: int) -> FloatArray:
    """Return the mean short cycle before each of the newest long cycles, repeated along it."""
    cycles = max(2, LEAST_STEPS // short)
    ends = range(len(values) - newest, len(values), long)
    means = [_means_before(values[max(end - cycles * short, 0) : end], short) for end in ends]
    return np.concatenate([repeated(mean[-short:], long) for mean in means])


def _share(values: FloatArray, cycles: FloatArray) -> float:
    """Return the share of cycles about zero that fits values best, 0 to 1."""
    seen = np.isfinite(values)
    power = float(cycles[seen] @ cycles[seen])
    if not power:
        return 0.0
    centered = values[seen] - values[seen].mean()
    return min(max(float(centered @ cycles[seen]) / power, 0.0), 1.0)


def _explained(values: FloatArray, expected: FloatArray) -> float:
    """Return the share of the variance of values that expected ones about zero explain."""
    seen = np.isfinite(values)
    if not seen.any():
        return 0.0
    centered = values[seen] - values[seen].mean()
    total = float(centered @ centered)
    rest = centered - expected[seen]
    return 1.0 - float(rest @ rest) / total if total else 0.0
