"""Errors of forecasts, as one number."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from timer_forecaster.arrays import FloatArray
from timer_forecaster.values import as_floats


def mse(trues: npt.ArrayLike, preds: npt.ArrayLike) -> float:
    """Return the mean squared error.

    Parameters
    ----------
    trues, preds : array-like of one shape
        True values, NaN where missing, and their forecasts. Missing values do not count.

    Returns
    -------
    float

    Raises
    ------
    TypeError, ValueError
        If an array holds no numbers, if the shapes differ, if no value is observed, or if a value
        is infinite or a forecast is NaN.

    Examples
    --------
    >>> mse([1.0, 2.0, float("nan")], [1.0, 4.0, 3.0])
    2.0
    """
    true, pred = _observed(trues, preds)
    return float(np.mean((true - pred) ** 2))


def mae(trues: npt.ArrayLike, preds: npt.ArrayLike) -> float:
    """Return the mean absolute error.

    Parameters
    ----------
    trues, preds : array-like of one shape
        As for `mse`.

    Returns
    -------
    float

    Examples
    --------
    >>> mae([1.0, 2.0], [1.0, 4.0])
    1.0
    """
    true, pred = _observed(trues, preds)
    return float(np.mean(np.abs(true - pred)))


def rmse(trues: npt.ArrayLike, preds: npt.ArrayLike) -> float:
    """Return the root of the mean squared error.

    Parameters
    ----------
    trues, preds : array-like of one shape
        As for `mse`.

    Returns
    -------
    float

    Examples
    --------
    >>> rmse([1.0, 2.0], [4.0, -1.0])
    3.0
    """
    return math.sqrt(mse(trues, preds))


def mape(trues: npt.ArrayLike, preds: npt.ArrayLike) -> float:
    """Return the mean absolute error relative to the true values, in percent.

    True values of zero do not count, since there is no error relative to them.

    Parameters
    ----------
    trues, preds : array-like of one shape
        As for `mse`.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If all true values are zero.

    Examples
    --------
    >>> mape([8.0, 0.0, 4.0], [6.0, 1.0, 5.0])
    25.0
    """
    true, pred = _observed(trues, preds)
    counts = true != 0
    if not counts.any():
        raise ValueError("trues are all zero, and a relative error needs others; use mae")
    return float(100 * np.mean(np.abs((true[counts] - pred[counts]) / true[counts])))


def _observed(trues: npt.ArrayLike, preds: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Return the observed values and their forecasts."""
    true, pred = as_floats(trues, "trues"), as_floats(preds, "preds")
    if true.shape != pred.shape:
        raise ValueError(f"trues have shape {true.shape}, and preds {pred.shape}; both must be one")
    seen = ~np.isnan(true)
    if not seen.any():
        raise ValueError("trues hold no observed value")
    for name, values in (("trues", true[seen]), ("preds", pred[seen])):
        if not np.isfinite(values).all():
            raise ValueError(f"{name} hold {values[~np.isfinite(values)][0]}, which has no error")
    return true[seen], pred[seen]
