"""Long frames: the series of one, and the frame of a forecast with future time stamps."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence

import numpy as np
import pandas as pd
from pandas.tseries.offsets import BaseOffset

from timer_forecaster.arrays import FloatArray
from timer_forecaster.checks import check_levels
from timer_forecaster.frames.calendar.axes import alike
from timer_forecaster.frames.calendar.grids import future_times, times_after
from timer_forecaster.frames.calendar.local import clock_mark, like
from timer_forecaster.frames.panel import Panel

TARGET = "target"
"""Column with the name of the target column that a row forecasts."""

PATH, VALUE = "path", "value"
PATH_COLUMNS = (PATH, VALUE)
"""Columns of a frame of paths: the number of the path, from 0 on, and its value."""


def column_name(level: float) -> str:
    """Return the name of a level's column in a frame: "q0.1" for 0.1."""
    return f"q{level:.12g}"


def level_columns(
    levels: Sequence[float], *, time_column: Hashable, id_column: Hashable | None
) -> dict[str, float]:
    """Return the levels of a forecast by the names of their columns.

    Raises
    ------
    ValueError
        If a level is not inside (0, 1) or there twice, if there is none, or if the column of the
        time or of the id has the name of a column of the forecast.
    """
    levels = check_levels("levels", levels)
    columns = {column_name(level): level for level in levels}
    if len(columns) < len(levels):
        raise ValueError(f"levels={levels}: give at least one level, each once")
    check_free(columns, time_column=time_column, id_column=id_column)
    return columns


def check_free(
    columns: Iterable[str],
    *,
    time_column: Hashable,
    id_column: Hashable | None,
    result: str = "forecast",
) -> None:
    """Refuse a column of the time or of the id with the name of a column of a result.

    Parameters
    ----------
    columns : iterable of str
        Columns of the result beside times, ids and targets.
    time_column, id_column : hashable
    result : str
        Its name in the error.

    Raises
    ------
    ValueError
    """
    for role, name in {"time_column": time_column, "id_column": id_column}.items():
        if name in (TARGET, *columns):
            raise ValueError(
                f"{role}={name!r}: the {result} has a column of that name; rename yours"
            )


def path_frame(panel: Panel, paths: FloatArray) -> pd.DataFrame:
    """Lay paths of a panel's series out with their future times.

    Parameters
    ----------
    panel : Panel
        With grids.
    paths : ndarray, shape (n_series, n, horizon)
        Of `Panel.series`.

    Returns
    -------
    pandas.DataFrame
        A row per instance, variable, path and future time. Columns: the instance if there are
        several, ``target``, ``path``, the time and ``value``.
    """
    n_series, n, horizon = paths.shape
    rows = np.arange(n_series * horizon).reshape(n_series, 1, horizon).repeat(n, axis=1).ravel()
    labels = long_frame(panel, {VALUE: np.zeros((n_series, horizon))}).drop(columns=VALUE)
    found = labels.take(rows).reset_index(drop=True)
    found.insert(len(labels.columns) - 1, PATH, np.tile(np.repeat(range(n), horizon), n_series))
    found[VALUE] = paths.ravel()
    return found


def long_frame(panel: Panel, quantiles: Mapping[str, FloatArray]) -> pd.DataFrame:
    """Lay forecasts of a panel's series out with their future times.

    Parameters
    ----------
    panel : Panel
        With grids.
    quantiles : mapping of column name to ndarray, each of shape (n_series, horizon)
        Forecasts of `Panel.series`.

    Returns
    -------
    pandas.DataFrame
        A row per instance, variable and future time. Columns: the instance if there are several,
        ``target``, the time, and one per quantile.
    """
    n_variables, horizon = len(panel.columns), next(iter(quantiles.values())).shape[1]
    *names, time_column = panel.names
    columns: dict[Hashable, object] = {}
    if panel.instances is not None:
        ids = pd.Series(panel.instances).repeat(n_variables * horizon)
        columns[names[0]] = ids.reset_index(drop=True)
    variables = np.empty(n_variables, dtype=object)
    variables[:] = list(panel.columns)  # a name may be a tuple, which np.array would take apart
    columns[TARGET] = np.tile(np.repeat(variables, horizon), len(panel.keys))
    columns[time_column] = future_times_of(panel, horizon)
    for name, values in quantiles.items():
        columns[name] = np.asarray(values).ravel()
    return pd.DataFrame(columns)


def future_times_of(panel: Panel, horizon: int) -> pd.Index:
    """Return the future times of each variable of each instance in turn."""
    (kind, *others) = alike(panel.axes)
    axes = kind[1]
    if others or getattr(axes.joined, "tz", None) is not None:
        return _future_by_clock(panel, horizon)
    starts = axes.starts[panel.axis]
    ends = axes.joined.take((starts[:, None] + np.stack(panel.last)).ravel())
    ahead = np.broadcast_to(np.arange(1, horizon + 1), (len(ends), horizon))
    return times_after(ends, panel.steps(), ahead)


def _future_by_clock(panel: Panel, horizon: int) -> pd.Index:
    """Return the future times of a panel whose axes may be on clocks of several zones."""
    futures: dict[Hashable, pd.Index] = {}
    order = []
    for number, last in zip(panel.axis, panel.last, strict=True):
        axis, step = panel.axes[number], panel.grids[number].step
        for end in (last + 1).tolist():
            mark = (clock_mark(axis[:end]), step)
            if mark not in futures:
                futures[mark] = like(future_times(axis[:end], step, horizon), panel.stamps)
            order.append(futures[mark])
    first, *others = order
    return first.append(others)


def series_of(
    frame: pd.DataFrame,
    *,
    time_column: Hashable,
    id_column: Hashable | None = None,
    target_columns: Sequence[Hashable] | str | None = None,
    freq: str | int | BaseOffset | None = None,
) -> list[FloatArray]:
    """Cut a frame into the series that `ForecastPipeline.predict_frame` forecasts from.

    Parameters and errors are those of `ForecastPipeline.predict_frame`.

    Returns
    -------
    list of ndarray, each of shape (steps,)
        For each id its targets in order, NaN where missing.
    """
    return Panel.of_columns(frame, time_column, id_column, target_columns, freq).series()
