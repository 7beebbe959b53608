"""Forecasts of steps from the values before them, in batches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from timer_forecaster.arrays import FloatArray
from timer_forecaster.failures import quietly, series_called
from timer_forecaster.inference.anomalies.data import Data
from timer_forecaster.inference.anomalies.settings import AnomalySettings
from timer_forecaster.inference.bounds import cut_off, nonnegative_of
from timer_forecaster.inference.engine.choice import engine_of
from timer_forecaster.inference.gaps import bridged, newest_read
from timer_forecaster.inference.profiles import Gate
from timer_forecaster.inference.readings import Reading
from timer_forecaster.inference.scaling import Row, scaled
from timer_forecaster.inference.series import from_first_observed
from timer_forecaster.models.network import Network

if TYPE_CHECKING:
    from timer_forecaster.inference.pipeline import ForecastPipeline


class Origin(NamedTuple):
    """An origin to forecast from: the end of a history."""

    number: int
    """Of the series."""
    values: FloatArray
    """The whole series, as it is read at the origin."""
    at: int
    """Steps before the origin."""


class Forecaster(Protocol):
    """Forecasts the step that lies a horizon after each origin."""

    def quantiles(self, origins: Sequence[Origin]) -> FloatArray:
        """Return quantiles (origins, Q), NaN where there is no forecast."""


def forecaster_of(pipeline: ForecastPipeline, data: Data, settings: AnomalySettings) -> Forecaster:
    """Return the way to forecast.

    Raises
    ------
    ValueError
        If rows of the network cannot be shared, and that was asked for.
    """
    each = EachOrigin(pipeline, data, settings)
    return each if settings.exact else SharedRows(each)


class EachOrigin:
    """Each origin by a row of its own: the forecast is what `ForecastPipeline.predict` returns.

    Parameters
    ----------
    pipeline : ForecastPipeline
    data : Data
    settings : AnomalySettings
    """

    def __init__(self, pipeline: ForecastPipeline, data: Data, settings: AnomalySettings) -> None:
        self.pipeline, self.data, self.settings = pipeline, data, settings

    def quantiles(self, origins: Sequence[Origin]) -> FloatArray:
        """Return quantiles (origins, Q), NaN where there is no forecast."""
        horizon, numbers = self.settings.horizon, [origin.number for origin in origins]
        contexts = [origin.values[: origin.at] for origin in origins]
        # Older steps are not read, so they need not be copied. Linear models of covariates look
        # further back.
        if self.data.covariates is None:
            network, options = self.pipeline.network, self.settings.options
            contexts = newest_read(contexts, network, horizon, options)
        tables = self.data.tables(numbers, [origin.at for origin in origins], horizon)
        names = [self.data.labels.names[number] for number in numbers]
        with quietly(), series_called(names):
            forecast = self.pipeline.predict(
                contexts,
                horizon,
                on_error="nan",
                freq=[self.data.freq[number] for number in numbers],
                **tables,
                **self.settings.options.arguments,
            )
        return forecast.quantiles[:, -1]


class SharedRows:
    """Origins that lie whole patches apart by one row of the network, since attention is causal.

    The row is scaled by the values before its first origin, so that no forecast looks ahead. The
    other origins of the row are forecast on a scale that is not quite their own, hence not exactly
    as `ForecastPipeline.predict` forecasts them. Short gaps are straight lines in the row too.

    Parameters
    ----------
    each : EachOrigin
        Forecasts what no row can be shared for: series that are constant so far or transformed,
        and origins after a missing value.
    """

    def __init__(self, each: EachOrigin) -> None:
        self._each, network = each, each.pipeline.network
        options, data, horizon = each.settings.options, each.data, each.settings.horizon
        if network.config.origin_step == 1:
            raise ValueError(
                "exact=False: each forecast of a TinyTimeMixer needs a row of its own; leave exact "
                "out"
            )
        if data.covariates is not None or options.both_signs or horizon > network.pass_length:
            raise ValueError(
                f"exact=False: rows are shared by forecasts of at most {network.pass_length} steps "
                "without covariates and both signs; leave exact out"
            )
        self._network: Network = network
        self._reads = options.longest_context(network.config)
        self._transforms = options.transforms(network.config)
        self._gate = Gate.of(network.config.fixed_context, near=True)

    def quantiles(self, origins: Sequence[Origin]) -> FloatArray:
        """Return quantiles (origins, Q), NaN where there is no forecast."""
        horizon, config = self._each.settings.horizon, self._network.config
        found = np.full((len(origins), len(config.quantiles)), np.nan)
        alone = self._read_otherwise(origins)
        rows, back, places = [], [], []
        for own in self._groups(origins, set(alone)):
            row = self._row([origins[place] for place in own])
            if row is None:
                alone += own
                continue
            newest = max(origins[place].at for place in own)
            rows.append(row)
            back.append([newest - origins[place].at for place in own])
            places.append(own)
        engine = engine_of(self._network)
        values = [row.values for row in rows]
        shared = engine.forecast_origins(self._network, values, back, horizon)
        for own, row, quantiles in zip(places, rows, shared, strict=True):
            found[own] = quantiles[:, -1] * row.scale + row.location
        histories = [origin.values[: origin.at] for origin in origins]
        cut_off(found[:, None], nonnegative_of(config, histories, self._each.settings.options))
        if alone:
            found[alone] = self._each.quantiles([origins[place] for place in alone])
        return found

    def _read_otherwise(self, origins: Sequence[Origin]) -> list[int]:
        """Return the places of origins whose histories are not read as they are.

        The oldest and the newest history of a series tell whether all of them are transformed.
        """
        if not self._transforms:
            return []
        of_series: dict[int, list[int]] = {}
        for place, origin in enumerate(origins):
            of_series.setdefault(origin.number, []).append(place)
        found: list[int] = []
        for places in of_series.values():
            values, ends = origins[places[0]].values, [origins[place].at for place in places]
            if any(self._is_transformed(values[:at]) for at in {min(ends), max(ends)}):
                found += places
            else:
                found += [
                    place for place in places if not np.isfinite(values[origins[place].at - 1])
                ]
        return found

    def _is_transformed(self, history: FloatArray) -> bool:
        observed = from_first_observed(history)
        return Reading.of(bridged(observed), self._gate).is_changed

    def _groups(self, origins: Sequence[Origin], left_out: set[int]) -> list[list[int]]:
        """Return the places of origins that share a row."""
        step = self._network.config.origin_step
        groups: dict[tuple[int, int], list[int]] = {}
        for place, (number, _, at) in enumerate(origins):
            if place in left_out:
                continue
            groups.setdefault((number, at % step), []).append(place)
        return list(groups.values())

    def _row(self, origins: Sequence[Origin]) -> Row | None:
        """Return a row that ends at the newest origin; None if it is constant up to the oldest."""
        oldest, newest = min(one.at for one in origins), max(one.at for one in origins)
        values = origins[0].values[:newest]
        values = bridged(values) if self._transforms else values
        before = values[max(0, newest - self._reads) : oldest]
        seen = np.flatnonzero(np.isfinite(before))
        if not len(seen):
            return None
        masks = self._network.config.interior_masks
        row = scaled(before, self._reads, masks)
        if row.scale == 0:
            return None
        read = (values[oldest - len(row.values) : newest] - row.location) / row.scale
        if not masks:
            places = np.where(np.isnan(read), 0, np.arange(len(read)))
            read = read[np.maximum.accumulate(places)]
        return row._replace(values=read)
