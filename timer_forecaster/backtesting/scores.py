"""Scores of any set of windows and steps, from the losses of each point.

The functions of `timer_forecaster.evaluation.metrics` give the losses. Sums of them over all points
give the scores that `timer_forecaster.evaluation` has.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from timer_forecaster.arrays import FloatArray
from timer_forecaster.evaluation import metrics

WQL, MASE, BIAS, COVERAGE = "WQL", "MASE", "bias", "coverage_80"
_MEDIAN = 0.5

Table = dict[str, FloatArray]
"""Scores by name, with a value for each group of points."""


def intervals_of(levels: Sequence[float]) -> dict[str, tuple[int, int]]:
    """Return the places of the levels of each central interval, by the name of its coverage.

    Examples
    --------
    >>> intervals_of([0.05, 0.1, 0.5, 0.9, 0.95])
    {'coverage_90': (0, 4), 'coverage_80': (1, 3)}
    """
    found = {}
    for place, level in enumerate(levels):
        partner = np.flatnonzero(np.isclose(levels, 1 - level, rtol=0, atol=1e-12))
        if level < _MEDIAN and len(partner):
            found[f"coverage_{round(100 * (1 - 2 * level), 6):g}"] = (place, int(partner[0]))
    return found


def nominal_of(name: str) -> float:
    """Return the coverage that an interval should have.

    Examples
    --------
    >>> nominal_of("coverage_80")
    0.8
    """
    return float(name.removeprefix("coverage_")) / 100


class Points(NamedTuple):
    """Losses of each point (windows, horizon); not finite where there is nothing to score."""

    loss: FloatArray
    """Mean quantile loss over the nine levels of the benchmark."""
    size: FloatArray
    """Absolute value of the target."""
    scaled: FloatArray
    """Absolute error of the median over the seasonal error."""
    error: FloatArray
    """Median less target."""
    inside: dict[str, FloatArray]
    """Whether the target lies in each interval."""

    @classmethod
    def of(
        cls,
        targets: FloatArray,
        quantiles: FloatArray,
        scales: FloatArray,
        levels: Sequence[float],
        has_quantiles: bool = True,
    ) -> Points:
        """Compare forecasts with targets; windows without a forecast have nothing to score.

        Parameters
        ----------
        targets : ndarray, shape (windows, horizon)
        quantiles : ndarray, shape (windows, horizon, levels)
        scales : ndarray, shape (windows,)
        levels : sequence of float
            The nine of the benchmark, and perhaps others.
        has_quantiles : bool
            Whether intervals mean something.
        """
        there = np.asarray(np.isfinite(quantiles).all(axis=(1, 2)))
        if not there.all():
            targets = np.where(there[:, None], targets, np.nan)
            quantiles = np.where(there[:, None, None], quantiles, 0.0)
        places = [list(levels).index(level) for level in metrics.LEVELS]
        median = quantiles[..., list(levels).index(_MEDIAN)]
        loss = np.zeros(targets.shape)
        for place in places:
            loss += metrics.quantile_loss(targets, quantiles[..., place], levels[place])
        observed = ~np.isnan(targets)
        inside = {}
        for name, (lower, upper) in intervals_of(levels).items() if has_quantiles else ():
            with np.errstate(invalid="ignore"):
                within = (quantiles[..., lower] <= targets) & (targets <= quantiles[..., upper])
            inside[name] = np.where(observed, within, np.nan)
        return cls(
            loss / len(places),
            np.abs(targets),
            metrics.scaled_errors(targets, median, scales),
            median - targets,
            inside,
        )

    def only_in(self, rows: NDArray[np.bool_]) -> Points:
        """Return the points with nothing to score outside of some windows, and no intervals."""
        missing = np.where(rows[:, None], 0.0, np.nan)
        whole = (self.loss, self.size, self.scaled, self.error)
        loss, size, scaled, error = (part + missing for part in whole)
        return Points(loss, size, scaled, error, {})

    def scores(self, group: NDArray[np.intp], n_groups: int) -> Table:
        """Return the scores of groups of points.

        Parameters
        ----------
        group : ndarray of int, shape (windows, 1) or (1, horizon)
            The group of each window, or of each step.
        n_groups : int
        """
        groups = np.broadcast_to(group, self.loss.shape).ravel()

        def total(values: FloatArray) -> tuple[FloatArray, FloatArray]:
            finite = np.isfinite(values).ravel()
            counts = np.bincount(groups[finite], minlength=n_groups).astype(np.float64)
            sums = np.bincount(groups[finite], values.ravel()[finite], n_groups)
            return sums.astype(np.float64), counts

        size, _ = total(self.size)
        with np.errstate(divide="ignore", invalid="ignore"):
            table = {WQL: total(self.loss)[0] / size, MASE: np.divide(*total(self.scaled))}
            for name, values in self.inside.items():
                table[name] = np.divide(*total(values))
            table[BIAS] = total(self.error)[0] / size
        return table

    @property
    def scored(self) -> NDArray[np.bool_]:
        """Whether each window has a point to score."""
        return np.asarray(np.isfinite(self.loss).any(axis=1))

    def scaled_losses(self, scales: FloatArray) -> FloatArray:
        """Return the mean quantile loss of each window over its seasonal error."""
        finite = np.isfinite(self.loss)
        counts = finite.sum(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(finite, self.loss, 0.0).sum(axis=1) / counts / scales
