"""The series of a backtest, with all that stands beside them, and what is known at an origin."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from timer_forecaster.arrays import FloatArray
from timer_forecaster.backtesting.windows import Windows
from timer_forecaster.frames.labels import Labels
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
        """Return the covariates of windows as they are known at their origins."""
        given = self.covariates
        if given is None:
            return None
        numbers, origins = windows.number[rows].tolist(), windows.origin[rows].tolist()
        pairs = list(zip(numbers, origins, strict=True))
        left = [len(self.series[number]) - origin for number, origin in pairs]
        names = [self.labels.window_name(number, origin) for number, origin in pairs]
        return given.at_origins(numbers, left, windows.horizon, names)

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
