"""Tasks: what a pipeline is asked about each partition, as values that other processes can take."""

from __future__ import annotations

import dataclasses
import re
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import pandas as pd

from timer_forecaster.checks import check_integer
from timer_forecaster.failures import recorded_failures
from timer_forecaster.frames.long import (
    PATH_COLUMNS,
    TARGET,
    VALUE,
    check_free,
    level_columns,
)
from timer_forecaster.inference.options import DEFAULT, ForecastOptions
from timer_forecaster.inference.pipeline import ForecastPipeline

REASON = "reason"
"""Column of the table of rejected series that says why."""

_ROW = re.compile(
    r"\bdata row \d+(?:,\d{3})*\b"
)  # its number in a partition, which nobody can look up


def without_rows(text: str) -> str:
    """Return a reason without the number of a row.

    Examples
    --------
    >>> without_rows("data row 1,234, 'soon', cannot be read")
    "a row, 'soon', cannot be read"
    """
    return _ROW.sub("a row", text)


class PartitionAnswer(NamedTuple):
    """The answer of a task about a partition.

    Parameters
    ----------
    table : pandas.DataFrame
        The answers of the series that have one; without columns if none has.
    rejected : pandas.DataFrame
        The id, the target and the reason of each series without an answer.

    Examples
    --------
    >>> import pandas as pd
    >>> from timer_forecaster import ForecastPipeline
    >>> from timer_forecaster.scale import ForecastTask, SeriesColumns, answer_partition
    >>> days = pd.date_range("2024-01-01", periods=60)
    >>> frame = pd.DataFrame({"shop": "a", "day": days, "sold": range(60)})
    >>> pipe = ForecastPipeline.from_pretrained("timer-s1-small")
    >>> task = ForecastTask(SeriesColumns("day", "shop", ["sold"]), horizon=7)
    >>> answer = answer_partition(pipe, frame, task)
    >>> len(answer.table), len(answer.rejected)
    (7, 0)
    """

    table: pd.DataFrame
    rejected: pd.DataFrame


@dataclasses.dataclass(frozen=True)
class SeriesColumns:
    """The columns of a long frame, as arguments of `ForecastPipeline.predict_frame`.

    Parameters
    ----------
    time_column, id_column : str
    target_columns : sequence of str
        They are named, since a default would depend on the values of a partition.
    freq : str or int, optional
        Step of the times. Without one, a series whose own times show no step takes the step that
        most series of its partition have.
    known_columns, past_columns, categories : sequence of str, optional
        Covariates. Rows with empty targets hold known columns over the horizon.

    Examples
    --------
    >>> from timer_forecaster.scale import SeriesColumns
    >>> SeriesColumns("day", "shop", ["sold"], known_columns=["price"]).names
    ['shop', 'day', 'sold', 'price']
    """

    time_column: str
    id_column: str
    target_columns: Sequence[str]
    freq: str | int | None = None
    known_columns: Sequence[str] | None = None
    past_columns: Sequence[str] | None = None
    categories: Sequence[str] | None = None

    @property
    def names(self) -> list[str]:
        """The columns that are read, each once."""
        others = [*(self.known_columns or ()), *(self.past_columns or ())]
        named = [self.id_column, self.time_column, *self.target_columns, *others]
        return list(dict.fromkeys([*named, *(self.categories or ())]))

    @property
    def arguments(self) -> dict[str, Any]:
        """The columns as keyword arguments."""
        given = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return {name: list(v) if isinstance(v, tuple) else v for name, v in given.items()}

    def label(self, key: Any) -> str:
        """Return how errors and warnings begin that are about a series of an id.

        :meta private:
        """
        return f"{self.id_column} {key!r}"

    def rejected(self, reasons: Mapping[tuple[Any, str], str]) -> pd.DataFrame:
        """Return the table of rejected series.

        :meta private:

        Parameters
        ----------
        reasons : mapping of (id, target) to str
        """
        rows = [(key, target, without_rows(reason)) for (key, target), reason in reasons.items()]
        return pd.DataFrame(rows, columns=[self.id_column, TARGET, REASON])


class Task(Protocol):
    """What a pipeline is asked about a partition."""

    @property
    def columns(self) -> SeriesColumns:
        """The columns of the partitions."""

    def answer(self, pipeline: ForecastPipeline, frame: pd.DataFrame) -> PartitionAnswer:
        """Ask about whole series; raise an error that cannot be laid to one of them."""

    def rows_of_series(self) -> int:
        """Return the most rows that the answer about one series has."""

    def described(self) -> dict[str, Any]:
        """Return the settings by their names."""


