"""Scaling: from the series of a user to standardized rows that a network reads, and back.

Series are checked, trimmed and scaled in float64, whatever the network computes in.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch

from timer_forecaster.arrays import FloatArray

LEAST_RANGE = 16 * float(np.finfo(np.float64).eps)
"""Range of a series, relative to its largest value, up to which it is a constant."""


class Row(NamedTuple):
    """A series, cut and scaled: ``series = location + scale * values``."""

    values: FloatArray  # (steps,) standardized, NaN where missing
    location: float
    scale: float  # 0 for a constant series


def as_series(series: Any) -> list[FloatArray]:
    """Return the series of any accepted input as 1-D float64 arrays.

    Parameters
    ----------
    series : array of shape (steps,), array of shape (n_series, steps), or sequence of arrays
        NaN (or a missing value of pandas) means missing.

    Raises
    ------
    TypeError
        If a series does not hold numbers, or if the input is a frame, which
        `ForecastPipeline.predict_frame` takes.
    ValueError
        If there is no series, or one is not 1-D.
    """
    if hasattr(series, "columns"):
        raise TypeError(
            "series is a frame; use predict_frame, or pass series.to_numpy().T if each column is "
            "a series"
        )
    if isinstance(series, Sequence) and not isinstance(series, str) and len(series):
        if all(np.ndim(item) == 0 for item in series):
            return [_as_floats(series, "series")]
        return [_as_vector(item, f"series[{i}]") for i, item in enumerate(series)]
    if isinstance(series, (str, Sequence)):
        raise ValueError(
            f"series={series!r} holds no series; pass a 1-D array, a list of them or a 2-D array"
        )
    array = _as_floats(series, "series")
    if array.ndim == 1:
        return [array]
    if array.ndim == 2 and len(array):
        return list(array)
    raise ValueError(
        f"series has shape {array.shape}; expected (steps,), (n_series >= 1, steps) or a list of "
        "1-D arrays"
    )


def _as_vector(item: Any, name: str) -> FloatArray:
    array = _as_floats(item, name)
    if array.ndim != 1:
        raise ValueError(f"{name} has shape {array.shape}; expected a 1-D array")
    return array


def _as_floats(item: Any, name: str) -> FloatArray:
    if isinstance(item, torch.Tensor):
        item = item.detach().cpu().double().numpy()
    elif isinstance(item, np.ma.MaskedArray):
        item = np.ma.filled(item.astype(np.float64), np.nan)
    kind = getattr(getattr(item, "dtype", None), "kind", None) or np.asarray(item).dtype.kind
    if kind not in "biufO":
        raise TypeError(f"{name} must hold real numbers, NaN where missing; its dtype is {kind!r}")
    try:
        if hasattr(item, "to_numpy"):
            # the missing values of pandas become NaN
            return np.asarray(item.to_numpy(dtype=np.float64, na_value=np.nan))
        return np.asarray(item, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{name} must hold real numbers, NaN where missing: {error}") from None


def check_finite(series: FloatArray, name: str) -> None:
    """Refuse infinities. The error holds the step of the first."""
    infinite = np.flatnonzero(np.isinf(series))
    if len(infinite):
        raise ValueError(f"{name} is infinite at step {infinite[0]}; use NaN for missing values")


def check_series(series: FloatArray, name: str, max_length: int) -> None:
    """Refuse a series that no forecast can be made from.

    Parameters
    ----------
    series : ndarray, shape (steps,)
    name : str
        Name of the series in errors.
    max_length : int
        Newest steps that the network reads.

    Raises
    ------
    ValueError
        If no value is observed, or none in the newest steps, or if a value is infinite.
    """
    missing = np.isnan(series)
    if missing.all():
        problem = "is empty" if not len(series) else f"holds {len(series)} missing values only"
        raise ValueError(f"{name} {problem}; a forecast needs at least one observed value")
    check_finite(series, name)
    if missing[-max_length:].all():
        raise ValueError(f"{name} has no observed value in its newest {max_length} steps")


def standardize(series: FloatArray, name: str, max_length: int, interior_masks: bool) -> Row:
    """Check, trim, cut and scale one series; see `check_series` and `scaled`."""
    check_series(series, name, max_length)
    return scaled(series, max_length, interior_masks)


def scaled(series: FloatArray, max_length: int, interior_masks: bool) -> Row:
    """Trim, cut and scale one series that `check_series` accepts.

    The scale is relative to the series: a series and its multiple by any factor give the same
    row, and so do a series and its shifted copy.

    Parameters
    ----------
    series : ndarray, shape (steps,)
    max_length : int
        Newest steps to keep.
    interior_masks : bool
        Whether the network understands missing values inside the context. If not, they are filled
        with the last observed value.
    """
    series = series[-max_length:]
    missing = np.isnan(series)
    first = int(missing.argmin())
    series, missing = series[first:], missing[first:]
    observed = series[~missing]
    peak = float(np.abs(observed).max())
    unit = peak or 1.0
    relative = observed / unit
    location = float(relative.mean())
    scale = float((relative - location).std())
    if np.ptp(relative) <= LEAST_RANGE:
        return Row(np.zeros_like(series), float(observed[-1]), 0.0)
    values = (series / unit - location) / scale
    if not interior_masks and missing.any():
        values = values[np.maximum.accumulate(np.where(missing, 0, np.arange(len(values))))]
    return Row(values, location * unit, scale * unit)


def in_units(rows: Sequence[Row], quantiles: FloatArray) -> FloatArray:
    """Return quantiles in the units of series; a constant series is its own forecast.

    Parameters
    ----------
    rows : sequence of Row
    quantiles : ndarray, shape (n_varying, horizon, Q)
        Standardized quantiles of the rows that vary. They may be overwritten.

    Returns
    -------
    ndarray, shape (n_rows, horizon, Q)
    """
    scale = np.array([row.scale for row in rows])
    if len(quantiles) < len(rows):
        varying, quantiles = quantiles, np.zeros((len(rows), *quantiles.shape[1:]))
        quantiles[scale > 0] = varying
    quantiles *= scale[:, None, None]
    quantiles += np.array([row.location for row in rows])[:, None, None]
    return quantiles
