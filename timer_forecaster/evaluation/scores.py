"""All scores of the leaderboard, of windows that come one batch after the other."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from timer_forecaster.arrays import FloatArray
from timer_forecaster.evaluation import metrics
from timer_forecaster.evaluation.metrics import LEVELS, MSIS_ALPHA, ratio
from timer_forecaster.inference import quantiles as quantile_function
from timer_forecaster.values import as_floats

_MEDIAN = LEVELS.index(0.5)


class _Mean(NamedTuple):
    """A mean, or a root of a mean square, of so many values."""

    value: float
    number: int

    @classmethod
    def of(cls, values: FloatArray) -> _Mean:
        """Return the mean of finite values."""
        return cls(metrics.mean_of_finite(values), int(np.isfinite(values).sum()))

    @classmethod
    def of_squares(cls, values: FloatArray) -> _Mean:
        """Return the root of the mean square of observed values, which may leave the range."""
        observed = values[~np.isnan(values)]
        if not observed.size:
            return cls(math.nan, 0)
        # A power of two: division by it rounds nothing.
        unit = math.ldexp(1.0, math.frexp(observed.max())[1] - 1) if observed.max() else 1.0
        return cls(unit * math.sqrt(float(np.mean((observed / unit) ** 2))), observed.size)


class Scores:
    """The scores of windows, without their forecasts.

    Examples
    --------
    >>> scores, windows = Scores(), np.arange(12.0).reshape(4, 3)
    >>> for part in (windows[:1], windows[1:]):
    ...     scores.add(part, np.repeat(part[..., None] + 2, 9, axis=-1), np.ones(len(part)))
    >>> scores.result()["MASE[0.5]"]
    2.0
    """

    def __init__(self) -> None:
        self._means: dict[str, list[_Mean]] = {}
        self._sums: list[tuple[float, float]] = []

    def add(self, targets: npt.ArrayLike, quantiles: npt.ArrayLike, scales: npt.ArrayLike) -> None:
        """Add windows; the parameters are those of :func:`score`."""
        self._sums.append(metrics.quantile_sums(targets, quantiles))
        targets, quantiles = as_floats(targets, "targets"), as_floats(quantiles, "quantiles")
        median, absolute = quantiles[..., _MEDIAN], np.abs(targets - quantiles[..., _MEDIAN])
        ends = np.array([MSIS_ALPHA / 2, 1 - MSIS_ALPHA / 2])
        interval = quantile_function.evaluate(quantiles, LEVELS, ends)
        inside = (quantiles[..., 0] <= targets) & (targets <= quantiles[..., -1])
        points = {
            "MAE[0.5]": absolute,
            "MASE[0.5]": metrics.scaled_errors(targets, median, scales),
            "MAPE[0.5]": metrics.percentage_errors(targets, median),
            "sMAPE[0.5]": metrics.symmetric_errors(targets, median),
            "MSIS": metrics.interval_scores(targets, interval[..., 0], interval[..., 1], scales),
            "size": np.abs(targets),
            "coverage": np.where(np.isnan(targets), np.nan, inside),
        }
        means = {name: _Mean.of(values) for name, values in points.items()}
        for name, mean in {**means, "root": _Mean.of_squares(absolute)}.items():
            self._means.setdefault(name, []).append(mean)

    def result(self) -> dict[str, float]:
        """Return the scores of all windows, as :func:`score` does."""
        mean = {name: _joined(parts) for name, parts in self._means.items()}
        root = _joined_roots(self._means["root"])
        size, mean_square = mean["size"], root * root  # infinite or zero beyond the range
        losses, sizes = map(sum, zip(*self._sums, strict=True))
        return {
            "MSE[mean]": mean_square,
            "MSE[0.5]": mean_square,
            "MAE[0.5]": mean["MAE[0.5]"],
            "MASE[0.5]": mean["MASE[0.5]"],
            "MAPE[0.5]": mean["MAPE[0.5]"],
            "sMAPE[0.5]": mean["sMAPE[0.5]"],
            "MSIS": mean["MSIS"],
            "RMSE[mean]": root,
            "NRMSE[mean]": ratio(root, size),
            "ND[0.5]": ratio(mean["MAE[0.5]"], size),
            "mean_weighted_sum_quantile_loss": ratio(losses, sizes),
            "coverage": mean["coverage"],
        }


def score(
    targets: npt.ArrayLike, quantiles: npt.ArrayLike, scales: npt.ArrayLike
) -> dict[str, float]:
    """Compute every score of the leaderboard, and the coverage of the 80 % interval.

    The median serves as the mean, and the 0.025 and 0.975 quantiles of the MSIS come from
    exponential tails through the two outer levels. The leaderboard treats all forecasters of
    quantiles so (``gluonts.model.forecast.QuantileForecast``).

    Parameters
    ----------
    targets : array-like (n, horizon)
    quantiles : array-like (n, horizon, 9)
        At :data:`LEVELS`.
    scales : array-like (n,)
        The seasonal error of each window's context.

    Returns
    -------
    dict
        Scores by the names of the leaderboard, without ``eval_metrics/``, and ``coverage``.

    Examples
    --------
    >>> import numpy as np
    >>> from timer_forecaster.evaluation import score
    >>> quantiles = np.linspace(8.0, 12.0, 9).reshape(1, 1, 9)
    >>> scores = score([[11.0]], quantiles, scales=[2.0])
    >>> scores["MASE[0.5]"], scores["coverage"]
    (0.5, 1.0)
    """
    scores = Scores()
    scores.add(targets, quantiles, scales)
    return scores.result()


def _joined(parts: list[_Mean]) -> float:
    """Return the mean of all values from the means of some."""
    known = [part for part in parts if part.number]
    total = sum(part.number for part in known)
    return sum(part.value * (part.number / total) for part in known) if total else math.nan


def _joined_roots(parts: list[_Mean]) -> float:
    """Return the root of the mean square of all values."""
    known = [part for part in parts if part.number]
    largest = max((part.value for part in known), default=math.nan)
    if not largest > 0:  # zero, or nothing is observed
        return largest
    squares = [_Mean((part.value / largest) ** 2, part.number) for part in known]
    return largest * math.sqrt(_joined(squares))
