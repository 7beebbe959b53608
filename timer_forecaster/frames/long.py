"""Frames in, long frames with future time stamps out.

Series are cut out of a frame by id and target column, laid on the regular grid of their step (a
step that is absent becomes a missing value) and forecast in one call of the pipeline.
"""

from collections.abc import Hashable, Sequence
from typing import Protocol

import numpy as np
import pandas as pd
from pandas.tseries.offsets import BaseOffset

from timer_forecaster.arrays import FloatArray
from timer_forecaster.frames.panel import _axes, _Axis, _Block, _blocks
from timer_forecaster.frames.times import Step, future_times

TARGET = "target"


def column_name(level: float) -> str:
    """Name of a level's column in a frame: "q0.1" for 0.1."""
    return f"q{level:.12g}"


class _Forecast(Protocol):
    def quantile(self, level: float) -> FloatArray: ...


class Predictor(Protocol):
    """What a frame needs of a pipeline."""

    def predict(
        self,
        series: Sequence[FloatArray],
        horizon: int,
        *,
        context_length: int | None,
        rollout: str,
        flip: bool,
        batch_size: int | None,
        progress: bool,
    ) -> _Forecast:
        """Forecast 1-D arrays; `quantile(level)` of the result is (n_series, horizon)."""


def forecast_frame(
    pipeline: Predictor,
    frame: pd.DataFrame,
    horizon: int,
    *,
    time_column: Hashable,
    id_column: Hashable | None = None,
    target_columns: Sequence[Hashable] | str | None = None,
    levels: Sequence[float] = (0.1, 0.5, 0.9),
    freq: str | int | BaseOffset | None = None,
    context_length: int | None = None,
    rollout: str = "auto",
    flip: bool = False,
    batch_size: int | None = None,
    progress: bool = False,
) -> pd.DataFrame:
    """Forecast every id and every target column of a frame, all in one batch.

    Parameters
    ----------
    pipeline : ForecastPipeline
        Or any object with its `predict`.
    frame : pandas.DataFrame
        Long (one row per id and time) or wide (one column per series); rows in any order. NaN
        means missing, and so does a row that is absent from the regular grid of times.
    horizon : int
        Steps to forecast after the newest time of each id.
    time_column : hashable
        Column, or name of the index, with dates (time zones are kept), periods, integers, or
        texts of them.
    id_column : hashable, optional
        Column that tells the series of a long frame apart. Default: the frame is one id.
    target_columns : str or sequence of hashable, optional
        Column or columns to forecast. Default: all numeric columns but the id and the time.
    levels : sequence of float
        Quantile levels, each in (0, 1).
    freq : str, int or pandas offset, optional
        Step of the times, such as "h", "B" or "MS" (an integer for integer times). Default: each
        id's own regular step, else the one most ids have, else the most common distance of its
        times.
    context_length, rollout, flip, batch_size, progress
        As in `ForecastPipeline.predict`.

    Returns
    -------
    pandas.DataFrame
        A row per id, target and future time, in the frame's order of ids and targets. Columns:
        the id column if there is one, ``target`` (name of the target column), the time column,
        and one per level, named ``q0.1``.

    Raises
    ------
    ValueError, TypeError
        Naming the argument, column, series or row that cannot be used, and what would work.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from timer_forecaster import ForecastPipeline
    >>> times = pd.date_range("2024-01-01", periods=96, freq="h")
    >>> load = pd.DataFrame({"time": times, "mw": np.sin(np.arange(96) * np.pi / 12)})
    >>> pipe = ForecastPipeline.from_pretrained("timer-s1-mini")
    >>> pipe.predict_frame(load, 24, time_column="time").columns.tolist()
    ['target', 'time', 'q0.1', 'q0.5', 'q0.9']
    """
    frame = _with_columns(frame, time_column, id_column)
    targets = _target_columns(frame, target_columns, time_column, id_column)
    names = _level_names(levels, {"time_column": time_column, "id_column": id_column})
    blocks = _blocks(frame, time_column, id_column)
    axes = _axes(blocks, freq)
    forecast = pipeline.predict(
        _series(frame, targets, blocks, axes),
        horizon,
        context_length=context_length,
        rollout=rollout,
        flip=flip,
        batch_size=batch_size,
        progress=progress,
    )
    columns: dict[Hashable, object] = {}
    if id_column is not None:
        ids = frame[id_column].take([block.rows[0] for block in blocks])
        columns[id_column] = ids.repeat(len(targets) * horizon).reset_index(drop=True)
    columns[TARGET] = np.tile(np.repeat(np.array(targets, dtype=object), horizon), len(blocks))
    columns[time_column] = _future_column(axes, len(targets), horizon)
    for level, name in zip(levels, names, strict=True):
        columns[name] = np.asarray(forecast.quantile(level)).ravel()
    return pd.DataFrame(columns)


