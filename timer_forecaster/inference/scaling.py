"""Scaling: from series to standardized rows that a network reads, and back.

Series are checked, trimmed and scaled in float64, whatever the network computes in.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from timer_forecaster.arrays import FloatArray
from timer_forecaster.inference.outcome import room_for

LEAST_RANGE = 16 * float(np.finfo(np.float64).eps)
"""Range of a series, relative to its largest value, up to which it is a constant."""
_LARGE = 1e300
_TOGETHER = 256  # rows that are scaled at once

PADDINGS = ("mean", "released")
"""Values before a history that is shorter than the only context of a network: its mean, or zeros in
its units, which count as observed, as in the released implementation."""


class Row(NamedTuple):
    """A series, cut and scaled: ``series = location + scale * values``."""

    values: FloatArray  # (steps,) standardized, NaN where missing
    location: float
    scale: float  # 0 for a constant series


_NO_ROW = Row(np.empty(0), 0.0, 0.0)


def check_finite(series: FloatArray, name: str) -> None:
    """Refuse infinities. The error holds the step of the first."""
    infinite = np.flatnonzero(np.isinf(series))
    if len(infinite):
        raise ValueError(f"{name} is infinite at step {infinite[0]}; use NaN for missing values")


def check_series(
    series: FloatArray, name: str, max_length: int, context_length: int | None = None
) -> None:
    """Refuse a series that no forecast can be made from.

    Parameters
    ----------
    series : ndarray, shape (steps,)
    name : str
        Name of the series in errors.
    max_length : int
        Newest steps that the network reads.
    context_length : int, optional
        Newest steps that the user wants to be read.

    Raises
    ------
    ValueError
        If no value is observed, or none in the newest steps, or if a value is infinite.
    """
    cut = context_length is not None and context_length < len(series)
    read = series[-context_length:] if cut and context_length is not None else series
    missing = np.isnan(read)
    if missing.all() and (not cut or np.isnan(series).all()):
        problem = "is empty" if not len(series) else f"holds {len(series)} missing values only"
        raise ValueError(f"{name} {problem}; a forecast needs at least one observed value")
    check_finite(read, name)
    if not missing[-max_length:].all():
        return
    if cut and len(read) <= max_length:
        newest, ways = f"{len(read)} steps (context_length)", "raise context_length, or "
    else:
        newest, ways = f"{max_length} steps", ""
    raise ValueError(
        f"{name} has no observed value in its newest {newest}; {ways}leave out the missing values "
        "at its end"
    )


def standardize(series: FloatArray, name: str, max_length: int, interior_masks: bool) -> Row:
    """Check, trim, cut and scale one series; see `check_series` and `scaled`."""
    check_series(series, name, max_length)
    return scaled(series, max_length, interior_masks)


def scaled(
    series: FloatArray, max_length: int, interior_masks: bool, zeros_before: bool = False
) -> Row:
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
    zeros_before : bool
        Whether a shorter series that varies begins with observed zeros, in its own units.
    """
    return scaled_together([series], max_length, interior_masks, zeros_before)[0]


def scaled_together(
    series: Sequence[FloatArray],
    max_length: int,
    interior_masks: bool,
    zeros_before: bool = False,
) -> list[Row]:
    """Return `scaled` of each series; those with equal numbers of steps and gaps together."""
    cut = [_cut(values[-max_length:], max_length, zeros_before) for values in series]
    by_length = defaultdict(list)
    for number, values in enumerate(cut):
        by_length[len(values)].append(number)
    rows: list[Row] = [_NO_ROW] * len(cut)
    for same in by_length.values():
        for start in range(0, len(same), _TOGETHER):
            numbers = np.array(same[start : start + _TOGETHER])
            matrix = np.array([cut[number] for number in numbers])
            missing = np.isnan(matrix)
            n_missing = missing.sum(axis=1)
            for n in np.unique(n_missing):
                own = n_missing == n
                found = _scaled_alike(matrix[own], missing[own], interior_masks)
                for number, row in zip(numbers[own].tolist(), found, strict=True):
                    rows[number] = row
    return rows


def _cut(series: FloatArray, max_length: int, zeros_before: bool) -> FloatArray:
    """Return a series from its first value on, or with zeros before it."""
    if series[0] != series[0]:
        series = series[int(np.isnan(series).argmin()) :]
    if zeros_before and len(series) < max_length and varies(series[~np.isnan(series)]):
        series = np.concatenate([np.zeros(max_length - len(series)), series])
    return series


def _scaled_alike(
    series: FloatArray, missing: NDArray[np.bool_], interior_masks: bool
) -> list[Row]:
    """Scale series (rows, steps), of which all miss equally many values."""
    observed = series[~missing].reshape(len(series), -1)
    peak = np.abs(observed).max(axis=1)
    unit = np.where(peak > 0, peak, 1.0)[:, None]
    relative = observed / unit
    constant = np.ptp(relative, axis=1) <= LEAST_RANGE
    location = relative.mean(axis=1, keepdims=True)
    scale = (relative - location).std(axis=1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):  # of constants, which are 0
        values = (series / unit - location) / scale
    values[constant] = 0.0
    if not interior_masks and missing.any():
        newest = np.maximum.accumulate(np.where(missing, 0, np.arange(series.shape[1])), axis=1)
        values = np.take_along_axis(values, newest, axis=1)
    location = np.where(constant, observed[:, -1], (location * unit)[:, 0])
    scale = np.where(constant, 0.0, (scale * unit)[:, 0])
    return [Row(*row) for row in zip(values, location.tolist(), scale.tolist(), strict=True)]


def filled(values: FloatArray) -> FloatArray:
    """Return values with straight lines over gaps, and the nearest value at both ends."""
    seen = np.isfinite(values)
    if seen.all():
        return values
    place = np.arange(len(values))
    return np.interp(place, place[seen], values[seen])


def varies(observed: FloatArray) -> bool:
    """Whether observed values, at least one, are more than a constant."""
    peak = float(np.abs(observed).max())
    return bool(np.ptp(observed / (peak or 1.0)) > LEAST_RANGE)


def squarable_unit(values: FloatArray) -> float:
    """Return the power of two next to the largest value: a multiple whose squares are finite.

    Division by it changes no digit. It is 1 if no value is observed, or all are zero.
    """
    peak = float(np.nanmax(np.abs(values), initial=0.0))
    return math.ldexp(1.0, max(-1000, math.frexp(peak)[1] - 1)) if peak > 0 else 1.0


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
        varying, quantiles = quantiles, room_for(len(rows), *quantiles.shape[1:])
        quantiles[:] = 0
        quantiles[scale > 0] = varying
    location = np.array([row.location for row in rows])
    # In halves near the largest float: a step far from the level may be more than it, the sum not.
    factor = np.where(scale > _LARGE, 0.5, 1.0)
    with np.errstate(over="ignore"):  # a value beyond all floats is infinite, and is refused later
        quantiles *= (scale * factor)[:, None, None]
        quantiles += (location * factor)[:, None, None]
        quantiles /= factor[:, None, None]
    return quantiles
