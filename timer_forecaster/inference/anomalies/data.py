"""The series to search for anomalies, with all that stands beside them, as known at an origin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from timer_forecaster.arrays import FloatArray
from timer_forecaster.inference.anomalies.labels import Labels
from timer_forecaster.inference.covariates.tables import Tables


@dataclass(frozen=True, eq=False)
class Data:
    """Series, and what stands beside them.

    Parameters
    ----------
    series : list of ndarray, each of shape (steps,)
        NaN where missing; empty where a series was refused.
    labels : Labels
    freq : list
        Frequency of each series, or None.
    covariates : Tables, optional
        Columns over the steps of each series.
    """

    series: list[FloatArray]
    labels: Labels
    freq: list[Any]
    covariates: Tables | None = None

    def tables(
        self, numbers: Sequence[int], origins: Sequence[int], horizon: int
    ) -> dict[str, Any]:
        """Return covariates as arguments of a forecast from origins.

        Known columns reach to the end of the horizon, past columns to the origin.
        """
        given = self.covariates
        if given is None:
            return {}
        found: dict[str, Any] = {"categories": given.categories}
        for role, ahead in {"known": horizon, "past": 0}.items():
            tables = getattr(given, role)
            if tables is not None:
                pairs = zip(numbers, origins, strict=True)
                left = [len(self.series[number]) - at - ahead for number, at in pairs]
                cut = zip(numbers, left, strict=True)
                found[role] = [_without_end(tables[i], by, ahead) for i, by in cut]
        if given.cycles is not None:
            found["cycles"] = [given.cycles[number] for number in numbers]
        return found


def _without_end(table: Any, by: int, ahead: int) -> Any:
    """Return the columns of a table without their last rows."""
    if table is None:
        return None
    return {name: _cut(values, len(values) - by, ahead) for name, values in table.items()}


def _cut(values: Any, stop: int, ahead: int) -> Any:
    """Return the first values of a column; `ahead` of them lie in the horizon.

    An empty text is a category of its own only if the history has some. As at any origin, only the
    values before it decide.
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
