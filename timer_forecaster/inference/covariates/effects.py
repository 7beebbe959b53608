"""Effects of columns: the parts of the linear models, column by column."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from timer_forecaster.arrays import FloatArray
from timer_forecaster.inference.covariate_options import MODELS
from timer_forecaster.inference.covariates.plan import Plan
from timer_forecaster.inference.covariates.report import PLAIN, CovariateReport
from timer_forecaster.inference.covariates.weights import Check


def report_of(
    plans: Sequence[Plan], checks: Sequence[Check], forecasts: Sequence[FloatArray]
) -> CovariateReport:
    """Return weights, outcomes of the check and effects.

    Parameters
    ----------
    plans : sequence of Plan
    checks : sequence of Check
    forecasts : sequence of ndarray, each of shape (1 + models, horizon, Q)
        In the units of the plans.
    """
    names = [PLAIN, *MODELS]
    weights = np.zeros((len(plans), len(names)))
    for own, plan, check in zip(weights, plans, checks, strict=True):
        own[[0, *(names.index(model.name) for model in plan.models)]] = check.weights
    return CovariateReport(
        tuple(names),
        weights,
        np.array([check.t for check in checks]),
        np.array([check.gain for check in checks]),
        np.array([check.windows for check in checks], dtype=int),
        [tuple(plan.features.names) for plan in plans],
        [_effects(*of_series) for of_series in zip(plans, checks, forecasts, strict=True)],
    )


def _effects(plan: Plan, check: Check, forecasts: FloatArray) -> FloatArray:
    """Return the effect (columns, horizon) of each column on the median, in units of the series."""
    matrix, owner, names = plan.features
    effects = np.zeros((len(names), forecasts.shape[1]))
    if not plan.models:
        return effects
    steps, middle = len(plan.series), forecasts.shape[-1] // 2
    future = matrix[steps:] - matrix[:steps][np.isfinite(plan.series)].mean(axis=0)
    for model, weight, quantiles in zip(plan.models, check.weights[1:], forecasts[1:], strict=True):
        parts = np.zeros_like(effects)
        np.add.at(parts, owner, (future * model.coefficients).T)
        effects += weight * (quantiles[:, middle] * -np.expm1(-parts) if model.log else parts)
    return effects * plan.unit
