"""Classical forecasters of sktime and statsforecast, fitted to one walk after the other."""

from __future__ import annotations

from typing import Any

from benchmarks.speed.built import Builder, Built, Walks
from benchmarks.walks import walk_times

SEASON = 24


def sktime_classical(name: str, **parameters: Any) -> Builder:
    """Return a builder of sktime's AutoETS or Theta."""

    def build(checkpoint: str, steps: int, horizon: int) -> Built:
        import pandas as pd
        from sktime.forecasting.ets import AutoETS
        from sktime.forecasting.theta import ThetaForecaster

        forecaster = {"AutoETS": AutoETS, "Theta": ThetaForecaster}[name]
        fh = range(1, horizon + 1)

        def prepare(walks: Walks) -> Any:
            series = [pd.Series(row, walk_times(steps)) for row in walks]
            return lambda: [forecaster(**parameters).fit(y, fh=fh).predict() for y in series]

        return Built(prepare)

    return build


def statsforecast_classical(name: str, season: int) -> Builder:
    """Return a builder of a model of statsforecast."""

    def build(checkpoint: str, steps: int, horizon: int) -> Built:
        from statsforecast import models

        model = getattr(models, name)(season_length=season)
        return Built(lambda walks: lambda: [model.forecast(y=row, h=horizon) for row in walks])

    return build