@dataclasses.dataclass(frozen=True)
class ForecastTask:
    """Quantiles of the future, as `ForecastPipeline.predict_frame` returns them.

    Parameters
    ----------
    columns : SeriesColumns
    horizon : int
        Steps to forecast.
    levels : sequence of float
        Quantile levels.
    options : ForecastOptions

    Raises
    ------
    ValueError, TypeError
        If a setting cannot be used. The error names it.

    Examples
    --------
    >>> from timer_forecaster.scale import ForecastTask, SeriesColumns
    >>> ForecastTask(SeriesColumns("day", "shop", ["sold"]), horizon=7).levels
    (0.1, 0.5, 0.9)
    """

    columns: SeriesColumns
    horizon: int
    levels: Sequence[float] = (0.1, 0.5, 0.9)
    options: ForecastOptions = DEFAULT

    def __post_init__(self) -> None:
        """Check the settings before any series is read."""
        check_integer("horizon", self.horizon)
        self._names()

    def _names(self) -> list[str]:
        """Return the names of the columns of quantiles."""
        times, ids = self.columns.time_column, self.columns.id_column
        return list(level_columns(self.levels, time_column=times, id_column=ids))

    def answer(self, pipeline: ForecastPipeline, frame: pd.DataFrame) -> PartitionAnswer:
        """Forecast whole series.

        :meta private:
        """
        with recorded_failures() as reasons:
            table = pipeline.predict_frame(
                frame,
                self.horizon,
                levels=self.levels,
                on_error="nan",
                **self.columns.arguments,
                **self.options.arguments,
            )
        return _answered(table, self._names(), reasons, self.columns)

    def rows_of_series(self) -> int:
        """Return the rows of the forecast of one id.

        :meta private:
        """
        return self.horizon * len(self.columns.target_columns)

    def described(self) -> dict[str, Any]:
        """Return the settings by their names.

        :meta private:
        """
        return _described(self)


@dataclasses.dataclass(frozen=True)
class PathsTask:
    """Joint sample paths, as `ForecastPipeline.sample_paths_frame` returns them.

    Paths follow from the seed and the values of a series. So equal series of two partitions have
    equal paths, where those of one partition differ.

    Parameters
    ----------
    columns : SeriesColumns
    horizon, paths : int
        Steps and number of the paths of each series.
    past_windows, seed : int
        As in `ForecastPipeline.sample_paths_frame`.
    options : ForecastOptions

    Raises
    ------
    ValueError, TypeError
        If a setting cannot be used. The error names it.

    Examples
    --------
    >>> import pandas as pd
    >>> from timer_forecaster import ForecastPipeline
    >>> from timer_forecaster.scale import PathsTask, SeriesColumns, answer_partition
    >>> days = pd.date_range("2024-01-01", periods=60)
    >>> frame = pd.DataFrame({"shop": "a", "day": days, "sold": [1.0, 3.0, 2.0] * 20})
    >>> pipe = ForecastPipeline.from_pretrained("timer-s1-small")
    >>> task = PathsTask(SeriesColumns("day", "shop", ["sold"]), horizon=3, paths=10)
    >>> len(answer_partition(pipe, frame, task).table)
    30
    """

    columns: SeriesColumns
    horizon: int
    paths: int
    past_windows: int = 0
    seed: int = 0
    options: ForecastOptions = DEFAULT

    def __post_init__(self) -> None:
        """Check the settings before any series is read."""
        for name, least in {"horizon": 1, "paths": 1, "past_windows": 0, "seed": 0}.items():
            check_integer(name, getattr(self, name), least)
        times, ids = self.columns.time_column, self.columns.id_column
        check_free(PATH_COLUMNS, time_column=times, id_column=ids)

    def answer(self, pipeline: ForecastPipeline, frame: pd.DataFrame) -> PartitionAnswer:
        """Draw paths of whole series.

        :meta private:
        """
        with recorded_failures() as reasons:
            table = pipeline.sample_paths_frame(
                frame,
                self.horizon,
                self.paths,
                random_state=self.seed,
                past_windows=self.past_windows,
                on_error="nan",
                **self.columns.arguments,
                **self.options.arguments,
            )
        return _answered(table, [VALUE], reasons, self.columns)

    def rows_of_series(self) -> int:
        """Return the rows of the paths of one id.

        :meta private:
        """
        return self.horizon * self.paths * len(self.columns.target_columns)

    def described(self) -> dict[str, Any]:
        """Return the settings by their names.

        :meta private:
        """
        return _described(self)


