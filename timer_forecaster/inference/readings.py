"""How a network reads a series: as it is, without a long season, or its square roots.

A network reads some series better in another form. A long season is taken out
(`timer_forecaster.inference.profiles`). Where a history without negative values lies near zero,
square roots are forecast, and their quantiles squared: counts and loads have errors that grow with
their level. All of it keeps the scale of a series: a series twice as large has a forecast twice as
large. `docs/inference.md` has the measured gains, and says on which data each rule was chosen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from timer_forecaster.arrays import FloatArray
from timer_forecaster.inference.multiscale import LOOK_BACK
from timer_forecaster.inference.profiles import Gate, Season, relieve, repeated

_NEWEST = 4096  # steps that tell whether a series lies near zero
_LOW = 0.05  # level of a low value
_NEAR_ZERO = 0.1  # low values relative to the mean


class Reading(NamedTuple):
    """A series as a network reads it.

    Examples
    --------
    >>> import numpy as np
    >>> counts = np.random.default_rng(0).poisson(0.5, size=200).astype(float)
    >>> reading = Reading.of(counts, Gate(0.8))
    >>> reading.is_root, bool(np.allclose(reading.values**2, counts))
    (True, True)
    """

    values: FloatArray
    season: Season | None = None
    """The long season that was taken out."""
    is_root: bool = False
    """Whether the values are square roots of the series."""

    @classmethod
    def of(cls, series: FloatArray, gate: Gate | None, is_remainder: bool = False) -> Reading:
        """Return the reading of a series, of which at most the newest 65,536 steps count.

        Without a gate, long seasons stay.
        A remainder of a model has signs by chance: its roots are not read.
        """
        recent = series[-LOOK_BACK:]
        rest, season = (series, None) if gate is None else relieve(series, gate)
        has_roots = season is None and not is_remainder and is_nonnegative(recent)
        if has_roots and _lies_near_zero(recent):
            return cls(np.sqrt(recent), is_root=True)
        return cls(rest, season)

    @property
    def is_changed(self) -> bool:
        """Whether the network reads other values than those of the series."""
        return self.is_root or self.season is not None

    def following(self, steps: FloatArray) -> FloatArray:
        """Return the steps (horizon,) after the series as its forecast would read them."""
        if self.is_root:
            return np.sqrt(np.maximum(steps, 0.0))
        if self.season is not None:
            return steps - repeated(self.season.cycle, len(steps))
        return steps

    def in_units(self, quantiles: FloatArray, history: FloatArray | None = None) -> FloatArray:
        """Return the forecast (horizon, Q) of the series from the forecast of what was read.

        A forecast that begins earlier than after the series needs the history before it.
        """
        if self.is_root:
            return np.square(np.maximum(quantiles, 0.0))
        return quantiles if self.season is None else self.season.added(quantiles, history)


def forecast_read(
    forecast: Callable[[Sequence[FloatArray], Sequence[int]], FloatArray],
    series: Sequence[FloatArray],
    gate: Gate,
    rows: Sequence[Sequence[int]],
    is_remainder: Sequence[bool],
    with_plain: bool = False,
) -> FloatArray:
    """Forecast series, each as it is read best.

    Parameters
    ----------
    forecast : callable (series, numbers) -> ndarray
        Forecasts some series, of the numbers, as they are. The result has the shape
        (n_series, horizon, Q).
    series : sequence of ndarray, each of shape (steps,)
        NaN where missing.
    gate : Gate
    rows : sequence of sequence of int
        Numbers of series that are read together.
    is_remainder : sequence of bool
        Whether each series is what a model of covariates leaves.
    with_plain : bool
        Whether to average with the forecasts of the changed series as they are.

    Returns
    -------
    ndarray, shape (n_series, horizon, Q)
    """
    pairs = zip(series, is_remainder, strict=True)
    readings = [Reading.of(values, gate, remainder) for values, remainder in pairs]
    found = forecast([reading.values for reading in readings], range(len(series)))
    with np.errstate(over="ignore", invalid="ignore"):  # beyond all floats: refused later
        for number, reading in enumerate(readings):
            found[number] = reading.in_units(found[number])
        again = [i for row in rows if any(readings[j].is_changed for j in row) for i in row]
        if with_plain and again:
            plain = forecast([series[i] for i in again], again)
            found[again] = (found[again] + plain) / 2
    return found


def is_nonnegative(series: FloatArray) -> bool:
    """Whether the newest 65,536 steps of a series have no negative value."""
    return not (series[-LOOK_BACK:] < 0).any()


def _lies_near_zero(values: FloatArray) -> bool:
    """Whether low values of a series without negative ones are small beside its mean."""
    newest = values[-_NEWEST:]
    observed = newest[np.isfinite(newest)]
    if not observed.size:
        return False
    largest = observed.max() or 1.0
    return bool(np.quantile(observed, _LOW) < _NEAR_ZERO * largest * (observed / largest).mean())
