"""The series of a backtest, with all that stands beside them, and what is known at an origin."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from timer_forecaster.arrays import FloatArray
from timer_forecaster.backtesting.labels import Labels
from timer_forecaster.backtesting.windows import Windows
from timer_forecaster.inference.covariates.tables import Tables


@dataclass(frozen=True, eq=False)
class Data:
    """Series, and what stands beside them.

    Parameters
    ----------
    series : list of ndarray, each of shape (steps,)
        NaN where missing.
    labels : Labels
    freq : list
        Step of the times of each series, or None.
    seasonality : list of int
        Steps of a season of each series.
    covariates : Tables, optional
        Columns over the steps of each series; None for a series that was refused.
    failures : mapping of int to str
        Reasons of series that cannot be forecast.
    """

    series: list[FloatArray]
    labels: Labels
    freq: list[Any]
    seasonality: list[int]
    covariates: Tables | None = None
    failures: Mapping[int, str] = field(default_factory=dict)

    def contexts(self, windows: Windows, rows: Sequence[int]) -> list[FloatArray]:
        """Return the steps before windows: views of the series."""
        pairs = zip(windows.number[rows].tolist(), windows.origin[rows].tolist(), strict=True)
        return [self.series[number][:origin] for number, origin in pairs]

    def tables(self, windows: Windows, rows: Sequence[int]) -> Tables | None:
        """Return the covariates of windows as they are known at their origins.

        Known columns reach to the end of the window, past columns to its origin.
        """
        given = self.covariates
        if given is None:
            return None
        numbers, origins = windows.number[rows].tolist(), windows.origin[rows].tolist()
        pairs = list(zip(numbers, origins, strict=True))
        ahead = {"known": windows.horizon, "past": 0}
        parts: dict[str, Any] = {}
        for role, steps in ahead.items():
            tables = getattr(given, role)
            if tables is not None:
                left = [len(self.series[i]) - at - steps for i, at in pairs]
                cut = zip(numbers, left, strict=True)
                parts[role] = [_without_end(tables[i], by, steps) for i, by in cut]
        cycles = None if given.cycles is None else [given.cycles[i] for i in numbers]
        names = [self.labels.window_name(number, origin) for number, origin in pairs]
        return given._replace(**parts, cycles=cycles, names=names)

    def fingerprint(self) -> str:
        """Return a digest of the series, their names, times and covariates."""
        digest = hashlib.blake2b(digest_size=16)
        for number, values in enumerate(self.series):
            digest.update(np.ascontiguousarray(values).data)
            about = self.labels.names[number], len(values), str(self.freq[number])
            digest.update(repr((about, self.seasonality[number])).encode())
            if len(values):
                digest.update(str(self.labels.times_of(number)[0]).encode())
            if self.covariates is not None:
                digest.update(self.covariates.digest(number))
        return digest.hexdigest()


def _without_end(table: Any, by: int, ahead: int) -> Any:
    """Return the columns of a table without their last rows."""
    if table is None:
        return None
    return {name: _cut(values, len(values) - by, ahead) for name, values in table.items()}


def _cut(values: Any, stop: int, ahead: int) -> Any:
    """Return the first values of a column; `ahead` of them lie in the window.

    An empty text is a category of its own only if the history has some. As at any origin, only the
    values before the window decide.
    """
    stop = max(0, stop)
    cut = values.iloc[:stop] if hasattr(values, "iloc") else values[:stop]
    if not ahead or not isinstance(cut, np.ndarray) or cut.dtype.kind != "O":
        return cut
    blank = cut == ""
    if blank.any() and not blank[: len(cut) - ahead].any():
        cut = cut.copy()
        cut[blank] = None
    return cut
