"""Forecasts with covariates: remainders of linear models in, weighted quantiles out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from timer_forecaster.arrays import FloatArray
from timer_forecaster.failures import Failures
from timer_forecaster.inference.covariates.columns import Covariates
from timer_forecaster.inference.covariates.cycles import Cycles
from timer_forecaster.inference.covariates.features import Features, features_of
from timer_forecaster.inference.covariates.models import Model, fitted_models
from timer_forecaster.inference.covariates.options import (
    MODELS,
    CovariateOptions,
    as_covariate_options,
)
from timer_forecaster.inference.covariates.report import PLAIN, CovariateReport
from timer_forecaster.inference.covariates.ridge import Span
from timer_forecaster.inference.covariates.warning import Notes
from timer_forecaster.inference.covariates.weights import Check, checked_weights
from timer_forecaster.inference.covariates.windows import CheckRow, Windows, check_windows
from timer_forecaster.inference.engine.origins import forecast_origins
from timer_forecaster.inference.options import ForecastOptions
from timer_forecaster.inference.prediction import predict_quantiles
from timer_forecaster.inference.scaling import scaled
from timer_forecaster.models.timer_s1 import TimerS1Network

_LONGEST_WINDOW = 128
"""Most steps of a window of the check."""


class _Plan(NamedTuple):
    """One series with its models and the windows of its check."""

    series: FloatArray
    features: Features
    windows: Windows
    models: list[Model]


def predict_with_covariates(
    network: TimerS1Network,
    series: Sequence[FloatArray],
    horizon: int,
    covariates: Sequence[Covariates],
    cycles: Sequence[Cycles],
    options: ForecastOptions,
    progress: bool,
    name: str,
    failures: Failures,
) -> tuple[FloatArray, CovariateReport]:
    """Forecast series with covariates.

    Parameters
    ----------
    network : TimerS1Network
    series : sequence of ndarray, each of shape (steps,)
    horizon : int
    covariates : sequence of Covariates
    cycles : sequence of Cycles
        Of each series.
    options : ForecastOptions
        The check does without ``flip``, and its windows are at most one pass long.
    progress : bool
    name : str
        Name of the network in errors.
    failures : Failures

    Returns
    -------
    quantiles : ndarray, shape (n_series, horizon, Q)
    report : CovariateReport
    """
    notes, how = Notes(), as_covariate_options(options.covariates)
    always = how.mode == "always"
    longest = options.longest_history(network.config)
    plans = [
        _planned(
            network,
            values[-longest:],
            given.cut(max(0, len(values) - longest)),
            horizon,
            own,
            how,
            notes,
            number,
            number in failures.reasons,
        )
        for number, (values, given, own) in enumerate(zip(series, covariates, cycles, strict=True))
    ]
    checks = _checks(network, plans, always)
    for number, (plan, check) in enumerate(zip(plans, checks, strict=True)):
        if plan.models and np.isnan(check.t):
            notes.add("short", "", number)
    notes.warn()
    forecasts = _forecasts(network, plans, checks, horizon, options, progress, name, failures)
    averaged = [
        np.einsum("m,mhq->hq", check.weights, own)
        for check, own in zip(checks, forecasts, strict=True)
    ]
    quantiles = np.stack(averaged)
    quantiles[list(failures.by_number())] = np.nan
    return quantiles, _report(plans, checks, forecasts, horizon)


def _planned(
    network: TimerS1Network,
    series: FloatArray,
    covariates: Covariates,
    horizon: int,
    cycles: Cycles,
    how: CovariateOptions,
    notes: Notes,
    number: int,
    failed: bool,
) -> _Plan:
    """Lay the windows of a series and fit its models."""
    patch = network.config.input_token_len
    longest = min(_LONGEST_WINDOW, network.pass_length)
    effort = how.effort_for(network.config.hidden_size)
    windows = check_windows(len(series), horizon, patch, longest, how.windows, effort.groups)
    if failed or not np.isfinite(series).any():
        return _Plan(series, Features.empty(len(series) + horizon), windows, [])
    features = features_of(covariates, series, horizon, cycles, how.nonlinear, notes, number)
    if not features.matrix.shape[1]:
        return _Plan(series, features, windows, [])
    models = fitted_models(effort.models, series, features, cycles, horizon, windows.without)
    return _Plan(series, features, windows, models)


class _Reading(NamedTuple):
    """A row of the check: a series, or its remainder by a model."""

    plan: int
    row: CheckRow
    model: int  # 0 is the plain forecast


def _checks(network: TimerS1Network, plans: Sequence[_Plan], always: bool) -> list[Check]:
    """Return the outcome of the check of each series, all rows in one call of the network."""
    readings = [
        _Reading(i, row, model)
        for i, plan in enumerate(plans)
        if plan.models
        for row in plan.windows.rows
        for model in range(len(plan.models) + 1)
    ]
    found: dict[int, list[FloatArray]] = {}
    for reading, quantiles in zip(readings, _origins(network, plans, readings), strict=True):
        found.setdefault(reading.plan, []).append(quantiles)
    return [_check(network, plan, found.get(i, []), always) for i, plan in enumerate(plans)]


def _origins(
    network: TimerS1Network, plans: Sequence[_Plan], readings: Sequence[_Reading]
) -> list[FloatArray]:
    """Return quantiles (origins, steps, Q) of each row of the check, in the units of its series."""
    config = network.config
    rows = [
        scaled(
            _filled(_remainder(plans[plan], model, row.group, row.span)),
            config.max_context_length,
            config.interior_masks,
        )
        for plan, row, model in readings
    ]
    back = [[row.origins[0] - origin for origin in row.origins] for _, row, _ in readings]
    length = max((plans[reading.plan].windows.length for reading in readings), default=1)
    raw = forecast_origins(network, [row.values for row in rows], back, length)
    found = []
    for (plan, row, model), scale, quantiles in zip(readings, rows, raw, strict=True):
        steps = plans[plan].windows.length
        values = quantiles[:, :steps] * scale.scale + scale.location
        if model:
            own = plans[plan].models[model - 1]
            values = np.stack(
                [
                    own.restored(part, row.group, origin)
                    for part, origin in zip(values, row.origins, strict=True)
                ]
            )
        found.append(values)
    return found


def _remainder(plan: _Plan, model: int, fit: int, span: Span) -> FloatArray:
    """Return steps of a series, or of its remainder by a model."""
    if not model:
        return plan.series[span.start : span.stop]
    return plan.models[model - 1].remainder(plan.series, fit, span)


def _filled(values: FloatArray) -> FloatArray:
    """Return a row that the network can read, where there is none: zeros."""
    return values if np.isfinite(values).any() else np.zeros_like(values)


def _check(
    network: TimerS1Network, plan: _Plan, quantiles: Sequence[FloatArray], always: bool
) -> Check:
    """Return the outcome of the check from the quantiles of its rows, models within rows."""
    n_forecasts = len(plan.models) + 1
    levels, length = network.config.quantiles, plan.windows.length
    if not quantiles:
        empty = np.empty((n_forecasts, 0, length, len(levels)))
        return checked_weights(np.empty((0, length)), empty, levels, always)
    by_model = [np.concatenate(quantiles[m::n_forecasts]) for m in range(n_forecasts)]
    actual = np.stack([plan.series[origin : origin + length] for origin in plan.windows.origins])
    return checked_weights(actual, np.stack(by_model), levels, always)


def _forecasts(
    network: TimerS1Network,
    plans: Sequence[_Plan],
    checks: Sequence[Check],
    horizon: int,
    options: ForecastOptions,
    progress: bool,
    name: str,
    failures: Failures,
) -> list[FloatArray]:
    """Return quantiles (1 + models, horizon, Q) of each series in its units, in one call.

    Models without weight are not forecast.
    """
    wanted = [
        [m for m in range(len(plan.models) + 1) if m == 0 or check.weights[m] > 0]
        for plan, check in zip(plans, checks, strict=True)
    ]
    rows, numbers = [], []
    for i, (plan, models) in enumerate(zip(plans, wanted, strict=True)):
        whole = Span(0, len(plan.series))
        rows += [_remainder(plan, model, 0, whole) for model in models]
        numbers += [i] * len(models)
    collected = Failures("nan")
    quantiles = predict_quantiles(network, rows, horizon, options, progress, name, collected)
    _pass_on(collected, numbers, failures)
    found, at = [], 0
    for plan, models in zip(plans, wanted, strict=True):
        own = np.zeros((len(plan.models) + 1, *quantiles.shape[1:]))
        for model in models:
            raw = quantiles[at]
            own[model] = plan.models[model - 1].restored(raw, 0, len(plan.series)) if model else raw
            at += 1
        found.append(own)
    return found


def _pass_on(collected: Failures, numbers: Sequence[int], failures: Failures) -> None:
    """Note failures of rows as failures of their series."""
    for row, reason in collected.by_number().items():
        number = numbers[row]
        text = reason.replace(f"series[{row}]", f"series[{number}]")
        error = collected.first if collected.first is not None else ValueError(text)
        failures.add(number, type(error)(text), text)


def _report(
    plans: Sequence[_Plan],
    checks: Sequence[Check],
    forecasts: Sequence[FloatArray],
    horizon: int,
) -> CovariateReport:
    """Return weights, checks and effects."""
    names = [PLAIN, *MODELS]
    weights = np.zeros((len(plans), len(names)))
    effects = []
    for i, (plan, check) in enumerate(zip(plans, checks, strict=True)):
        weights[i, [0, *(names.index(model.name) for model in plan.models)]] = check.weights
        effects.append(_effects(plan, check, forecasts[i], horizon))
    return CovariateReport(
        tuple(names),
        weights,
        np.array([check.t for check in checks]),
        np.array([check.gain for check in checks]),
        np.array([check.windows for check in checks], dtype=int),
        [tuple(plan.features.names) for plan in plans],
        effects,
    )


def _effects(plan: _Plan, check: Check, forecasts: FloatArray, horizon: int) -> FloatArray:
    """Return the effect (columns, horizon) of each column on the median."""
    matrix, owner, names = plan.features
    effects = np.zeros((len(names), horizon))
    if not plan.models:
        return effects
    steps = len(plan.series)
    future = matrix[steps:] - matrix[:steps][np.isfinite(plan.series)].mean(axis=0)
    middle = forecasts.shape[-1] // 2
    for model, weight, quantiles in zip(plan.models, check.weights[1:], forecasts[1:], strict=True):
        terms = (future * model.coefficients).T
        parts = np.zeros_like(effects)
        np.add.at(parts, owner, terms)
        effects += weight * (quantiles[:, middle] * -np.expm1(-parts) if model.log else parts)
    return effects
