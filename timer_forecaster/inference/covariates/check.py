"""The rolling check of all series: their windows in one call of the network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from timer_forecaster.arrays import FloatArray
from timer_forecaster.inference.covariates.plan import Plan
from timer_forecaster.inference.covariates.weights import Check, checked_weights
from timer_forecaster.inference.covariates.windows import CheckRow
from timer_forecaster.inference.engine.choice import engine_of
from timer_forecaster.inference.frequency import Frequency, tokens_of
from timer_forecaster.inference.scaling import scaled, scaled_together
from timer_forecaster.models.network import Network


class _Reading(NamedTuple):
    """A row of the check: a series, or its remainder by a model."""

    plan: int
    row: CheckRow
    model: int  # 0 is the series itself


def checks_of(
    network: Network,
    plans: Sequence[Plan],
    always: bool,
    frequencies: Sequence[Frequency] | None = None,
    zeros_before: bool = False,
) -> list[Check]:
    """Return the outcome of the check of each series.

    Parameters
    ----------
    network : Network
    plans : sequence of Plan
    always : bool
        Whether models take part in full, whatever the check shows.
    frequencies : sequence of Frequency, optional
        Of each plan, for a network that reads them.
    zeros_before : bool
        As in `timer_forecaster.inference.scaling.scaled`.
    """
    readings = [
        _Reading(i, row, model)
        for i, plan in enumerate(plans)
        if plan.models
        for row in plan.windows.rows
        for model in range(len(plan.models) + 1)
    ]
    found: dict[int, list[FloatArray]] = {}
    forecasts = _forecast(network, plans, readings, frequencies, zeros_before)
    for reading, quantiles in zip(readings, forecasts, strict=True):
        found.setdefault(reading.plan, []).append(quantiles)
    levels = network.config.quantiles
    return [_check(plan, found.get(i, []), levels, always) for i, plan in enumerate(plans)]


def _forecast(
    network: Network,
    plans: Sequence[Plan],
    readings: Sequence[_Reading],
    frequencies: Sequence[Frequency] | None,
    zeros_before: bool,
) -> Iterator[FloatArray]:
    """Yield quantiles (origins, steps, Q) of each row, in the units of its plan."""
    config = network.config
    remainders = [
        plans[plan].remainder(model, row.group, row.span) for plan, row, model in readings
    ]
    readable = [_readable(values) for values in remainders]
    back = [[row.origins[0] - origin for origin in row.origins] for _, row, _ in readings]
    longest, masks = config.max_context_length, config.interior_masks
    if zeros_before:  # the context of the oldest origin is whole too
        rows = [
            scaled(values, longest + steps[-1], masks, zeros_before)
            for values, steps in zip(readable, back, strict=True)
        ]
    else:
        rows = scaled_together(readable, longest, masks)
    how = {}
    if frequencies is not None:
        how["tokens"] = tokens_of(config, [frequencies[reading.plan] for reading in readings])
    steps = max((plans[reading.plan].windows.length for reading in readings), default=1)
    values = [row.values for row in rows]
    found = engine_of(network).forecast_origins(network, values, back, steps, **how)
    for (number, row, model), read, quantiles in zip(readings, rows, found, strict=True):
        plan = plans[number]
        own = quantiles[:, : plan.windows.length] * read.scale + read.location
        pairs = zip(own, row.origins, strict=True)
        yield np.stack([plan.restored(model, one, row.group, at) for one, at in pairs])


def _readable(values: FloatArray) -> FloatArray:
    """Return a row that the network can read: zeros for one without any value."""
    return values if np.isfinite(values).any() else np.zeros_like(values)


def _check(
    plan: Plan, quantiles: Sequence[FloatArray], levels: Sequence[float], always: bool
) -> Check:
    """Return the outcome of the check from the quantiles of its rows, models within rows."""
    n_forecasts, length = len(plan.models) + 1, plan.windows.length
    if not quantiles:
        empty = np.empty((n_forecasts, 0, length, len(levels)))
        return checked_weights(np.empty((0, length)), empty, levels, always)
    by_model = [np.concatenate(quantiles[model::n_forecasts]) for model in range(n_forecasts)]
    actual = [plan.series[origin : origin + length] for origin in plan.windows.origins]
    return checked_weights(np.stack(actual), np.stack(by_model), levels, always)
