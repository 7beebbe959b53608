"""Features: what the linear models read of the covariates of one series."""

from __future__ import annotations

from collections.abc import Hashable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from timer_forecaster.arrays import FloatArray
from timer_forecaster.inference.covariates.columns import Column, Covariates
from timer_forecaster.inference.covariates.cycles import Cycles
from timer_forecaster.inference.covariates.warning import Notes
from timer_forecaster.inference.scaling import filled, squarable_unit

_MARGIN = 0.1  # share of the observed range that a value may lie outside it
_BENDS = (0.2, 0.5, 0.8)  # quantiles of a numeric column
_MOST_CATEGORIES = 20
_LEAST_OBSERVED = 5
_FEWEST_STEPS_FOR_PAST = 20


class Features(NamedTuple):
    """Features of one series over its steps and the horizon."""

    matrix: FloatArray
    """Of shape (steps + horizon, features)."""
    owner: NDArray[np.intp]
    """Of shape (features,): number of the column that each feature comes from."""
    names: list[Hashable]
    """Names of the columns: known, then past."""

    @classmethod
    def empty(cls, steps: int) -> Features:
        """Return no features over a number of steps."""
        return cls(np.zeros((steps, 0)), np.empty(0, dtype=np.intp), [])


class _Block(NamedTuple):
    """Features of one column, and whether they are a share of steps or a quantity."""

    values: FloatArray  # (steps + horizon, features)
    numeric: bool


def features_of(
    covariates: Covariates,
    series: FloatArray,
    horizon: int,
    cycles: Cycles,
    nonlinear: bool,
    notes: Notes,
    number: int,
) -> Features:
    """Return the features of the columns of a series.

    Parameters
    ----------
    covariates : Covariates
    series : ndarray, shape (steps,)
    horizon : int
    cycles : Cycles
    nonlinear : bool
        Whether numeric columns have bends, and effects that change over the day.
    notes : Notes
        Takes warnings.
    number : int
        Number of the series, for warnings.
    """
    steps = len(series)
    parts: list[FloatArray] = []
    owner: list[int] = []
    names = [column.name for column in (*covariates.known, *covariates.past)]
    for at, column in enumerate((*covariates.known, *covariates.past)):
        known = at < len(covariates.known)
        if known and _equals(column.values[:steps], series):
            notes.add("target", column.name, number)
        if known and np.isnan(column.values[steps:]).any():
            notes.add("gap", column.name, number)
        block = _block(column, steps, notes, number) if known else _past_block(column, horizon)
        if block is None:
            least = _LEAST_OBSERVED if known else _FEWEST_STEPS_FOR_PAST
            few = np.isfinite(column.values[:steps]).sum() < least
            notes.add("few" if few else "constant", column.name, number)
            continue
        found = _expanded(block, steps, cycles, nonlinear) if known else [block.values]
        parts += found
        owner += [at] * sum(part.shape[1] for part in found)
    matrix = np.concatenate(parts, axis=1) if parts else np.zeros((steps + horizon, 0))
    return Features(matrix, np.array(owner, dtype=np.intp), names)


def _block(column: Column, steps: int, notes: Notes, number: int) -> _Block | None:
    """Return a known column standardized, or its categories; None if it is constant."""
    if column.labels is not None:
        return _categories(column, steps, notes, number)
    values = column.values / squarable_unit(column.values)
    history = values[:steps]
    observed = history[np.isfinite(history)]
    if len(observed) < _LEAST_OBSERVED:
        return None
    low, high = observed.min(), observed.max()
    spread = float(observed.std())
    if not spread > 1e-12 * max(1e-300, float(np.abs(observed).max())):
        return None
    margin = _MARGIN * (high - low)
    future = values[steps:]
    if (future < low - margin).any() or (future > high + margin).any():
        notes.add("far", column.name, number)
    values = filled(np.clip(values, low - margin, high + margin))
    if len(np.unique(observed)) == 2:
        return _Block(((values - low) / (high - low))[:, None], numeric=False)
    return _Block(((values - observed.mean()) / spread)[:, None], numeric=True)


def _categories(column: Column, steps: int, notes: Notes, number: int) -> _Block | None:
    """Return an indicator for each category but the commonest."""
    codes = column.values
    history = codes[:steps][np.isfinite(codes[:steps])].astype(int)
    counts = np.bincount(history, minlength=len(column.labels or ()))
    common = np.argsort(-counts, kind="stable")[:_MOST_CATEGORIES]
    common = common[counts[common] > 0]
    unseen = counts[codes[steps:][np.isfinite(codes[steps:])].astype(int)] == 0
    if unseen.any():
        notes.add("unseen", column.name, number)
    if len(common) < 2:
        return None
    return _Block(np.asarray(codes[:, None] == common[1:], dtype=np.float64), numeric=False)


def _past_block(column: Column, horizon: int) -> _Block | None:
    """Return a past column delayed by the horizon, so that it is known in the horizon."""
    values = column.values / squarable_unit(column.values)
    if column.labels is not None:
        block = _categories(column, len(values), Notes(), 0)
        if block is None:
            return None
        delayed = np.concatenate([np.zeros((horizon, block.values.shape[1])), block.values])
        return _Block(delayed, numeric=False)
    observed = values[np.isfinite(values)]
    if len(observed) < _FEWEST_STEPS_FOR_PAST:
        return None
    spread = float(observed.std())
    if not spread > 1e-12 * max(1e-300, float(np.abs(observed).max())):
        return None
    standard = (values - observed.mean()) / spread
    delayed = filled(np.concatenate([np.full(horizon, np.nan), standard]))
    return _Block(delayed[:, None], numeric=True)


def _expanded(block: _Block, steps: int, cycles: Cycles, nonlinear: bool) -> list[FloatArray]:
    """Return the features of a known column, and further ones that let its effect bend."""
    values, parts = block.values, [block.values]
    if not block.numeric:
        if cycles.day is None:  # an event may act a step before or after
            gap = np.zeros((1, values.shape[1]))
            parts += [np.concatenate([values[1:], gap]), np.concatenate([gap, values[:-1]])]
        return parts
    if nonlinear:
        bends = np.quantile(values[:steps], _BENDS, axis=0)
        parts += [np.maximum(0, values - bend) for bend in bends]
    if cycles.day is not None:
        if nonlinear:
            angle = 2 * np.pi * np.arange(len(values))[::-1, None] / cycles.day
            parts += [values * np.sin(angle), values * np.cos(angle)]
        parts.append(_trailing_mean(values, round(cycles.day)))
    return parts


def _trailing_mean(values: FloatArray, width: int) -> FloatArray:
    """Return the mean of the newest ``width`` values at each step, fewer at the start."""
    total = np.cumsum(values, axis=0)
    total[width:] = total[width:] - total[:-width]
    count = np.minimum(np.arange(1, len(values) + 1), width)
    return np.asarray(total / count[:, None])


def _equals(column: FloatArray, series: FloatArray) -> bool:
    """Whether a column is the series itself, or a multiple or a shifted copy of it."""
    both = np.isfinite(column) & np.isfinite(series)
    if both.sum() < _LEAST_OBSERVED:
        return False
    x, y = (values[both] / squarable_unit(values[both]) for values in (column, series))
    x, y = x - x.mean(), y - y.mean()
    power = float(x @ x) * float(y @ y)
    return power > 0 and float(x @ y) ** 2 >= (1 - 1e-12) * power
