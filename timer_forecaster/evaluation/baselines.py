"""Seasonal Naive and Naive, as in the published rows of the benchmark."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from timer_forecaster.arrays import FloatArray
from timer_forecaster.checks import check_integer
from timer_forecaster.evaluation.gift_eval import Configuration
from timer_forecaster.evaluation.metrics import LEVELS
from timer_forecaster.values import as_floats

_BLOCK_VALUES = 2**21
"""Largest number of context values in one block (16 MiB)."""


def fill_missing(contexts: npt.ArrayLike) -> FloatArray:
    """Fill each missing value with the last observed one, and a leading gap with the first.

    A context without any observed value becomes zeros (GluonTS's ``LastValueImputation``, which
    GIFT-Eval's Seasonal Naive uses).

    Parameters
    ----------
    contexts : array-like (..., steps)

    Returns
    -------
    array (..., steps)

    Examples
    --------
    >>> fill_missing([[float("nan"), 2.0, float("nan"), 4.0]])
    array([[2., 2., 2., 4.]])
    """
    values = as_floats(contexts, "contexts")
    missing = np.isnan(values)
    if not missing.any():
        return values
    first = np.argmin(missing, axis=-1)[..., None]
    filled = values.copy()
    filled[..., :1] = np.nan_to_num(np.take_along_axis(values, first, axis=-1))
    # Every row now begins with a value. So no gap of the flat array reaches into the next row.
    flat = filled.reshape(-1)
    gaps = np.flatnonzero(np.isnan(flat))
    begins = np.diff(gaps, prepend=-1) > 1
    flat[gaps] = flat[gaps[begins] - 1][np.cumsum(begins) - 1]
    return filled


def seasonal_naive(contexts: npt.ArrayLike, horizon: int, seasonality: int) -> FloatArray:
    """Forecast by repeating the last season.

    The forecast of step ``h`` is the newest value a whole number of seasons earlier.
    :func:`fill_missing` fills missing values first. A context shorter than a season repeats its
    last value, as :func:`~timer_forecaster.evaluation.seasonal_error` does. (The published rows
    come from the model of ``statsforecast``, which returns NaN there.)

    Parameters
    ----------
    contexts : array-like (..., steps)
    horizon, seasonality : int

    Returns
    -------
    array (..., horizon)

    Examples
    --------
    >>> seasonal_naive([[1.0, 2.0, 3.0, 4.0]], horizon=3, seasonality=2)
    array([[3., 4., 3.]])
    """
    horizon = check_integer("horizon", horizon)
    seasonality = check_integer("seasonality", seasonality)
    values = fill_missing(contexts)
    steps = values.shape[-1]
    if not steps:
        raise ValueError("context is empty; the naive forecast needs at least one step")
    lag = seasonality if seasonality <= steps else 1
    return values[..., steps - lag + np.arange(horizon) % lag]


def seasonal_naive_quantiles(
    contexts: npt.ArrayLike, horizon: int, seasonality: int, levels: Sequence[float] = LEVELS
) -> FloatArray:
    """Return the Gaussian quantile forecast of the published Seasonal Naive rows.

    The mean is :func:`seasonal_naive`; the standard deviation ``h`` steps ahead is
    ``σ √(⌊(h - 1) / m⌋ + 1)`` with σ the root mean square of ``y[t] - y[t - m]`` over the filled
    context (Hyndman & Athanasopoulos, "Forecasting: Principles and Practice", 3rd ed., section 5.5;
    ``statsforecast.models.SeasonalNaive``). σ is zero where the context has no such pair.

    Parameters
    ----------
    contexts : array-like (..., steps)
    horizon, seasonality : int
    levels : sequence of float

    Returns
    -------
    array (..., horizon, n_levels)

    Examples
    --------
    >>> seasonal_naive_quantiles([[1.0, 2.0, 1.5, 2.5]], 2, 2, levels=[0.1, 0.5, 0.9]).shape
    (1, 2, 3)
    """
    horizon = check_integer("horizon", horizon)
    seasonality = check_integer("seasonality", seasonality)
    values = fill_missing(contexts)
    center = seasonal_naive(values, horizon, seasonality)
    lag = seasonality if seasonality <= values.shape[-1] else 1
    changes = values[..., lag:] - values[..., :-lag]
    squares = np.einsum("...t,...t->...", changes, changes)
    sigma = np.sqrt(squares / max(changes.shape[-1], 1))
    spread = sigma[..., None] * np.sqrt(np.arange(horizon) // lag + 1.0)
    scores = np.array([NormalDist().inv_cdf(level) for level in levels])
    quantiles: FloatArray = center[..., None] + spread[..., None] * scores
    return quantiles


def seasonal_naive_forecaster(
    contexts: list[FloatArray], horizon: int, configuration: Configuration
) -> FloatArray:
    """Forecast with :func:`seasonal_naive_quantiles`: the benchmark's ``seasonal_naive``.

    Parameters
    ----------
    contexts : list of ndarray, each of shape (steps,)
    horizon : int
        Steps to forecast.
    configuration : Configuration
        It has the steps in a season.

    Returns
    -------
    ndarray, shape (contexts, horizon, 9)
        Quantiles at `LEVELS`.

    Examples
    --------
    >>> import numpy as np
    >>> from timer_forecaster.evaluation import Configuration, seasonal_naive_forecaster
    >>> weeks = [np.arange(30.0) % 7]
    >>> sales = Configuration("sales/D/short", "D", 3, 1, seasonality=7, series=weeks)
    >>> seasonal_naive_forecaster(sales.contexts(), 3, sales)[0, :, 4]  # medians
    array([6., 0., 1.])
    """
    return naive_quantiles(contexts, horizon, configuration.seasonality)


def naive_forecaster(contexts: list[FloatArray], horizon: int) -> FloatArray:
    """Forecast the last value, with the intervals of a random walk: the benchmark's ``naive``.

    Parameters
    ----------
    contexts : list of ndarray, each of shape (steps,)
    horizon : int
        Steps to forecast.

    Returns
    -------
    ndarray, shape (contexts, horizon, 9)
        Quantiles at `LEVELS`.

    Examples
    --------
    >>> import numpy as np
    >>> naive_forecaster([np.array([1.0, 2.0, 4.0])], horizon=2)[0, :, 4]
    array([4., 4.])
    """
    return naive_quantiles(contexts, horizon, seasonality=1)


def naive_quantiles(
    contexts: Sequence[FloatArray],
    horizon: int,
    seasonality: int,
    levels: Sequence[float] = LEVELS,
) -> FloatArray:
    """Return :func:`seasonal_naive_quantiles` of contexts of any lengths.

    Parameters
    ----------
    contexts : sequence of array (steps,)
    horizon, seasonality : int
    levels : sequence of float

    Returns
    -------
    array (len(contexts), horizon, n_levels)
    """
    quantiles = np.empty((len(contexts), horizon, len(levels)))
    for rows in _rows_of_equal_length(contexts):
        block = np.stack([contexts[row] for row in rows])
        quantiles[rows] = seasonal_naive_quantiles(block, horizon, seasonality, levels)
    return quantiles


def _rows_of_equal_length(contexts: Sequence[FloatArray]) -> Iterator[npt.NDArray[np.int64]]:
    """Yield indices of contexts of equal length, in blocks of bounded size."""
    lengths = np.array([len(context) for context in contexts])
    order = np.argsort(lengths, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(lengths[order])) + 1):
        size = max(1, _BLOCK_VALUES // max(1, lengths[rows[0]]))
        for start in range(0, len(rows), size):
            yield rows[start : start + size]
