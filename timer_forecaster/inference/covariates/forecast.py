"""Forecasts with covariates: remainders of linear models in, weighted quantiles out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from timer_forecaster.arrays import FloatArray
from timer_forecaster.failures import Failures
from timer_forecaster.inference.bounds import cut_off, nonnegative_of
from timer_forecaster.inference.covariate_options import as_covariate_options
from timer_forecaster.inference.covariates.check import checks_of
from timer_forecaster.inference.covariates.columns import Covariates
from timer_forecaster.inference.covariates.cycles import Cycles
from timer_forecaster.inference.covariates.effects import report_of
from timer_forecaster.inference.covariates.plan import Plan, Planner
from timer_forecaster.inference.covariates.report import CovariateReport
from timer_forecaster.inference.covariates.warning import Notes
from timer_forecaster.inference.covariates.weights import Check
from timer_forecaster.inference.frequency import Frequency
from timer_forecaster.inference.options import ForecastOptions
from timer_forecaster.inference.outcome import check_outcome
from timer_forecaster.inference.prediction import predict_quantiles
from timer_forecaster.inference.profiles import Gate
from timer_forecaster.models.network import Network


def predict_with_covariates(
    network: Network,
    series: Sequence[FloatArray],
    horizon: int,
    covariates: Sequence[Covariates],
    cycles: Sequence[Cycles],
    options: ForecastOptions,
    progress: bool,
    name: str,
    failures: Failures,
    frequencies: Sequence[Frequency] | None = None,
) -> tuple[FloatArray, CovariateReport]:
    """Forecast series with covariates.

    Parameters
    ----------
    network : Network
    series : sequence of ndarray, each of shape (steps,)
    horizon : int
    covariates : sequence of Covariates
    cycles : sequence of Cycles
        Of each series.
    options : ForecastOptions
        The check does without ``flip``, and its windows are at most one pass long.
    progress : bool
        Whether to show a progress bar.
    name : str
        Name of the network in errors.
    failures : Failures
        Notes series that no forecast can be made from.
    frequencies : sequence of Frequency, optional
        Of each series, for a network that reads them.

    Returns
    -------
    quantiles : ndarray, shape (n_series, horizon, Q)
    report : CovariateReport
    """
    options.check_padding(network.config, name)
    notes, how = Notes(), as_covariate_options(options.covariates)
    planner = Planner(network, horizon, how, options.longest_history(network.config), notes)
    plans = [
        planner.plan(number, *given)
        if _sound(given[0], number, failures)
        else planner.plain(given[0])
        for number, given in enumerate(zip(series, covariates, cycles, strict=True))
    ]
    always = how.mode == "always"
    gate = _gate_of(network, horizon, options)
    checks = checks_of(network, plans, always, gate, frequencies, options.zeros_before)
    for number, (plan, check) in enumerate(zip(plans, checks, strict=True)):
        if plan.models and np.isnan(check.t):
            notes.add("unchecked" if how.mode == "always" else "short", None, number)
    notes.warn()
    asked = options, progress, name, failures, frequencies
    forecasts = _forecasts(network, plans, checks, horizon, *asked)
    pairs = zip(checks, forecasts, strict=True)
    quantiles = np.stack([np.tensordot(check.weights, own, axes=1) for check, own in pairs])
    with np.errstate(over="ignore"):  # refused in the next line
        quantiles *= np.array([plan.unit for plan in plans])[:, None, None]
    cut_off(quantiles, nonnegative_of(network.config, series, options))
    sound = [number for number in range(len(series)) if number not in failures.reasons]
    check_outcome(quantiles[sound], [series[i] for i in sound], name, numbers=sound)
    failed = [number for number in range(len(series)) if number in failures.reasons]
    quantiles[failed] = np.nan
    return quantiles, report_of(plans, checks, forecasts)


def _gate_of(network: Network, horizon: int, options: ForecastOptions) -> Gate | None:
    """Return the gate of long seasons of the forecast; None if it reads series as they are."""
    if not options.transforms(network.config):
        return None
    return Gate.of(network.config.fixed_context, near=horizon <= network.pass_length)


def _sound(series: FloatArray, number: int, failures: Failures) -> bool:
    """Whether models can be fitted; other series are refused, or forecast, without them."""
    return (
        number not in failures.reasons
        and bool(np.isfinite(series).any())
        and not bool(np.isinf(series).any())
    )


def _forecasts(
    network: Network,
    plans: Sequence[Plan],
    checks: Sequence[Check],
    horizon: int,
    options: ForecastOptions,
    progress: bool,
    name: str,
    failures: Failures,
    frequencies: Sequence[Frequency] | None,
) -> list[FloatArray]:
    """Return quantiles (1 + models, horizon, Q) of each plan, from one call of the network.

    Models without weight are not forecast: their quantiles are 0.
    """
    wanted = [
        [model for model, weight in enumerate(check.weights) if model == 0 or weight > 0]
        for check in checks
    ]
    numbers = [number for number, models in enumerate(wanted) for _ in models]
    rows = [
        plan.remainder(model, 0, plan.whole)
        for plan, models in zip(plans, wanted, strict=True)
        for model in models
    ]
    collected = Failures("nan")
    of_rows = None if frequencies is None else [frequencies[number] for number in numbers]
    asked = options, progress, name, collected, of_rows
    is_remainder = [model > 0 for models in wanted for model in models]
    found = iter(predict_quantiles(network, rows, horizon, *asked, is_remainder=is_remainder))
    _pass_on(collected, numbers, failures)
    forecasts = []
    for plan, models in zip(plans, wanted, strict=True):
        own = np.zeros((len(plan.models) + 1, horizon, len(network.config.quantiles)))
        for model in models:
            own[model] = plan.restored(model, next(found), 0, len(plan.series))
        forecasts.append(own)
    return forecasts


def _pass_on(collected: Failures, numbers: Sequence[int], failures: Failures) -> None:
    """Note failures of rows as failures of their series."""
    for row, reason in collected.by_number().items():
        number = numbers[row]
        text = reason.replace(f"series[{row}]", f"series[{number}]")
        failures.add(number, type(collected.first or ValueError())(text))
