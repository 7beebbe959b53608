"""Forecasts of frames as a part of a report."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from pandas.tseries.offsets import BaseOffset

from timer_forecaster.arrays import FloatArray
from timer_forecaster.failures import Failures
from timer_forecaster.frames.calendar.local import like
from timer_forecaster.frames.containers import as_frame
from timer_forecaster.frames.covariates.tables import CovariateFrame
from timer_forecaster.frames.long import TARGET
from timer_forecaster.frames.panel import Panel
from timer_forecaster.report.gallery import MOST_SERIES, Gallery
from timer_forecaster.report.series import Chart, Fan

_TEXT = "The history of a series and its forecast: the median, and intervals around it."
_ONE_WITHOUT = " One more series has no forecast."


class _History(NamedTuple):
    """What is known of a series before its forecast."""

    values: FloatArray
    times: pd.Index
    columns: Mapping[str, Any]


def forecast_part(
    frame: pd.DataFrame,
    forecast: pd.DataFrame,
    *,
    time_column: Hashable,
    id_column: Hashable | None = None,
    target_columns: Sequence[Hashable] | str | None = None,
    freq: str | int | BaseOffset | None = None,
    future_frame: pd.DataFrame | None = None,
    known_columns: Sequence[Hashable] | str | None = None,
    past_columns: Sequence[Hashable] | str | None = None,
    categories: Sequence[Hashable] | str | None = None,
    title: str = "Forecasts",
) -> Gallery:
    """Return the forecasts of a frame as a part of a report.

    Parameters
    ----------
    frame : pandas.DataFrame, or table of another library
        The frame that was forecast.
    forecast : pandas.DataFrame
        The result of `ForecastPipeline.predict_frame`. Columns that you added are not drawn.
    time_column, id_column, target_columns, freq
        As they were given to `predict_frame`.
    future_frame, known_columns, past_columns, categories
        As they were given to `predict_frame`: the columns are drawn under the series.
    title : str

    Returns
    -------
    Gallery
        Of the first 500 series, the order of which a reader can change.

    Raises
    ------
    ValueError, TypeError
        If a column cannot be used, as `predict_frame` would say; or if ``forecast`` has no row, no
        column of a level, or a series that ``frame`` does not have.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from timer_forecaster import ForecastPipeline
    >>> days = pd.date_range("2024-01-01", periods=60)
    >>> sales = pd.DataFrame({"day": days, "units": np.arange(60) % 7})
    >>> pipe = ForecastPipeline.from_pretrained("timer-s1-small")
    >>> forecast = pipe.predict_frame(sales, 7, time_column="day")
    >>> [chart.name for chart in forecast_part(sales, forecast, time_column="day").charts]
    ['units']
    """
    tables = frame, future_frame, known_columns, past_columns
    names = time_column, id_column, target_columns, freq
    keys = [TARGET] if id_column is None else [id_column, TARGET]
    forecast = as_frame(forecast)
    _check_columns(forecast, [*keys, time_column])
    forecast, empty = _with_forecast(forecast, keys)
    groups = dict(list(forecast.groupby(keys, sort=False, observed=True)))
    if not groups:
        raise ValueError("forecast has no row: there is nothing to draw")
    horizon = max(map(len, groups.values()))
    histories = _histories(tables, names, categories, horizon)
    strange = [key for key in groups if key not in histories]
    if strange:
        name = " · ".join(map(str, strange[0]))
        raise ValueError(f"forecast has the series {name!r}, and frame does not have it")
    only = id_column is not None and forecast[TARGET].nunique() == 1
    charts = [
        _chart(key[:1] if only else key, histories[key], own, time_column)
        for key, own in list(groups.items())[:MOST_SERIES]
    ]
    text = _TEXT
    if len(groups) > len(charts):
        text += f" These are the first {len(charts):,} of {len(groups):,} series."
    if empty:
        text += f" {empty:,} more series have no forecast." if empty > 1 else _ONE_WITHOUT
    return Gallery(title, charts, text, orders=_by_width(charts), time_name=str(time_column))


def _check_columns(forecast: pd.DataFrame, needed: Sequence[Hashable]) -> None:
    """Refuse a frame that is no result of `ForecastPipeline.predict_frame`."""
    columns = list(forecast.columns)
    absent = [name for name in needed if name not in columns]
    if absent or not _levels(forecast):
        lack = f"column {absent[0]!r}" if absent else "column of a level, such as 'q0.5'"
        raise ValueError(
            f"forecast has no {lack}; there are {columns}: pass the result of predict_frame"
        )


def _levels(forecast: pd.DataFrame) -> dict[str, float]:
    """Return the levels of a forecast by the names of their columns."""
    found = {}
    for name in forecast.columns:
        try:
            level = float(str(name).removeprefix("q")) if str(name).startswith("q") else 0.0
        except ValueError:  # such as "quarter"
            continue
        if 0 < level < 1:
            found[name] = level
    return found


def _with_forecast(forecast: pd.DataFrame, keys: Sequence[Hashable]) -> tuple[pd.DataFrame, int]:
    """Return the rows of series that have a forecast, and the number of those that have none."""
    kept = forecast.dropna(subset=list(_levels(forecast)), how="all")
    groups = [len(one.drop_duplicates(list(keys))) for one in (forecast, kept)]
    return kept, groups[0] - groups[1]


def _histories(
    tables: tuple[Any, Any, Any, Any],
    names: tuple[Any, Any, Any, Any],
    categories: Any,
    horizon: int,
) -> dict[tuple[Hashable, ...], _History]:
    """Return the series of a frame by their ids and targets."""
    failures = Failures("nan")
    beside = CovariateFrame.of(*tables, *names, categories)
    panel = Panel.of_columns(beside.targets, *names, failures)
    given = beside.tables(panel, horizon, failures)
    axes = [like(grid.times, panel.stamps) for grid in panel.grids]
    found = {}
    for number, values in enumerate(panel.series()):
        instance, variable = divmod(number, len(panel.columns))
        columns: dict[str, Any] = {}
        for role in ("known", "past"):
            table = (given.get(role) or {number: None})[number]
            columns |= {str(name): column for name, column in (table or {}).items()}
        key = (panel.keys[instance],) if panel.instances is not None else ()
        times = axes[panel.axis[instance]][: len(values)]
        found[(*key, panel.columns[variable])] = _History(values, times, columns)
    return found


def _chart(key: Any, history: _History, forecast: pd.DataFrame, time_column: Any) -> Chart:
    """Return the picture of a series, named by its id, and by its target if there are several."""
    levels, forecast = _levels(forecast), forecast.sort_values(time_column)
    quantiles = forecast[list(levels)].to_numpy(np.float64)
    times = history.times.append(pd.Index(forecast[time_column]))
    fan = Fan(len(history.values), list(levels.values()), quantiles)
    return Chart(" · ".join(map(str, key)), times, history.values, [fan], history.columns)


def _by_width(charts: Sequence[Chart]) -> dict[str, list[int]]:
    """Return orders of series by the width of their outermost band, beside their variation."""
    if len(charts) < 2:
        return {}
    widths = []
    for chart in charts:
        (fan,) = chart.fans
        spread = np.nanstd(chart.values) if np.isfinite(chart.values).any() else np.nan
        with np.errstate(divide="ignore", invalid="ignore"):
            width = np.nanmean(np.ptp(fan.quantiles, axis=1)) / spread
        widths.append(width if np.isfinite(width) else 0.0)
    order = np.argsort(widths, kind="stable").tolist()
    return {"least certain first": order[::-1], "most certain first": order}
