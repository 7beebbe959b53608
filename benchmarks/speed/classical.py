"""Classical forecasters of sktime and statsforecast, fitted to the same walks."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.measuring import measure_cpu

SEASON = 24
ABOVE_ZERO = 1000.0
"""Added to the walks: multiplicative components need values above zero."""


def time_classical(name: str, steps: int, horizon: int, budget: float) -> dict[str, float]:
    """Fit a classical forecaster to walks and forecast them, one after the other.

    Parameters
    ----------
    name : str
        A key of `CLASSICAL`.
    steps, horizon : int
        Length of a series, and steps to forecast.
    budget : float
        CPU seconds. No series is begun after them. The first series is not counted, as some
        libraries compile code in it.

    Returns
    -------
    dict
        Median of the CPU seconds of a series, and the number of series.
    """
    make = CLASSICAL[name]
    random = np.random.default_rng(0)
    found: list[float] = []
    while len(found) < 2 or sum(found[1:]) < budget:
        values = random.normal(size=steps).cumsum()
        found.append(measure_cpu(make(values, horizon)))
    return {"seconds": statistics.median(found[1:]), "series": len(found) - 1}


def _with_sktime(name: str, **parameters: Any) -> Callable[..., Callable[[], object]]:
    def make(values: Any, horizon: int) -> Callable[[], object]:
        import pandas as pd
        from sktime.forecasting.ets import AutoETS
        from sktime.forecasting.theta import ThetaForecaster

        times = pd.date_range("2024-01-01", periods=len(values), freq="h")
        y = pd.Series(values + ABOVE_ZERO, times)
        forecaster = {"AutoETS": AutoETS, "Theta": ThetaForecaster}[name](**parameters)
        return lambda: forecaster.fit(y, fh=range(1, horizon + 1)).predict()

    return make


def _with_statsforecast(name: str, **parameters: Any) -> Callable[..., Callable[[], object]]:
    def make(values: Any, horizon: int) -> Callable[[], object]:
        from statsforecast import models

        model = getattr(models, name)(**parameters)
        return lambda: model.forecast(y=values + ABOVE_ZERO, h=horizon)

    return make


CLASSICAL: dict[str, Callable[..., Callable[[], object]]] = {
    "AutoETS of sktime": _with_sktime("AutoETS", auto=True),
    f"AutoETS of sktime, season {SEASON}": _with_sktime("AutoETS", auto=True, sp=SEASON),
    f"Theta of sktime, season {SEASON}": _with_sktime("Theta", sp=SEASON),
    "AutoETS of statsforecast": _with_statsforecast("AutoETS", season_length=1),
    f"AutoETS of statsforecast, season {SEASON}": _with_statsforecast(
        "AutoETS", season_length=SEASON
    ),
    f"AutoTheta of statsforecast, season {SEASON}": _with_statsforecast(
        "AutoTheta", season_length=SEASON
    ),
}
