"""Forecasts, backtests and sample paths of the series of a dataset, on Ray."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from timer_forecaster.checkpoints.registry import TIMER_S1_SMALL
from timer_forecaster.inference.covariates import CovariateOptions
from timer_forecaster.inference.options import ForecastOptions
from timer_forecaster.inference.pipeline import ForecastPipeline
from timer_forecaster.ray.running import Way, allows_gpus, run
from timer_forecaster.ray.sources import Data
from timer_forecaster.scale import (
    BacktestTask,
    ForecastTask,
    PathsTask,
    SeriesColumns,
    Task,
    Totals,
)

Names = str | Sequence[str] | None


def forecast(
    data: Data,
    horizon: int,
    *,
    id_column: str,
    time_column: str,
    target_columns: str | Sequence[str],
    output: str | Path,
    levels: Sequence[float] = (0.1, 0.5, 0.9),
    freq: str | int | None = None,
    future: Data = None,
    known_columns: Names = None,
    past_columns: Names = None,
    categories: Names = None,
    context_length: int | None = None,
    rollout: str = "auto",
    flip: bool = False,
    batch_size: int | None = None,
    covariates: str | CovariateOptions = "auto",
    padding: str = "mean",
    quality: str = "fast",
    nonnegative: bool | str = "auto",
    checkpoint: str | Path = TIMER_S1_SMALL,
    adapter: Any = None,
    device: str = "auto",
    dtype: Any = "auto",
    quantization: str | None = None,
    workers: int | None = None,
    partitions: int | None = None,
    progress: bool = True,
) -> Totals:
    """Forecast every series of a dataset, and write the forecasts as Parquet files.

    The dataset is cut into partitions of whole series by the ids. Workers, one for each GPU or
    core, load the network once, answer partitions, and write each as a whole file. A second call
    with the same arguments answers the partitions that are not finished; a worker that dies is
    replaced. Each series has the forecast that `ForecastPipeline.predict_frame` gives it.

    Parameters
    ----------
    data : ray.data.Dataset, str, Path, or sequence of str or Path
        A long table: a row for each id and time, in any order. A dataset of Ray, or the path or
        paths of Parquet files or of folders of them. Its rows are counted before the run.
    horizon : int
        Steps to forecast of each series.
    id_column, time_column : str
        Columns of ids and of times.
    target_columns : str or sequence of str
        Columns to forecast.
    output : str or Path
        A new or empty folder, or the folder of a call that was stopped. On a cluster it lies on a
        disk that all machines share. ``forecast/*.parquet`` have the columns of
        `ForecastPipeline.predict_frame`; ``rejected/*.parquet`` have the id, the target and the
        reason of each series that cannot be forecast.
    levels : sequence of float
        Quantile levels.
    freq : str or int, optional
        Step of the times. Name it if you can: without it a series whose own times show no step
        takes the step that most series of its partition have.
    future : ray.data.Dataset, str, Path, or sequence of str or Path, optional
        Rows over the horizon: ids, times and known columns. Default: rows of ``data`` with empty
        targets hold them.
    known_columns, past_columns, categories : str or sequence of str, optional
        Covariates, as in `ForecastPipeline.predict_frame`.
    context_length, rollout, flip, batch_size, covariates, padding, quality
        As in `ForecastPipeline.predict`.
    nonnegative : {"auto", True, False}
        As in `ForecastPipeline.predict`.
    checkpoint : str or Path
        Registry name, folder or hub id, which all machines can read.
    adapter : Adapter, str or Path, optional
        The result of finetuning, or its folder.
    device : {"auto", "cpu"}
        ``"auto"``: the GPUs that the cluster has, each with one worker; cores if there are none.
    dtype, quantization
        As in `ForecastPipeline.from_pretrained`.
    workers : int, optional
        Number of workers. Default: one for each GPU, or for each core.
    partitions : int, optional
        Number of partitions. Default: by the number of rows. A worker holds one at a time, with the
        answers about it: name more where its memory is short.
    progress : bool
        Show a bar, if standard error is a terminal.

    Returns
    -------
    Totals
        Numbers of ids, of rows that were read and written, and of rejected series, of this call
        and of those that it continues.

    Raises
    ------
    ValueError, TypeError
        If an argument or a column cannot be used, or ``output`` is of another run. The error names
        it.
    ImportError
        If Ray Data is not installed.

    Warns
    -----
    SeriesWarning
        If series have no forecast.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from timer_forecaster.ray import forecast
    >>> days = np.tile(pd.date_range("2024-01-01", periods=60), 2)
    >>> shops = np.repeat(["a", "b"], 60)
    >>> frame = pd.DataFrame({"shop": shops, "day": days, "sold": np.arange(120.0) % 7})
    >>> frame.to_parquet("sales.parquet")
    >>> names = {"id_column": "shop", "time_column": "day", "target_columns": "sold"}
    >>> forecast("sales.parquet", 7, output="forecasts", partitions=2, **names)
    Totals(series=2, rows=120, forecast_rows=14, rejected=0)
    >>> len(pd.read_parquet("forecasts/forecast"))
    14
    """
    names = time_column, id_column, target_columns, freq, known_columns, past_columns, categories
    how = context_length, rollout, flip, batch_size, covariates, padding, quality, nonnegative
    task = _task(ForecastTask, names, how, horizon, tuple(levels))
    load, run = (checkpoint, adapter, dtype, quantization, device), (workers, partitions, progress)
    return _run(data, future, task, output, load, run)


def backtest(
    data: Data,
    horizon: int,
    *,
    id_column: str,
    time_column: str,
    target_columns: str | Sequence[str],
    output: str | Path,
    windows: int = 5,
    step: int | None = None,
    min_history: int | None = None,
    seasonality: int | None = None,
    baselines: Sequence[str] = (),
    levels: Sequence[float] = (0.1, 0.5, 0.9),
    freq: str | int | None = None,
    known_columns: Names = None,
    past_columns: Names = None,
    categories: Names = None,
    context_length: int | None = None,
    rollout: str = "auto",
    flip: bool = False,
    batch_size: int | None = None,
    covariates: str | CovariateOptions = "auto",
    padding: str = "mean",
    quality: str = "fast",
    nonnegative: bool | str = "auto",
    checkpoint: str | Path = TIMER_S1_SMALL,
    adapter: Any = None,
    device: str = "auto",
    dtype: Any = "auto",
    quantization: str | None = None,
    workers: int | None = None,
    partitions: int | None = None,
    progress: bool = True,
) -> Totals:
    """Forecast the past of every series of a dataset from rolling origins.

    Parameters
    ----------
    data, id_column, time_column, target_columns, output, freq
        As in `forecast`. The files have the columns of ``BacktestResult.forecasts``.
    horizon : int
        Steps of each window.
    windows, step, min_history, seasonality, levels
        As in `ForecastPipeline.backtest_frame`.
    baselines : sequence of str
        Names of models beside Seasonal Naive.
    known_columns, past_columns, categories
        Covariates: columns of ``data``.
    context_length, rollout, flip, batch_size, covariates, padding, quality
        As in `ForecastPipeline.predict`.
    nonnegative : {"auto", True, False}
        As in `ForecastPipeline.predict`.
    checkpoint, adapter, device, dtype, quantization, workers, partitions, progress
        As in `forecast`.

    Returns
    -------
    Totals

    Raises
    ------
    ValueError, TypeError, ImportError
        As `forecast`.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from timer_forecaster.ray import backtest
    >>> days = pd.date_range("2024-01-01", periods=60)
    >>> frame = pd.DataFrame({"shop": "a", "day": days, "sold": np.arange(60.0) % 7})
    >>> frame.to_parquet("shop.parquet")
    >>> names = {"id_column": "shop", "time_column": "day", "target_columns": "sold"}
    >>> totals = backtest("shop.parquet", 7, windows=3, output="backtest", partitions=1, **names)
    >>> pd.read_parquet("backtest/forecast")["model"].unique().tolist()
    ['timer-s1-small', 'seasonal_naive']
    """
    names = time_column, id_column, target_columns, freq, known_columns, past_columns, categories
    how = context_length, rollout, flip, batch_size, covariates, padding, quality, nonnegative
    where = windows, step, min_history, seasonality, tuple(levels), tuple(baselines)
    load, run = (checkpoint, adapter, dtype, quantization, device), (workers, partitions, progress)
    return _run(data, None, _task(BacktestTask, names, how, horizon, *where), output, load, run)


def sample_paths(
    data: Data,
    horizon: int,
    n: int,
    *,
    id_column: str,
    time_column: str,
    target_columns: str | Sequence[str],
    output: str | Path,
    random_state: int = 0,
    past_windows: int = 0,
    freq: str | int | None = None,
    future: Data = None,
    known_columns: Names = None,
    past_columns: Names = None,
    categories: Names = None,
    context_length: int | None = None,
    rollout: str = "auto",
    flip: bool = False,
    batch_size: int | None = None,
    covariates: str | CovariateOptions = "auto",
    padding: str = "mean",
    quality: str = "fast",
    nonnegative: bool | str = "auto",
    checkpoint: str | Path = TIMER_S1_SMALL,
    adapter: Any = None,
    device: str = "auto",
    dtype: Any = "auto",
    quantization: str | None = None,
    workers: int | None = None,
    partitions: int | None = None,
    progress: bool = True,
) -> Totals:
    """Draw joint paths of every series of a dataset.

    Parameters
    ----------
    data, horizon, id_column, time_column, target_columns, output, freq
        As in `forecast`. The files have the columns of `ForecastPipeline.sample_paths_frame`.
    n : int
        Number of paths of each series.
    random_state : int
        Seed. A second call draws the same paths.
    past_windows : int
        As in `ForecastPipeline.sample_paths`.
    future, known_columns, past_columns, categories
        As in `forecast`.
    context_length, rollout, flip, batch_size, covariates, padding, quality
        As in `ForecastPipeline.predict`.
    nonnegative : {"auto", True, False}
        As in `ForecastPipeline.predict`.
    checkpoint, adapter, device, dtype, quantization, workers, partitions, progress
        As in `forecast`.

    Returns
    -------
    Totals

    Raises
    ------
    ValueError, TypeError, ImportError
        As `forecast`.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from timer_forecaster.ray import sample_paths
    >>> days = pd.date_range("2024-01-01", periods=60)
    >>> frame = pd.DataFrame({"shop": "a", "day": days, "sold": np.arange(60.0) % 7})
    >>> frame.to_parquet("paths.parquet")
    >>> names = {"id_column": "shop", "time_column": "day", "target_columns": "sold"}
    >>> totals = sample_paths("paths.parquet", 7, 100, output="paths", partitions=1, **names)
    >>> totals.forecast_rows  # 100 paths of 7 steps
    700
    """
    names = time_column, id_column, target_columns, freq, known_columns, past_columns, categories
    how = context_length, rollout, flip, batch_size, covariates, padding, quality, nonnegative
    task = _task(PathsTask, names, how, horizon, n, past_windows, random_state)
    load, run = (checkpoint, adapter, dtype, quantization, device), (workers, partitions, progress)
    return _run(data, future, task, output, load, run)


def _task(
    kind: Callable[..., Task], names: tuple[Any, ...], how: tuple[Any, ...], *asked: Any
) -> Task:
    """Return a task from names of columns, what is asked, and the options of a forecast."""
    return kind(_columns(*names), *asked, ForecastOptions(*how))


def _columns(
    time_column: str,
    id_column: str,
    target_columns: Names,
    freq: str | int | None,
    *covariates: Names,
) -> SeriesColumns:
    targets, *others = map(_names, (target_columns, *covariates))
    return SeriesColumns(time_column, id_column, targets or (), freq, *others)


def _names(given: Names) -> tuple[str, ...] | None:
    if given is None or isinstance(given, str):
        return None if given is None else (given,)
    return tuple(given)


def _run(
    data: Data,
    future: Data,
    task: Task,
    output: str | Path,
    network: tuple[str | Path, Any, Any, str | None, str],
    division: tuple[int | None, int | None, bool],
) -> Totals:
    """Run a task with the pipeline of the caller, which computes nothing itself."""
    checkpoint, adapter, dtype, quantization, device = network
    pipeline = ForecastPipeline.from_pretrained(
        checkpoint, device="cpu", dtype=dtype, quantization=quantization, adapter=adapter
    )
    workers, partitions, progress = division
    way = Way(workers, partitions, allows_gpus(pipeline, device), progress)
    return run(data, future, pipeline, task, output, way)
