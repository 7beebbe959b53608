"""Past windows of series, whose errors tell how the steps of these series depend on each other."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple, TypeVar

import numpy as np

from timer_forecaster.arrays import FloatArray
from timer_forecaster.inference import quantiles as quantile_function
from timer_forecaster.inference.channels import grouped
from timer_forecaster.inference.covariates.columns import Column, Covariates
from timer_forecaster.inference.sampling.copula import updated
from timer_forecaster.inference.sampling.drawing import normal_scores
from timer_forecaster.inference.series import from_first_observed

_OUTERMOST = 1e-3  # level of a score: how far out a value lies says little of its neighbors
_LEAST_CONTEXT = 32  # steps before a window, and twice its length

One = TypeVar("One")


class PastWindows(NamedTuple):
    """Windows of series that are forecast from what precedes each.

    The windows of a series do not overlap. The newest one ends with the series.
    """

    steps: int
    """Length of each window."""
    numbers: list[int]
    """Number of the series of each window; series that are read as one row stand together."""
    origins: list[int]
    """Steps of that series before the window."""

    @classmethod
    def of(
        cls,
        series: Sequence[FloatArray],
        count: int,
        steps: int,
        width: int,
        without: Collection[object] = (),
    ) -> PastWindows:
        """Return the newest windows.

        Parameters
        ----------
        series : sequence of ndarray, each of shape (steps,)
        count : int
            Most windows of a series. Each needs twice its length before it, at least 32 steps.
        steps : int
            Length of a window.
        width : int
            Series that are read as one row; the windows are those of all of them.
        without : collection of int
            Numbers of series that cannot be forecast.
        """
        found = cls(steps, [], [])
        for row in grouped(range(len(series)), width):
            if any(number in without for number in row):
                continue
            observed = min(len(from_first_observed(series[number])) for number in row)
            most = max(0, observed - max(2 * steps, _LEAST_CONTEXT)) // steps
            for before in range(1, min(count, most) + 1):
                found.numbers.extend(row)
                found.origins.extend(len(series[number]) - before * steps for number in row)
        return found

    def take(self, items: Sequence[One]) -> list[One]:
        """Return what belongs to the series of each window."""
        return [items[number] for number in self.numbers]

    def contexts(self, series: Sequence[FloatArray]) -> list[FloatArray]:
        """Return what precedes each window."""
        each = zip(self.numbers, self.origins, strict=True)
        return [series[number][:origin] for number, origin in each]

    def covariates(self, columns: Sequence[Covariates]) -> list[Covariates]:
        """Return the columns that a forecast of each window reads."""
        each = zip(self.numbers, self.origins, strict=True)
        return [
            Covariates(
                [_until(column, origin + self.steps) for column in columns[number].known],
                [_until(column, origin) for column in columns[number].past],
            )
            for number, origin in each
        ]

    def scores(
        self,
        series: Sequence[FloatArray],
        quantiles: FloatArray,
        levels: Sequence[float],
        floor: FloatArray | float = quantile_function.NO_FLOOR,
    ) -> FloatArray:
        """Return `scores_of` the windows under their forecasts (windows, steps, Q)."""
        each = zip(self.numbers, self.origins, strict=True)
        actual = [series[number][origin : origin + self.steps] for number, origin in each]
        return scores_of(np.array(actual).reshape(-1, self.steps), quantiles, levels, floor)

    def updated(self, weights: FloatArray, scores: FloatArray) -> FloatArray:
        """Return the weights (n_series, K) of the series after the scores of their windows."""
        numbers, found = np.array(self.numbers, dtype=np.intp), weights.copy()
        for number in dict.fromkeys(self.numbers):
            found[number] = updated(weights[number], scores[numbers == number])
        return found


def scores_of(
    actual: FloatArray,
    quantiles: FloatArray,
    levels: Sequence[float],
    floor: FloatArray | float = quantile_function.NO_FLOOR,
) -> FloatArray:
    """Return the normal scores of what came true under forecasts.

    Parameters
    ----------
    actual : ndarray, shape (windows, steps)
        NaN where missing.
    quantiles : ndarray, shape (windows, steps, Q)
        The forecasts, NaN where there is none.
    levels : sequence of float, length Q
    floor : ndarray of shape (windows, 1) or float
        Lowest possible values.

    Returns
    -------
    ndarray, shape (windows, steps)
        NaN where a value is missing or lies on a point mass of its forecast, and where the forecast
        is a single value.
    """
    at = actual[..., None]
    with np.errstate(invalid="ignore", over="ignore"):
        reached = quantile_function.cdf(quantiles, levels, at, floor)[..., 0]
        mass = quantile_function.point_mass(quantiles, levels, at, floor)[..., 0]
    usable = (mass == 0) & (quantiles[..., 0] < quantiles[..., -1])
    reached = np.clip(reached, _OUTERMOST, 1 - _OUTERMOST)
    return normal_scores(np.where(usable, reached, np.nan))


def _until(column: Column, stop: int) -> Column:
    return column._replace(values=column.values[:stop])