def series_of(
    frame: pd.DataFrame,
    *,
    time_column: Hashable,
    id_column: Hashable | None = None,
    target_columns: Sequence[Hashable] | str | None = None,
    freq: str | int | BaseOffset | None = None,
) -> list[FloatArray]:
    """Cut a frame into the series that `forecast_frame` forecasts from.

    Parameters and errors are those of `forecast_frame`.

    Returns
    -------
    list of ndarray, each of shape (steps,)
        For each id its targets in order, NaN where missing.
    """
    frame = _with_columns(frame, time_column, id_column)
    targets = _target_columns(frame, target_columns, time_column, id_column)
    blocks = _blocks(frame, time_column, id_column)
    return _series(frame, targets, blocks, _axes(blocks, freq))


def _with_columns(
    frame: pd.DataFrame, time_column: Hashable, id_column: Hashable | None
) -> pd.DataFrame:
    """Return the frame with time and id among its columns."""
    if not isinstance(frame, pd.DataFrame):
        raise TypeError(f"frame must be a pandas.DataFrame, not {type(frame).__name__}")
    wanted = {"time_column": time_column, "id_column": id_column}
    wanted = {role: name for role, name in wanted.items() if name is not None}
    in_index = [name for name in frame.index.names if name in wanted.values()]
    frame = frame.reset_index(level=in_index) if in_index else frame
    if not frame.columns.is_unique:
        twice = frame.columns[frame.columns.duplicated()][0]
        raise ValueError(f"frame: column {twice!r} is there more than once")
    for role, name in wanted.items():
        _require_column(frame, role, name)
    if time_column == id_column:
        raise ValueError(f"id_column and time_column are both {time_column!r}")
    if frame.empty:
        raise ValueError("frame: there are no rows to forecast from")
    return frame


def _require_column(frame: pd.DataFrame, role: str, name: Hashable) -> None:
    if name not in frame.columns:
        raise ValueError(f"{role}: there is no column {name!r}; there are {list(frame.columns)}")


def _target_columns(
    frame: pd.DataFrame,
    given: Sequence[Hashable] | str | None,
    time_column: Hashable,
    id_column: Hashable | None,
) -> list[Hashable]:
    if given is None:
        numeric = frame.select_dtypes("number", exclude="timedelta").columns
        targets: list[Hashable] = [n for n in numeric if n not in (time_column, id_column)]
        if not targets:
            raise ValueError(
                f"target_columns: no column of {list(frame.columns)} but the time and id is numeric"
            )
        return targets
    targets = [given] if isinstance(given, str) else list(given)
    if not targets or len(set(targets)) < len(targets):
        raise ValueError(f"target_columns={targets}: name at least one column, each once")
    for name in targets:
        _require_column(frame, "target_columns", name)
        if name in (time_column, id_column):
            raise ValueError(f"target_columns: {name!r} is the time or the id column")
    return targets


def _level_names(levels: Sequence[float], taken: dict[str, Hashable | None]) -> list[str]:
    for level in levels:
        if not 0 < level < 1:
            raise ValueError(f"levels: {level!r} must lie inside (0, 1)")
    names = [column_name(level) for level in levels]
    if not names or len(set(names)) < len(names):
        raise ValueError(f"levels={tuple(levels)}: give at least one level, each once")
    for role, name in taken.items():
        if name in (TARGET, *names):
            raise ValueError(
                f"{role}={name!r}: the forecast has a column of that name; rename yours"
            )
    return names


def _series(
    frame: pd.DataFrame, targets: list[Hashable], blocks: list[_Block], axes: list[_Axis]
) -> list[FloatArray]:
    """Values on the regular grids: for each block, its targets in order."""
    columns = [_numbers(frame[name], name) for name in targets]
    series = []
    for block, axis in zip(blocks, axes, strict=True):
        for name, column in zip(targets, columns, strict=True):
            values = np.full(len(axis.grid), np.nan)
            values[axis.positions] = column[block.rows]
            if np.isnan(values).all():
                raise ValueError(f"{block.label}target {name!r} has no value")
            series.append(values)
    return series


def _numbers(column: pd.Series, name: Hashable) -> FloatArray:
    """Read a target column as float64; NaN where a value is missing."""
    numbers = pd.to_numeric(column, errors="coerce")
    unread = (numbers.isna() & column.notna()).to_numpy()
    values = numbers.to_numpy(dtype="float64", na_value=np.nan)
    bad = unread | np.isinf(values)
    if bad.any():
        row = int(bad.argmax())
        raise ValueError(
            f"target {name!r}: data row {row + 1}, {column.iloc[row]!r}, is not a finite number; "
            "leave it empty (NaN) if it is missing"
        )
    return values


def _future_column(axes: list[_Axis], n_targets: int, horizon: int) -> pd.Series:
    futures: dict[tuple[object, Step], pd.Series] = {}
    pieces = []
    for axis in axes:
        key = (axis.grid[-1], axis.step)
        if key not in futures:
            futures[key] = pd.Series(future_times(axis.grid, axis.step, horizon))
        pieces += [futures[key]] * n_targets
    return pd.concat(pieces, ignore_index=True)
