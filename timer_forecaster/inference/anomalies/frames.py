"""Anomalies of frames."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from timer_forecaster.failures import Failures
from timer_forecaster.frames.covariates.tables import CovariateFrame
from timer_forecaster.frames.labels import Labels
from timer_forecaster.frames.long import check_free
from timer_forecaster.frames.panel import Panel
from timer_forecaster.inference.anomalies.columns import COLUMNS
from timer_forecaster.inference.anomalies.data import Data
from timer_forecaster.inference.anomalies.report import AnomalyReport
from timer_forecaster.inference.anomalies.series import report_of
from timer_forecaster.inference.anomalies.settings import AnomalySettings
from timer_forecaster.inference.covariates.tables import Tables

if TYPE_CHECKING:
    from timer_forecaster.inference.pipeline import ForecastPipeline


def anomalies_of_frame(
    pipeline: ForecastPipeline,
    frame: Any,
    settings: AnomalySettings,
    names: tuple[Any, Any, Any, Any],
    beside: tuple[Any, Any, Any],
) -> AnomalyReport:
    """Judge the steps of a frame; see `ForecastPipeline.detect_anomalies_frame`.

    Parameters
    ----------
    pipeline : ForecastPipeline
    frame : pandas.DataFrame, or table of another library
    settings : AnomalySettings
    names : tuple
        The columns of time, id and targets, and the frequency.
    beside : tuple
        The names of known and of past columns, and of categories.
    """
    time_column, id_column, *_ = names
    check_free(COLUMNS, time_column=time_column, id_column=id_column, result="report of anomalies")
    failures = Failures(settings.on_error)
    known, past, categories = beside
    covariates = CovariateFrame.of(frame, None, known, past, *names, categories)
    panel = Panel.of_columns(covariates.targets, *names, failures)
    pipeline.check_row(panel.columns, "frame", "targets")
    labels = Labels.of_panel(panel)
    columns: dict[str, Any] = {}
    if not settings.options.ignores_covariates:
        columns = covariates.history(panel, failures)
    refused = failures.by_number()
    series = [y[:0] if number in refused else y for number, y in enumerate(panel.series())]
    tables = Tables(**columns) if columns else None
    return report_of(pipeline, Data(series, labels, panel.steps(), tables), settings, failures)
