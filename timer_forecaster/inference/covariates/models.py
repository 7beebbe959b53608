"""Linear models of one series: its part that covariates explain, on six scales.

A model adds its part to the forecast of a remainder, or, on the logarithmic scale, multiplies by
it. Its coefficients are fitted once on the whole history, and once without each group of windows of
the rolling check.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from timer_forecaster.arrays import FloatArray
from timer_forecaster.inference.covariates.cycles import Cycles
from timer_forecaster.inference.covariates.features import Features
from timer_forecaster.inference.covariates.ridge import Ridge, Span

_OUTLIERS = 8  # median absolute deviations that a target is cut at
_MAD_TO_DEVIATION = 1.4826
_MOST_LOG = 5.0  # largest part on the logarithmic scale: a factor of 148


class Model(NamedTuple):
    """A fitted model of one series."""

    name: str
    log: bool
    """Whether parts are logarithms of factors."""
    parts: FloatArray
    """Parts over steps and horizon, (1 + groups, steps + horizon): of the fit on the whole history,
    then of the fit without each group."""
    coefficients: FloatArray
    """Of the fit on the whole history, (features,), in units of the target or of its logarithm."""

    def remainder(self, series: FloatArray, fit: int, span: Span) -> FloatArray:
        """Return the steps of a series without the part of a fit."""
        part = self.parts[fit, span.start : span.stop]
        values = series[span.start : span.stop]
        return values / np.exp(part) if self.log else values - part

    def restored(self, quantiles: FloatArray, fit: int, start: int) -> FloatArray:
        """Return quantiles (horizon, Q) of a remainder with the part of a fit."""
        part = self.parts[fit, start : start + len(quantiles), None]
        return quantiles * np.exp(part) if self.log else quantiles + part


def fitted_models(
    names: Sequence[str],
    series: FloatArray,
    features: Features,
    cycles: Cycles,
    horizon: int,
    without: Sequence[Span],
) -> list[Model]:
    """Fit models to one series.

    Parameters
    ----------
    names : sequence of str
        Some of `timer_forecaster.inference.covariate_options.MODELS`. Those on the logarithmic
        scale are left out if a value is not positive.
    series : ndarray, shape (steps,)
        NaN where missing.
    features : Features
    cycles : Cycles
    horizon : int
    without : sequence of Span
        Steps that one fit each leaves out.

    Returns
    -------
    list of Model
        In the order of `names`.
    """
    scales = _scales(series)
    by_name: dict[str, Model] = {}
    if any("differences" not in name for name in names):
        by_name |= _of_levels(scales, series, features, cycles, horizon, without)
    if any("differences" in name for name in names):
        by_name |= _of_differences(scales, series, features, cycles, without)
    return [by_name[name] for name in names if name in by_name]


class _Scale(NamedTuple):
    """A scale that models are fitted on."""

    prefix: str
    log: bool
    values: FloatArray  # the series on this scale
    unit: float  # of the parts


def _scales(series: FloatArray) -> list[_Scale]:
    spread = float(np.nanstd(series)) or 1.0
    scales = [_Scale("", False, series / spread, spread)]
    if np.nanmin(series) > 0:
        scales.append(_Scale("log ", True, np.log(series), 1.0))
    return scales


def _of_levels(
    scales: Sequence[_Scale],
    series: FloatArray,
    features: Features,
    cycles: Cycles,
    horizon: int,
    without: Sequence[Span],
) -> dict[str, Model]:
    """Return models of the values: the part of the covariates alone, and with the cycles."""
    steps, n = len(series), features.matrix.shape[1]
    design = np.concatenate([features.matrix, cycles.columns(series, horizon)], axis=1)
    seen = np.isfinite(series)
    design = design - design[:steps][seen].mean(axis=0)
    cut = [_without_outliers(scale.values) for scale in scales]
    targets = np.stack([values - np.nanmean(values) for values in cut], axis=1)
    found = Ridge(design[:steps], n, targets).coefficients(without)
    models = {}
    for i, scale in enumerate(scales):
        own = found[..., i] * scale.unit
        covariates = _bounded(own[:, :n] @ design[:, :n].T, scale)
        both = _bounded(own @ design.T, scale)
        for name, parts in (("levels", covariates), ("levels+cycles", both)):
            name = scale.prefix + name
            models[name] = Model(name, scale.log, parts, own[0, :n])
    return models


def _of_differences(
    scales: Sequence[_Scale],
    series: FloatArray,
    features: Features,
    cycles: Cycles,
    without: Sequence[Span],
) -> dict[str, Model]:
    """Return models of the differences from the season before."""
    steps, lag, matrix = len(series), cycles.season, features.matrix
    differences = [scale.values[lag:] - scale.values[:-lag] for scale in scales]
    if not np.isfinite(differences[0]).any():
        return {}
    targets = np.stack([_without_outliers(values) for values in differences], axis=1)
    design = matrix[lag:steps] - matrix[: steps - lag]
    spans = [Span(max(0, span.start - lag), span.stop) for span in without]
    found = Ridge(design, matrix.shape[1], targets).coefficients(spans)
    centered = matrix - matrix[:steps].mean(axis=0)
    models = {}
    for i, scale in enumerate(scales):
        own = found[..., i] * scale.unit
        name = scale.prefix + "differences"
        models[name] = Model(name, scale.log, _bounded(own @ centered.T, scale), own[0])
    return models


def _bounded(parts: FloatArray, scale: _Scale) -> FloatArray:
    return np.clip(parts, -_MOST_LOG, _MOST_LOG) if scale.log else parts


def _without_outliers(values: FloatArray) -> FloatArray:
    """Return values cut at a number of deviations from their median."""
    median = np.nanmedian(values)
    deviation = float(np.nanmedian(np.abs(values - median))) * _MAD_TO_DEVIATION
    if not deviation > 0:
        deviation = float(np.nanstd(values)) + 1e-12
    return np.clip(values, median - _OUTLIERS * deviation, median + _OUTLIERS * deviation)
