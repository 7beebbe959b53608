"""The series to search for anomalies, with all that stands beside them, as known at an origin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from timer_forecaster.arrays import FloatArray
from timer_forecaster.frames.labels import Labels
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
        """Return covariates as arguments of a forecast from origins."""
        if self.covariates is None:
            return {}
        pairs = zip(numbers, origins, strict=True)
        left = [len(self.series[number]) - origin for number, origin in pairs]
        names = [self.labels.names[number] for number in numbers]
        return self.covariates.at_origins(numbers, left, horizon, names).arguments
