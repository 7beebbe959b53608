"""Forecasts of arrays as a part of a report."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from timer_forecaster.inference.series import timed_series
from timer_forecaster.inference.times import Times
from timer_forecaster.report import Chart, Fan, Gallery
from timer_forecaster.report.gallery import MOST_SERIES

if TYPE_CHECKING:
    from timer_forecaster.inference.forecast import Forecast


def part_of_report(
    forecast: Forecast, contexts: Any = None, names: Sequence[Hashable] | None = None
) -> Gallery:
    """Return the pictures of a forecast; parameters and errors are those of `Forecast.report`."""
    import pandas as pd

    n_series, horizon = forecast.n_series, forecast.horizon
    if isinstance(contexts, Mapping):
        names, contexts = names or list(contexts), list(contexts.values())
    given = [np.empty(0)] * n_series
    found: list[Times | None] = [None] * n_series
    if contexts is not None:
        given, found = timed_series(contexts)
    labels = [f"series {number}" for number in range(n_series)] if names is None else list(names)
    for argument, items in {"contexts": given, "names": labels}.items():
        if len(items) != n_series:
            raise ValueError(f"{argument}: there are {len(items)}, for {n_series} series")
    charts = []
    for number, values in list(enumerate(given))[:MOST_SERIES]:
        own = found[number]
        times = None if own is None else own.with_future(horizon)
        if times is None:
            times = pd.RangeIndex(len(values) + horizon)
        fan = Fan(len(values), forecast.levels, forecast.quantiles[number])
        charts.append(Chart(str(labels[number]), times, values, [fan]))
    text = "The history of a series and its forecast: the median, and intervals around it."
    if n_series > len(charts):
        text += f" These are the first {len(charts):,} of {n_series:,} series."
    dated = any(not isinstance(chart.times, pd.RangeIndex) for chart in charts)
    return Gallery("Forecasts", charts, text, time_name="time" if dated else "step")
