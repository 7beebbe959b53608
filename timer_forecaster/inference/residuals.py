"""Quantiles around the forecasts of a network without a quantile head.

A network that forecasts one value for each step says nothing about its errors. They are measured:
the series is forecast from past origins, and the errors, relative to how much the series moves from
step to step, give quantiles. A series that is too short for this takes the relative errors of other
series, from a table. The median is the forecast of the network itself, so lower quantiles never lie
above it, and higher ones never below.

The unit is the mean absolute first difference of the newest steps. The deviation of a context is no
good unit: it is large where a series grows, whatever its errors are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from timer_forecaster.arrays import FloatArray
from timer_forecaster.inference.channels import grouped
from timer_forecaster.inference.residual_table import TABLE

TRAINED, OWN, OF_TABLE = "trained", "own", "table"
"""Sources of quantiles: a trained head, errors at past origins of the series, or the table."""

MOST_ORIGINS = 12
FEWEST_ORIGINS = 8
"""Past origins of a series that are forecast at most, and that its own errors need at least."""

STEPS_OF_GROUP = 12
"""Steps of a group of the table."""

_NEWEST = 128  # steps that the unit is measured on
_LEAST_CONTEXT = 16  # steps before an origin
_NEIGHBORS = 8  # errors of a step are pooled with those of an eighth of the horizon on both sides

Point = Callable[[Sequence[FloatArray], int], FloatArray]
"""Returns point forecasts (n, horizon) of series, in their units."""


@dataclass(frozen=True)
class Errors:
    """Errors of a network at past origins of series.

    Parameters
    ----------
    horizon : int
        Steps of the forecast, at most one pass.
    context : int
        Newest steps that the network reads, one of which must be observed.
    width : int
        Series that are read as one row, and so are cut at the same origins.
    """

    horizon: int
    context: int
    width: int = 1

    def sources(self, series: Sequence[FloatArray]) -> list[str]:
        """Return `OWN` or `OF_TABLE` for each series."""
        rows = grouped(series, self.width)
        return [OWN if self._origins(row) else OF_TABLE for row in rows for _ in row]

    def asked(self, series: Sequence[FloatArray]) -> list[tuple[int, int]]:
        """Return rows and origins that are forecast, in the order of `spread`."""
        rows = grouped(series, self.width)
        return [(number, at) for number, row in enumerate(rows) for at in self._origins(row)]

    def spread(
        self,
        point: Point,
        series: Sequence[FloatArray],
        levels: Sequence[float],
        asked: Sequence[tuple[int, int]] | None = None,
    ) -> FloatArray:
        """Return distances of quantiles from the point forecasts of series.

        Parameters
        ----------
        point : callable
            The network.
        series : sequence of ndarray, each of shape (steps,)
            NaN where missing.
        levels : sequence of float
            Deciles.
        asked : sequence of tuple, optional
            What `asked` returns, if it is known.

        Returns
        -------
        ndarray, shape (n_series, horizon, Q)
            In the units of the series; 0 for a constant one.
        """
        errors = self._relative(point, series, self.asked(series) if asked is None else asked)
        offsets = np.empty((len(series), self.horizon, len(levels)))
        for i, values in enumerate(series):
            own = errors.get(i)
            relative = of_table(self.horizon) if own is None else pooled_quantiles(own, levels)
            offsets[i] = around_median(relative, levels) * unit_of(values)
        return offsets

    def _relative(
        self, point: Point, series: Sequence[FloatArray], asked: Sequence[tuple[int, int]]
    ) -> dict[int, FloatArray]:
        """Return the errors (origins, horizon) of series that have own ones, in their units."""
        rows = grouped(range(len(series)), self.width)
        cut = [(i, at) for row, at in asked for i in rows[row]]
        found: Iterable[FloatArray] = ()
        if cut:
            found = point([series[i][:at] for i, at in cut], self.horizon)
        errors: dict[int, list[FloatArray]] = {}
        for (i, at), forecast in zip(cut, found, strict=True):
            unit = unit_of(series[i][:at])
            if unit > 0:
                error = series[i][at : at + self.horizon] - forecast
                errors.setdefault(i, []).append(error / unit)
        return {i: np.array(own) for i, own in errors.items()}

    def _origins(self, row: Sequence[FloatArray]) -> list[int]:
        """Return the newest origins that lie a horizon apart; none if they are too few.

        A series that is constant in all its steps needs no errors. The row can be forecast if a
        value lies in each context, and scored if the others have one in the horizon and a unit.
        """
        if len({len(values) for values in row}) > 1:
            return []  # such a row has no forecast
        varying = [first_change(values) for values in row]
        least = max((at for at in varying if at is not None), default=len(row[0]))
        last = len(row[0]) - self.horizon
        origins = np.arange(last, max(_LEAST_CONTEXT, least) - 1, -self.horizon)
        usable = np.ones(len(origins), bool)
        for values, change in zip(row, varying, strict=True):
            counts = np.concatenate([[0], np.isfinite(values).cumsum()])
            usable &= counts[origins] > counts[np.maximum(0, origins - self.context)]
            if change is not None:
                usable &= counts[origins + self.horizon] > counts[origins]
        found = origins[usable][:MOST_ORIGINS].tolist()
        return found if len(found) >= FEWEST_ORIGINS else []


def around_median(errors: FloatArray, levels: Sequence[float]) -> FloatArray:
    """Return quantiles (..., Q) of errors as distances from a median that is the forecast.

    Examples
    --------
    >>> import numpy as np
    >>> around_median(np.array([-1.0, 0.5, 2.0]), [0.1, 0.5, 0.9])
    array([-1.,  0.,  2.])
    """
    low = np.where(np.asarray(levels) < 0.5, -np.inf, 0.0)
    high = np.where(np.asarray(levels) > 0.5, np.inf, 0.0)
    return np.clip(errors, low, high)


def first_change(values: FloatArray) -> int | None:
    """Return the steps up to the first value that differs from the one before; None without one.

    Examples
    --------
    >>> import numpy as np
    >>> first_change(np.array([np.nan, 2.0, 2.0, 3.0, 3.0]))
    4
    """
    observed = np.flatnonzero(np.isfinite(values))
    moved = values[observed] != values[observed[:1]]
    return int(observed[moved.argmax()]) + 1 if moved.any() else None


def unit_of(values: FloatArray) -> float:
    """Return the mean absolute first difference of the newest steps, or of all if it is 0."""
    observed = values[np.isfinite(values)]
    for newest in (observed[-_NEWEST:], observed):
        unit = float(np.abs(np.diff(newest)).mean()) if len(newest) > 1 else 0.0
        if unit > 0:
            return unit
    return 0.0


def pooled_quantiles(errors: FloatArray, levels: Sequence[float]) -> FloatArray:
    """Return quantiles (horizon, Q) of errors (origins, horizon), pooled over neighboring steps.

    A level q of n errors lies at rank q (n + 1), as conformal prediction has it, between the
    smallest and the largest error. Quantiles do not cross.
    """
    horizon = errors.shape[1]
    reach = horizon // _NEIGHBORS
    quantiles = np.empty((horizon, len(levels)))
    for step in range(horizon):
        near = errors[:, max(0, step - reach) : step + reach + 1]
        near = np.sort(near[np.isfinite(near)])
        if not len(near):  # no step nearby was observed
            near = np.sort(errors[np.isfinite(errors)])
        rank = np.clip(np.asarray(levels) * (len(near) + 1) - 1, 0, len(near) - 1)
        quantiles[step] = np.interp(rank, np.arange(len(near)), near)
    return quantiles


def of_table(horizon: int) -> FloatArray:
    """Return relative quantiles (horizon, 9) of the table, for forecasts of a number of steps."""
    table = np.asarray(TABLE)
    group = np.arange(horizon) // STEPS_OF_GROUP
    return np.asarray(table[np.minimum(group, len(table) - 1)])