@dataclasses.dataclass(frozen=True)
class BacktestTask:
    """Forecasts of the past, as `ForecastPipeline.backtest_frame` returns them.

    The answer is the table `BacktestResult.forecasts`.

    Parameters
    ----------
    columns : SeriesColumns
    horizon : int
        Steps of each window.
    windows, step, min_history, seasonality, levels
        As in `ForecastPipeline.backtest_frame`.
    baselines : sequence of str
        Names of models beside Seasonal Naive.
    options : ForecastOptions

    Raises
    ------
    ValueError, TypeError
        If a setting cannot be used. The error names it.

    Examples
    --------
    >>> import pandas as pd
    >>> from timer_forecaster import ForecastPipeline
    >>> from timer_forecaster.scale import BacktestTask, SeriesColumns, answer_partition
    >>> days = pd.date_range("2024-01-01", periods=60)
    >>> frame = pd.DataFrame({"shop": "a", "day": days, "sold": [1.0, 3.0, 2.0] * 20})
    >>> pipe = ForecastPipeline.from_pretrained("timer-s1-small")
    >>> task = BacktestTask(SeriesColumns("day", "shop", ["sold"]), horizon=3, windows=2)
    >>> answer_partition(pipe, frame, task).table["model"].unique().tolist()
    ['timer-s1-small', 'seasonal_naive']
    """

    columns: SeriesColumns
    horizon: int
    windows: int = 5
    step: int | None = None
    min_history: int | None = None
    seasonality: int | None = None
    levels: Sequence[float] = (0.1, 0.5, 0.9)
    baselines: Sequence[str] = ()
    options: ForecastOptions = DEFAULT

    def __post_init__(self) -> None:
        """Check the settings before any series is read."""
        from timer_forecaster.backtesting.settings import BacktestSettings

        BacktestSettings(**self._windows)

    @property
    def _windows(self) -> dict[str, Any]:
        names = ("horizon", "windows", "step", "min_history", "seasonality", "levels")
        return {name: getattr(self, name) for name in names}

    def answer(self, pipeline: ForecastPipeline, frame: pd.DataFrame) -> PartitionAnswer:
        """Forecast windows of whole series.

        :meta private:
        """
        from timer_forecaster.backtesting import BacktestWarning

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", BacktestWarning)
            result = pipeline.backtest_frame(
                frame,
                baselines=self.baselines,
                on_error="nan",
                **self._windows,
                **self.columns.arguments,
                **self.options.arguments,
            )
        names, ids = result.data.labels.names, result.data.labels.ids
        keys = ids[self.columns.id_column].tolist()
        targets = ids[TARGET].tolist()
        reasons = {
            (key, target): result.left_out[name].removeprefix(f"{name}: ")
            for name, key, target in zip(names, keys, targets, strict=True)
            if name in result.left_out
        }
        return PartitionAnswer(result.forecasts, self.columns.rejected(reasons))

    def rows_of_series(self) -> int:
        """Return the most rows of the forecasts of one id.

        :meta private:
        """
        models = 2 + len(self.baselines)
        return self.horizon * self.windows * models * len(self.columns.target_columns)

    def described(self) -> dict[str, Any]:
        """Return the settings by their names.

        :meta private:
        """
        return _described(self)


def _answered(
    table: pd.DataFrame,
    values: Sequence[str],
    reasons: Mapping[str, str],
    columns: SeriesColumns,
) -> PartitionAnswer:
    """Part the rows of series that have no answer, whose reasons are known by their names."""
    if not reasons:
        return PartitionAnswer(table, columns.rejected({}))
    without = table[values].isna().all(axis=1)
    bad = table.loc[without, [columns.id_column, TARGET]].drop_duplicates()
    found = {
        (key, target): reasons[f"{columns.label(key)}: target {target!r}"]
        for key, target in zip(bad[columns.id_column].tolist(), bad[TARGET].tolist(), strict=True)
    }
    return PartitionAnswer(table[~without].reset_index(drop=True), columns.rejected(found))


def _described(task: Any) -> dict[str, Any]:
    """Return the kind and the settings of a task, flat and by their names."""
    found: dict[str, Any] = {"task": type(task).__name__}
    for field in dataclasses.fields(task):
        value = getattr(task, field.name)
        parts = {field.name: value}
        if dataclasses.is_dataclass(value):
            parts = {one.name: getattr(value, one.name) for one in dataclasses.fields(value)}
        found |= parts
    return found
