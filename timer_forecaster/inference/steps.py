"""Forecasts of any steps of remembered series, past or future.

Steps are counted from the end of each series: 0 is its newest step, 1 the first step after it.
Future steps are forecast from the end. A past step, 0 included, is a one-step forecast from the
steps before it.
"""

from __future__ import annotations

import copy
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from timer_forecaster.arrays import FloatArray
from timer_forecaster.failures import (
    Failures,
    reasons_with_names,
    series_called,
    warn_of_failures,
)
from timer_forecaster.frames import beside
from timer_forecaster.frames.calendar.opening import Step
from timer_forecaster.frames.calendar.periods import periods_of
from timer_forecaster.frames.history import History, Memory
from timer_forecaster.frames.panel import Panel, label
from timer_forecaster.inference import memo, multiscale
from timer_forecaster.inference.covariates.tables import Tables
from timer_forecaster.inference.covariates.warning import warn_of_covariates, warned_once
from timer_forecaster.inference.forecast import Forecast
from timer_forecaster.inference.gaps import newest_read
from timer_forecaster.inference.options import ForecastOptions
from timer_forecaster.inference.pipeline import ForecastPipeline
from timer_forecaster.inference.sampling.seeds import generator_of

Steps = Mapping[Hashable, NDArray[np.intp]]
"""The steps that are asked of each instance."""


class Covariates(NamedTuple):
    """Covariates of a forecast."""

    remembered: beside.Beside
    rows: pd.DataFrame | None
    """Rows of columns that are known over the horizon; None if no column is."""


def steps_to_remember(options: ForecastOptions) -> int:
    """Return the number of newest steps that a forecast by any network can read."""
    return max(multiscale.LOOK_BACK, options.context_length or 0)


def forecast_steps(
    pipeline: ForecastPipeline,
    memory: Memory,
    steps: Steps,
    options: ForecastOptions,
    argument: str,
    on_error: str = "raise",
    covariates: Covariates | None = None,
) -> Forecast:
    """Forecast steps of remembered instances.

    Parameters
    ----------
    pipeline : ForecastPipeline
    memory : Memory
    steps : mapping of instance to ndarray of int
        All are forecast in one batch.
    options : ForecastOptions
    argument : str
        Name of the argument that asks for the steps, for errors.
    on_error : {"raise", "nan"}
        Whether an instance that cannot be forecast is an error, or has NaN at future steps and a
        warning.
    covariates : Covariates, optional
        They take part in forecasts of future steps. Past steps are forecast without them, and a
        warning says so.

    Returns
    -------
    Forecast
        Its quantiles are of shape (rows, variables, Q): a row for each step, the steps of the
        first instance first. They are NaN where no value was observed before a past step.

    Raises
    ------
    ValueError
        If a step lies before all that is remembered, or a series that has no newer value is asked
        for a future step.
    """
    _check_reach(memory, steps, argument)
    pipeline.check_row(list(memory.columns), "y", "columns")
    levels = pipeline.network.config.quantiles
    instance, step = _rows(steps)
    quantiles = np.empty((len(step), len(memory.columns), len(levels)))
    bounded = np.zeros(quantiles.shape[:2], dtype=bool)
    future = step > 0
    if future.any():
        ahead, never = _ahead(pipeline, memory, steps, options, on_error, covariates)
        quantiles[future] = ahead[instance[future], :, step[future] - 1]
        bounded[future] = never[instance[future]]
    if not future.all():
        past = _behind(pipeline, memory, steps, options, argument, covariates)
        quantiles[~future], bounded[~future] = past.quantiles, past.nonnegative
    return Forecast(quantiles, levels, nonnegative=bounded)


