"""The rolling check of all series: their windows in one call of the network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from timer_forecaster.arrays import FloatArray
from timer_forecaster.inference.covariates.plan import Plan
from timer_forecaster.inference.covariates.ridge import Span
from timer_forecaster.inference.covariates.weights import Check, checked_weights
from timer_forecaster.inference.covariates.windows import CheckRow
from timer_forecaster.inference.engine.choice import engine_of
from timer_forecaster.inference.frequency import Frequency, tokens_of
from timer_forecaster.inference.profiles import Gate
from timer_forecaster.inference.readings import Reading
from timer_forecaster.inference.scaling import scaled, scaled_together
from timer_forecaster.models.network import Network


class _Row(NamedTuple):
    """A row of the check: a series, or its remainder by a model."""

    number: int
    plan: Plan
    row: CheckRow
    model: int  # 0 is the series itself

    def steps(self, span: Span) -> FloatArray:
        """Return some steps of the series or remainder."""
        return self.plan.remainder(self.model, self.row.group, span)

    def read(self, gate: Gate | None) -> Reading:
        """Return the steps of the row, as a forecast after them reads the whole history."""
        start, end = self.row.span
        if gate is None:
            return Reading(self.steps(self.row.span))
        history = self.steps(Span(0, end))
        reading = Reading(history)
        if np.isfinite(history).any():
            reading = Reading.of(history, gate, is_remainder=self.model > 0)
        return reading._replace(values=reading.values[start - end :].copy())

    def restored(self, reading: Reading, quantiles: FloatArray) -> FloatArray:
        """Return quantiles (origins, steps, Q) of what was read in the units of the plan."""
        forecasts, history = [], None
        if reading.season is not None:
            history = self.steps(Span(0, self.row.span.stop))
        for own, origin in zip(quantiles, self.row.origins, strict=True):
            found = reading.in_units(own, None if history is None else history[:origin])
            forecasts.append(self.plan.restored(self.model, found, self.row.group, origin))
        return np.stack(forecasts)


def checks_of(
    network: Network,
    plans: Sequence[Plan],
    always: bool,
    gate: Gate | None = None,
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
    gate : Gate, optional
        Of the forecast, which reads series without long seasons or as square roots. Default: it
        reads series as they are.
    frequencies : sequence of Frequency, optional
        Of each plan, for a network that reads them.
    zeros_before : bool
        As in `timer_forecaster.inference.scaling.scaled`.
    """
    rows = [
        _Row(number, plan, row, model)
        for number, plan in enumerate(plans)
        if plan.models
        for row in plan.windows.rows
        for model in range(len(plan.models) + 1)
    ]
    found: dict[int, list[FloatArray]] = {}
    forecasts = _forecast(network, rows, gate, frequencies, zeros_before)
    for row, quantiles in zip(rows, forecasts, strict=True):
        found.setdefault(row.number, []).append(quantiles)
    levels = network.config.quantiles
    return [_check(plan, found.get(i, []), levels, always) for i, plan in enumerate(plans)]


def _forecast(
    network: Network,
    rows: Sequence[_Row],
    gate: Gate | None,
    frequencies: Sequence[Frequency] | None,
    zeros_before: bool,
) -> Iterator[FloatArray]:
    """Yield quantiles (origins, steps, Q) of each row, in the units of its plan."""
    config = network.config
    # Only the newest origin decides how a row is read. Each origin adds what was known there.
    readings = [row.read(gate) for row in rows]
    longest, masks = config.max_context_length, config.interior_masks
    readable = [_readable(reading.values, longest) for reading in readings]
    back = [[one.row.origins[0] - origin for origin in one.row.origins] for one in rows]
    if zeros_before:  # the context of the oldest origin is whole too
        scales = [
            scaled(values, longest + steps[-1], masks, zeros_before)
            for values, steps in zip(readable, back, strict=True)
        ]
    else:
        scales = scaled_together(readable, longest, masks)
    how = {}
    if frequencies is not None:
        how["tokens"] = tokens_of(config, [frequencies[row.number] for row in rows])
    steps = max((row.plan.windows.length for row in rows), default=1)
    values = [own.values for own in scales]
    found = engine_of(network).forecast_origins(network, values, back, steps, **how)
    for row, reading, own, quantiles in zip(rows, readings, scales, found, strict=True):
        kept = quantiles[:, : row.plan.windows.length]
        yield row.restored(reading, kept * own.scale + own.location)


def _readable(values: FloatArray, longest: int) -> FloatArray:
    """Return a row that the network can read: zeros for one without a value in its context."""
    return values if np.isfinite(values[-longest:]).any() else np.zeros_like(values)


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
