"""Series as the page reads them."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from timer_forecaster.arrays import FloatArray
from timer_forecaster.report.detail import MOST_COLUMNS, Detail, chosen_levels
from timer_forecaster.report.markup import plain, script_data
from timer_forecaster.report.numbers import low_and_high, rounded, scale_of
from timer_forecaster.report.series import Chart, Fan

_HORIZONS, _LEAST = 3, 48
_MOST_CATEGORIES = 200


class Pool:
    """Values that several series have alike, stored once.

    Examples
    --------
    >>> pool = Pool()
    >>> pool.add({"v": [1, 2]}), pool.add([3]), pool.add({"v": [1, 2]})
    (0, 1, 0)
    """

    def __init__(self) -> None:
        """Make an empty pool."""
        self.items: list[Any] = []
        self._places: dict[str, int] = {}

    def add(self, item: Any) -> int:
        """Return the place of an item, which is added if it is new."""
        key = script_data(item)
        if key not in self._places:
            self._places[key] = len(self.items)
            self.items.append(item)
        return self._places[key]


def packed_chart(chart: Chart, detail: Detail, models: Sequence[str], pool: Pool) -> dict[str, Any]:
    """Return a series in few bytes.

    Keys: ``l`` the number of observed steps, ``e`` the scale of all values, ``b`` the first step
    that is drawn by itself, ``v`` the values from there on, ``k``, ``lo`` and ``hi`` the size of
    the blocks before and their lowest and highest values, ``f`` the forecasts, ``x`` covariates,
    ``o`` marked steps and their values.
    """
    first = _first_by_itself(chart, detail)
    size = max(1, math.ceil(first / detail.blocks))
    first = first // size * size
    low, high = low_and_high(chart.values[:first], size)
    shown = chart.fans if chart.odd is None else [_from(fan, first) for fan in chart.fans]
    fans = [(fan, chosen_levels(fan.levels, detail.levels)) for fan in shown]
    drawn = [fan.quantiles[:, places] for fan, places in fans]
    # Bounds of what was expected may be far away: they do not make the values coarse.
    scale = scale_of([chart.values, *(drawn if chart.odd is None else [])])
    packed: dict[str, Any] = {
        "l": len(chart.values),
        "e": list(scale),
        "b": first,
        "v": rounded(chart.values[first:], scale),
        "f": [_packed_fan(fan, places, detail, models, scale) for fan, places in fans],
    }
    if first:
        packed |= {"k": size, "lo": rounded(low, scale), "hi": rounded(high, scale)}
    columns = list(chart.columns.items())[:MOST_COLUMNS]
    if columns:
        packed["x"] = [pool.add(_packed_column(*column, first)) for column in columns]
    if chart.odd is not None:
        marked = np.flatnonzero(chart.odd)
        wholes = rounded(chart.values[marked], scale)
        packed["o"] = [list(pair) for pair in zip(marked.tolist(), wholes, strict=True)]
    if chart.about:
        packed["t"] = plain(chart.about)
    return packed


def _first_by_itself(chart: Chart, detail: Detail) -> int:
    """Return the first step that is drawn by itself: some steps before the first forecast."""
    steps = len(chart.values)
    start = min((fan.start for fan in chart.fans), default=steps)
    if chart.odd is not None:
        return max(0, steps - detail.newest)
    longest = max((len(fan.quantiles) for fan in chart.fans), default=0)
    before = min(detail.newest, max(_LEAST, _HORIZONS * longest))
    return max(0, min(start - before, steps - detail.newest))


def _from(fan: Fan, first: int) -> Fan:
    """Return the part of a forecast from a step on."""
    left = max(0, first - fan.start)
    return dataclasses.replace(fan, start=fan.start + left, quantiles=fan.quantiles[left:])


def _packed_fan(
    fan: Fan, places: list[int], detail: Detail, models: Sequence[str], scale: tuple[int, int]
) -> dict[str, Any]:
    """Return a forecast; a step of ``k`` is drawn, and the last one."""
    kept = np.arange(len(fan.quantiles) - 1, -1, -detail.every)[::-1]
    packed: dict[str, Any] = {
        "s": fan.start + int(kept[0]) if len(kept) else fan.start,
        "q": [rounded(fan.quantiles[kept, place], scale) for place in places],
        "n": [float(f"{fan.levels[place]:.6g}") for place in places],
    }
    if detail.every > 1:
        packed["k"] = detail.every
    if fan.model:
        packed["m"] = models.index(fan.model)
    if fan.window:
        packed["w"] = plain(fan.window)
    return packed


def _packed_column(name: str, values: Any, first: int) -> dict[str, Any]:
    """Return a covariate from a step on: numbers on a scale, or codes of categories."""
    column = pd.Series(np.asarray(values, dtype=object)[first:])
    numbers = pd.to_numeric(column, errors="coerce")
    packed: dict[str, Any] = {"c": plain(name), "s": first}
    if numbers.notna().sum() == column.notna().sum():
        own: FloatArray = numbers.to_numpy(np.float64, na_value=np.nan)
        scale = scale_of([own])
        return packed | {"e": list(scale), "v": rounded(own, scale)}
    codes, labels = pd.factorize(column)
    codes = np.where(codes < _MOST_CATEGORIES, codes, -1)
    names = [plain(label) for label in labels[:_MOST_CATEGORIES]]
    return packed | {"n": names, "v": [None if code < 0 else int(code) for code in codes]}