def sample_steps(
    pipeline: ForecastPipeline,
    memory: Memory,
    steps: Steps,
    n: int,
    random_state: Any,
    options: ForecastOptions,
    argument: str,
    on_error: str = "raise",
    covariates: Covariates | None = None,
) -> FloatArray:
    """Draw joint paths over the steps of remembered instances.

    Parameters
    ----------
    pipeline, memory, steps, options, argument, on_error, covariates
        As in `forecast_steps`.
    n : int
        Number of paths.
    random_state : int, numpy Generator or None
        As in `Forecast.sample_paths`.

    Returns
    -------
    ndarray, shape (n, rows, variables)
        A row for each step, as in `forecast_steps`. Future steps of a series depend on each other.
        Past steps are one-step forecasts, each with what came true before it, and are drawn
        independently.
    """
    _check_reach(memory, steps, argument)
    pipeline.check_row(list(memory.columns), "y", "columns")
    source = copy.deepcopy(generator_of(random_state))  # the caller's stays as it is
    instance, step = _rows(steps)
    values = np.empty((n, len(step), len(memory.columns)))
    future = step > 0
    if future.any():
        paths = np.full((len(steps) * len(memory.columns), n, _farthest(steps)), np.nan)
        given = pipeline, memory, steps, options, on_error, covariates
        for numbers, reach, found in _answers(*given):  # all from the same seed
            paths[numbers, :, :reach] = found.sample_paths(n, copy.deepcopy(source))
        ahead = paths.reshape(len(steps), len(memory.columns), n, -1)
        values[:, future] = np.moveaxis(ahead[instance[future], :, :, step[future] - 1], 2, 0)
    if not future.all():
        past = _behind(pipeline, memory, steps, options, argument, covariates)
        values[:, ~future] = past.sample(n, source)
    return values


def _rows(steps: Steps) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the place of the instance, and the step, of each row."""
    instance = np.repeat(range(len(steps)), [len(own) for own in steps.values()])
    return instance, np.concatenate(list(steps.values()))


def _behind(
    pipeline: ForecastPipeline,
    memory: Memory,
    steps: Steps,
    options: ForecastOptions,
    argument: str,
    covariates: Covariates | None,
) -> Forecast:
    """Return the forecast (rows, variables, Q) of past steps, each from the steps before it."""
    _refuse_past(pipeline, argument)
    if covariates is not None:
        warn_of_covariates(f"{argument}: past steps are forecast from y alone, without X")
    instance, step = _rows(steps)
    histories = [memory.histories[key] for key in steps]
    past = [histories[i] for i in instance[step <= 0]]
    each = zip(past, step[step <= 0], strict=True)
    windows = [window for history, at in each for window in _known_before(history, at)]
    frequencies = [history.step for history in past for _ in memory.columns]
    keys = list(steps)
    with series_called(_names(memory, [keys[i] for i in instance[step <= 0]])):
        found = _one_step(pipeline, windows, options, frequencies)
    shape = len(past), len(memory.columns)
    quantiles, bounded = found.quantiles.reshape(*shape, -1), found.nonnegative.reshape(shape)
    return Forecast(quantiles, found.levels, nonnegative=bounded)


def _farthest(steps: Steps) -> int:
    return max(int(own.max()) for own in steps.values())


def _refuse_past(pipeline: ForecastPipeline, argument: str) -> None:
    """Refuse past steps, which are forecast from y alone, if the network reads known columns."""
    names = [column.name for column in pipeline.network.config.known_columns]
    if names:
        raise ValueError(
            f"{argument}: past steps are forecast from y alone, and the adapter reads the columns "
            f"{names} too; ask for steps after the end, or forecast without the adapter"
        )


def _ahead(
    pipeline: ForecastPipeline,
    memory: Memory,
    steps: Steps,
    options: ForecastOptions,
    on_error: str,
    covariates: Covariates | None,
) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Return the forecast of all steps up to the farthest.

    These are quantiles (instances, variables, horizon, Q), and whether each variable of each
    instance is never negative.
    """
    n_variables, levels = len(memory.columns), pipeline.network.config.quantiles
    quantiles = np.full((len(steps) * n_variables, _farthest(steps), len(levels)), np.nan)
    bounded = np.zeros(len(quantiles), dtype=bool)
    for numbers, reach, found in _answers(pipeline, memory, steps, options, on_error, covariates):
        quantiles[numbers, :reach], bounded[numbers] = found.quantiles, found.nonnegative
    shape = len(steps), n_variables
    return quantiles.reshape(*shape, -1, len(levels)), bounded.reshape(shape)


