"""Anomalies of plain series."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping
from typing import TYPE_CHECKING, Any

from timer_forecaster.failures import Failures, reasons_with_names, warn_of_failures
from timer_forecaster.frames.labels import Labels
from timer_forecaster.inference.anomalies.columns import STEP
from timer_forecaster.inference.anomalies.data import Data
from timer_forecaster.inference.anomalies.report import AnomalyReport
from timer_forecaster.inference.anomalies.running import judge
from timer_forecaster.inference.anomalies.settings import AnomalySettings
from timer_forecaster.inference.covariates.arguments import tables_beside
from timer_forecaster.inference.covariates.columns import as_covariates
from timer_forecaster.inference.frequency_warning import frequencies_beside
from timer_forecaster.inference.series import timed_series

if TYPE_CHECKING:
    from timer_forecaster.inference.pipeline import ForecastPipeline


def anomalies_of_series(
    pipeline: ForecastPipeline,
    series: Any,
    settings: AnomalySettings,
    freq: Any,
    beside: tuple[Any, Any, Collection[Hashable], Any],
) -> AnomalyReport:
    """Judge the steps of series; see `ForecastPipeline.detect_anomalies`.

    Parameters
    ----------
    pipeline : ForecastPipeline
    series : array, sequence or mapping
    settings : AnomalySettings
    freq : str, pandas offset or int, or list of them, optional
    beside : tuple
        Known and past covariates, names of categories, and cycles.
    """
    failures = Failures(settings.on_error)
    timed = timed_series(series, failures, "detect_anomalies_frame")
    values = timed.values
    pipeline.check_number(len(values))
    keys = list(series) if isinstance(series, Mapping) else list(range(len(values)))
    steps = frequencies_beside(freq, timed.times, pipeline.network.config)
    tables = None
    if not settings.options.ignores_covariates:
        tables = tables_beside(series, timed, beside, steps, failures)
        if tables is not None:  # refused here, not at the first origin
            lengths = [len(one) for one in values]
            as_covariates(tables.known, tables.past, tables.categories, lengths, 0, failures)
    # Copies, which the report keeps: a user may write into the array that was given.
    values = [one[:0] if i in failures.reasons else one.copy() for i, one in enumerate(values)]
    labels = Labels.of_numbers(keys, [len(one) for one in values], STEP)
    return report_of(pipeline, Data(values, labels, steps, tables), settings, failures)


def report_of(
    pipeline: ForecastPipeline, data: Data, settings: AnomalySettings, failures: Failures
) -> AnomalyReport:
    """Judge the steps of series, and warn of series that cannot be read.

    Parameters
    ----------
    pipeline : ForecastPipeline
    data : Data
    settings : AnomalySettings
    failures : Failures
        Has noted series that could not be read so far.
    """
    found = judge(pipeline, data, settings, failures)
    reasons = dict(sorted(failures.by_number().items()))
    name = data.labels.names.__getitem__
    warn_of_failures(reasons, len(data.series), name)
    reasons = reasons_with_names(reasons, name)
    return AnomalyReport(data.series, data.labels, settings, found, reasons)
