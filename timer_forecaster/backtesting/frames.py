"""Backtests of frames."""

from __future__ import annotations

from typing import Any

from timer_forecaster.backtesting.columns import COLUMNS
from timer_forecaster.backtesting.data import Data
from timer_forecaster.backtesting.result import BacktestResult
from timer_forecaster.backtesting.running import run
from timer_forecaster.backtesting.seasons import season_of
from timer_forecaster.backtesting.settings import BacktestSettings, Way
from timer_forecaster.failures import Failures
from timer_forecaster.frames.covariates.tables import CovariateFrame
from timer_forecaster.frames.labels import Labels
from timer_forecaster.frames.long import check_free, level_columns
from timer_forecaster.frames.panel import Panel
from timer_forecaster.inference.covariates.tables import Tables
from timer_forecaster.inference.pipeline import ForecastPipeline


def backtest_tables(
    pipeline: ForecastPipeline,
    tables: tuple[Any, Any, Any, Any],
    names: tuple[Any, Any, Any, Any],
    categories: Any,
    settings: BacktestSettings,
    way: Way,
) -> BacktestResult:
    """Forecast the past of a frame; see `ForecastPipeline.backtest_frame`.

    Parameters
    ----------
    pipeline : ForecastPipeline
    tables : tuple
        The frame, the frame of the future, and the names of known and of past columns.
    names : tuple
        The columns of time, id and targets, and the frequency.
    categories : hashable or sequence of hashable, optional
    settings : BacktestSettings
    way : Way
    """
    time_column, id_column, *_ = names
    names_given = {"time_column": time_column, "id_column": id_column}
    taken = [*COLUMNS, *level_columns(settings.levels, **names_given)]
    check_free(taken, **names_given, result="backtest")
    failures = Failures(way.on_error)
    beside = CovariateFrame.of(*tables, *names, categories)
    panel = Panel.of_columns(beside.targets, *names, failures)
    pipeline.check_row(panel.columns, "frame", "targets")
    labels = Labels.of_panel(panel)
    columns: dict[str, Any] = {}
    if not way.options.ignores_covariates:
        columns = beside.history(panel, failures)
    refused = failures.by_number()
    freq = panel.steps()
    data = Data(
        [y[:0] if number in refused else y for number, y in enumerate(panel.series())],
        labels,
        freq,
        [settings.seasonality or season_of(step) for step in freq],
        Tables(**columns, names=labels.names) if columns else None,
        refused,
    )
    return run(pipeline, data, settings, way)