def _answers(
    pipeline: ForecastPipeline,
    memory: Memory,
    steps: Steps,
    options: ForecastOptions,
    on_error: str,
    covariates: Covariates | None,
) -> list[tuple[list[int], int, Forecast]]:
    """Return forecasts of future steps: numbers of series, the horizon, and their forecast."""
    answers, failures, names = [], Failures(on_error), _names(memory, steps)
    with warned_once():
        for numbers, question in questions(pipeline, memory, steps, options, covariates, failures):
            series, reach, tables, freq = question
            given: dict[str, Any] = {"on_error": on_error, "tables": tables, "freq": freq}
            called = [names[number] for number in numbers]
            with series_called(called):
                found = memo.predict(pipeline, series, reach, options, **given)
            answers.append((numbers, reach, found))
            reasons = reasons_with_names(found.failures, called.__getitem__)
            for number, reason in reasons.items():
                failures.add(numbers[number], ValueError(reason))
    if failures.reasons:
        warn_of_failures(failures.by_number(), len(names), names.__getitem__)
    return answers


def questions(
    pipeline: ForecastPipeline,
    memory: Memory,
    steps: Steps,
    options: ForecastOptions,
    covariates: Covariates | None,
    failures: Failures,
) -> list[tuple[list[int], memo.Question]]:
    """Return the questions that a forecast of future steps asks.

    The series are the variables of the first instance, then of the second, and so on. All are
    forecast as far as the farthest step. With covariates each is forecast as far as it is asked,
    since a farther horizon needs covariates of later steps, and is checked on longer windows.

    Parameters
    ----------
    pipeline : ForecastPipeline
    memory : Memory
    steps : mapping of instance to ndarray of int
    options : ForecastOptions
    covariates : Covariates or None
    failures : Failures
        Notes series whose covariates cannot be used, by their numbers.

    Returns
    -------
    list of (list of int, Question)
        The numbers of series, and a question about them.
    """
    on_error, width = "nan" if failures.collects else "raise", len(memory.columns)
    pipeline.check_row(list(memory.columns), "y", "columns")
    farthest = {key: int(own.max()) for key, own in steps.items()}
    horizon = max(farthest.values())
    if horizon <= 0:
        return []
    if covariates is None:
        series = contexts(pipeline, memory, steps, options, on_error)
        question = memo.Question(series, horizon, None, _frequencies(memory, steps))
        return [(list(range(len(series))), question)]
    unusable = Failures(on_error)
    given = covariates.remembered.tables(covariates.rows, memory, steps, unusable)
    groups: dict[int, dict[Hashable, range]] = {}
    for place, key in enumerate(steps):
        own = range(place * width, place * width + width)
        for number in own if key in unusable.reasons else ():
            failures.add(number, ValueError(unusable.reasons[key]))
        if key in given:
            groups.setdefault(farthest[key], {})[key] = own
    found = []
    for reach, group in groups.items():
        series = contexts(pipeline, memory, group, options, on_error)
        tables, frequencies = _tables(memory, group, given), _frequencies(memory, group)
        question = memo.Question(series, reach, tables, frequencies)
        found.append(([number for own in group.values() for number in own], question))
    return found


def _tables(
    memory: Memory, keys: Iterable[Hashable], given: Mapping[Hashable, beside.Tables]
) -> Tables:
    """Return the covariates of all variables of instances."""
    each = [key for key in keys for _ in memory.columns]
    return Tables(
        known=[given[key].known for key in each],
        past=[given[key].past for key in each],
        cycles=[periods_of(step) for step in _frequencies(memory, keys)],
        names=_names(memory, keys),
    )


