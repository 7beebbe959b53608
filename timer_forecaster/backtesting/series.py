"""Backtests of plain series."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping, Sequence
from typing import Any

from timer_forecaster.arrays import FloatArray
from timer_forecaster.backtesting.data import Data
from timer_forecaster.backtesting.result import BacktestResult
from timer_forecaster.backtesting.running import run
from timer_forecaster.backtesting.seasons import season_of
from timer_forecaster.backtesting.settings import BacktestSettings, Way
from timer_forecaster.failures import Failures
from timer_forecaster.frames.labels import Labels
from timer_forecaster.inference.covariates.arguments import tables_beside
from timer_forecaster.inference.frequency_warning import frequencies_beside
from timer_forecaster.inference.options import ForecastOptions
from timer_forecaster.inference.pipeline import ForecastPipeline
from timer_forecaster.inference.scaling import check_finite
from timer_forecaster.inference.series import timed_series


def backtest(
    pipeline: ForecastPipeline,
    series: Any,
    horizon: int,
    *,
    windows: int = 5,
    step: int | None = None,
    min_history: int | None = None,
    baselines: Any = (),
    seasonality: int | None = None,
    levels: Sequence[float] = BacktestSettings.levels,
    freq: Any = None,
    known: Any = None,
    past: Any = None,
    categories: Collection[Hashable] = (),
    cycles: Any = None,
    on_error: str = "raise",
    progress: bool = False,
    parts: Any = None,
    **options: Any,
) -> BacktestResult:
    """Forecast the past of series from rolling origins, and score the forecasts.

    Parameters
    ----------
    pipeline : ForecastPipeline
    series : array of shape (steps,), array of shape (n_series, steps), or list of 1-D arrays
        As in `ForecastPipeline.predict`.
    horizon, windows, step, min_history, baselines, seasonality, levels, parts
        As in `ForecastPipeline.backtest_frame`.
    freq : str, pandas offset or int, or list of them, optional
        Frequency of all series or of each. Networks that read frequencies get it. The season comes
        from it, and so do the cycles beside covariates. Default: that of the dates of a series of
        pandas or xarray.
    known, past : frame or array of shape (steps, columns), or list of them, optional
        Covariates: one table for each series, whose last row belongs to the last step of the
        series. Known columns are read up to the last step of each window, past columns up to the
        step before it.
    categories, cycles, on_error, progress
        As in `ForecastPipeline.predict`.
    **options
        Fields of `ForecastOptions`, such as ``context_length``.

    Returns
    -------
    BacktestResult
        Its series are told apart by their numbers, or by the keys of a mapping.

    Raises
    ------
    ValueError, TypeError
        As `ForecastPipeline.backtest_frame`.

    Examples
    --------
    >>> import numpy as np
    >>> from timer_forecaster import ForecastPipeline
    >>> from timer_forecaster.backtesting import backtest
    >>> pipe = ForecastPipeline.from_pretrained("timer-s1-small")
    >>> result = backtest(pipe, [np.arange(60.0), np.arange(40.0) % 7], 7, seasonality=7)
    >>> len(result.windows)
    9
    """
    settings = BacktestSettings(horizon, windows, step, min_history, seasonality, levels)
    way = Way(ForecastOptions.of(options), baselines, on_error, progress, parts)
    failures = Failures(on_error)
    timed = timed_series(series, failures, "backtest_frame")
    values = _finite(timed.values, failures)
    n_series = len(values)
    pipeline.check_number(n_series)
    keys = list(series) if isinstance(series, Mapping) else list(range(n_series))
    dated = frequencies_beside(freq, timed.times, pipeline.network.config)
    beside = known, past, categories, cycles
    covariates = tables_beside(series, timed, beside, dated, failures)
    labels = Labels.of_numbers(keys, [len(one) for one in values])
    seasons = [settings.seasonality or season_of(one) for one in dated]
    data = Data(values, labels, dated, seasons, covariates, failures.by_number())
    return run(pipeline, data, settings, way)


def _finite(series: list[FloatArray], failures: Failures) -> list[FloatArray]:
    """Return copies, which a result keeps; empty in place of series with infinite values."""
    for number, values in enumerate(series):
        try:
            check_finite(values, f"series[{number}]")
        except ValueError as error:
            failures.add(number, error, str(error).removeprefix(f"series[{number}] "))
    return [y[:0] if number in failures.reasons else y.copy() for number, y in enumerate(series)]