def _frequencies(memory: Memory, keys: Iterable[Hashable]) -> list[Step | None]:
    """Return the steps of the times of all variables of instances."""
    return [memory.histories[key].step for key in keys for _ in memory.columns]


def _names(memory: Memory, keys: Iterable[Hashable]) -> list[str]:
    """Return the names of the series of instances."""
    return [f"{label(key)}, column {variable!r}" for key in keys for variable in memory.columns]


def forecast_rows(
    pipeline: ForecastPipeline,
    memory: Memory,
    frame: pd.DataFrame,
    options: ForecastOptions,
    argument: str,
    covariates: Covariates | None = None,
) -> Forecast:
    """Forecast the step of every row of a frame, in the order of its rows.

    Parameters
    ----------
    pipeline : ForecastPipeline
    memory : Memory
    frame : pandas.DataFrame
        Rows of remembered instances, at any times of their grids.
    options : ForecastOptions
    argument : str
        Name of the argument that holds the frame, for errors.
    covariates : Covariates, optional
        As in `forecast_steps`.

    Returns
    -------
    Forecast
        Its quantiles are of shape (rows, variables, Q), with NaN where `forecast_steps` has it.

    Raises
    ------
    ValueError
        As `forecast_steps`; also if an instance is not remembered, or a time is not on its grid.
    """
    panel = Panel.of(frame)
    steps = memory.steps_of(panel, f"{argument}: times")
    forecast = forecast_steps(pipeline, memory, steps, options, argument, covariates=covariates)
    order = np.argsort(np.concatenate(panel.rows))
    quantiles, bounded = forecast.quantiles[order], forecast.nonnegative[order]
    return Forecast(quantiles, forecast.levels, nonnegative=bounded)


def contexts(
    pipeline: ForecastPipeline,
    memory: Memory,
    keys: Iterable[Hashable],
    options: ForecastOptions,
    on_error: str = "raise",
) -> list[FloatArray]:
    """Return the newest steps of every variable of instances, as many as any forecast can read.

    Parameters
    ----------
    pipeline : ForecastPipeline
    memory : Memory
    keys : iterable of instance
    options : ForecastOptions
    on_error : {"raise", "nan"}
        Whether a variable without a value to forecast from is an error.

    Returns
    -------
    list of ndarray, each of shape (steps,)
        Views of the memory: the variables of the first instance first.

    Raises
    ------
    ValueError
        If a variable shows no value in the steps that one pass of the network reads.
    """
    config = pipeline.network.config
    longest, newest = options.longest_history(config), options.longest_context(config)
    series: list[FloatArray] = []
    for key in keys:
        values = memory.histories[key].values
        empty = np.isnan(values[:, -newest:]).all(axis=1)
        if empty.any() and on_error == "raise":
            raise ValueError(
                f"{label(key)}: no value of column {memory.columns[int(empty.argmax())]!r} was "
                f"observed in the newest {newest} steps, which a forecast is made from"
            )
        series += list(values[:, -longest:])
    return series


def _check_reach(memory: Memory, steps: Steps, argument: str) -> None:
    """Refuse steps if every instance has one before its first remembered step."""
    starts = {key: 1 - memory.histories[key].values.shape[1] for key in steps}
    if all(own.min() < starts[key] for key, own in steps.items()):
        key, own = next(iter(steps.items()))
        raise ValueError(
            f"{argument}: step {own.min()} lies before {memory.histories[key].times()[0]}, the "
            f"first that is remembered of {label(key)}"
        )


def _known_before(history: History, step: int) -> FloatArray:
    """Return the values (variables, steps) before a past step."""
    return history.values[:, : max(0, history.values.shape[1] - 1 + step)]


def _one_step(
    pipeline: ForecastPipeline,
    windows: Sequence[FloatArray],
    options: ForecastOptions,
    frequencies: Sequence[Step | None],
) -> Forecast:
    """Return the forecast of the step after each window; NaN where it shows no value."""
    cut = newest_read(windows, pipeline.network, 1, options)
    return memo.predict(pipeline, cut, 1, options, unobserved="nan", freq=frequencies)
