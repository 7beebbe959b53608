"""Models of a backtest: pipelines, naive forecasts, and functions."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

from timer_forecaster.arrays import FloatArray
from timer_forecaster.backtesting.data import Data
from timer_forecaster.backtesting.windows import Windows
from timer_forecaster.evaluation.baselines import naive_quantiles
from timer_forecaster.evaluation.metrics import LEVELS
from timer_forecaster.evaluation.runner import PipelineForecaster
from timer_forecaster.inference import memo
from timer_forecaster.inference import quantiles as quantile_function
from timer_forecaster.inference.channels import width_of
from timer_forecaster.inference.options import ForecastOptions
from timer_forecaster.inference.pipeline import ForecastPipeline

SEASONAL_NAIVE, NAIVE = "seasonal_naive", "naive"
_TOGETHER = 1024  # windows in one call of a model that computes them in a batch


class Answer(NamedTuple):
    """Forecasts of windows."""

    quantiles: FloatArray
    """Of shape (windows, horizon, levels), NaN where there is none."""
    reasons: Mapping[int, str]
    """Why windows have no forecast, by their places."""


class Model(Protocol):
    """A model that forecasts windows."""

    @property
    def name(self) -> str:
        """Name in tables."""

    @property
    def together(self) -> int:
        """Most windows in one call."""

    @property
    def width(self) -> int:
        """Consecutive windows that belong together."""

    @property
    def has_quantiles(self) -> bool:
        """Whether it forecasts distributions; else all its quantiles are its point forecast."""

    def settings(self) -> str:
        """Return a text by which a later process knows the model again."""

    def forecast(
        self, data: Data, windows: Windows, rows: Sequence[int], levels: Sequence[float]
    ) -> Answer:
        """Forecast some of the windows."""


@dataclasses.dataclass(frozen=True)
class PipelineModel:
    """A pipeline, with the covariates and the frequency of series."""

    name: str
    pipeline: ForecastPipeline
    options: ForecastOptions
    has_quantiles: bool = True

    @classmethod
    def of(cls, pipeline: ForecastPipeline, options: ForecastOptions) -> PipelineModel:
        """Return a pipeline by the name of its checkpoint."""
        if pipeline.key.name is None:
            return cls("random_weights", pipeline, options)
        return cls(PipelineForecaster(pipeline).name, pipeline, options)

    @property
    def width(self) -> int:
        """Series that the network reads as one row."""
        return width_of(self.pipeline.network.config)

    @property
    def together(self) -> int:
        """Most windows in one call."""
        return max(1, _TOGETHER // self.width) * self.width

    def settings(self) -> str:
        """Return the digest of the weights, and the options."""
        network = json.loads(PipelineForecaster(self.pipeline).settings)
        return json.dumps({"network": network, "options": repr(self.options)}, sort_keys=True)

    def forecast(
        self, data: Data, windows: Windows, rows: Sequence[int], levels: Sequence[float]
    ) -> Answer:
        """Forecast windows in one batch, or recall the same forecasts."""
        tables = None if self.options.ignores_covariates else data.tables(windows, rows)
        forecast = memo.predict(
            self.pipeline,
            data.contexts(windows, rows),
            windows.horizon,
            self.options,
            on_error="nan",
            tables=tables,
            freq=[data.freq[number] for number in windows.number[rows].tolist()],
        )
        quantiles = np.stack([forecast.quantile(level) for level in levels], axis=-1)
        reasons = {
            place: reason.removeprefix(f"series[{place}] ")
            for place, reason in forecast.failures.items()
        }
        return Answer(quantiles, reasons)


@dataclasses.dataclass(frozen=True)
class NaiveModel:
    """The last season repeated, or the last value, with the intervals of the benchmark."""

    name: str = SEASONAL_NAIVE
    kind: str = SEASONAL_NAIVE
    together: int = _TOGETHER
    width: int = 1
    has_quantiles: bool = True

    def settings(self) -> str:
        """Return the kind, which says all."""
        return self.kind

    def forecast(
        self, data: Data, windows: Windows, rows: Sequence[int], levels: Sequence[float]
    ) -> Answer:
        """Forecast windows, those of one season together."""
        contexts, numbers = data.contexts(windows, rows), windows.number[rows].tolist()
        quantiles = np.empty((len(contexts), windows.horizon, len(levels)))
        seasons = np.array([data.seasonality[number] for number in numbers], dtype=np.int64)
        if self.kind == NAIVE:
            seasons[:] = 1
        for season in np.unique(seasons).tolist():
            own = np.flatnonzero(seasons == season)
            given = [contexts[place] for place in own]
            quantiles[own] = naive_quantiles(given, windows.horizon, season, levels)
        return Answer(quantiles, {})


@dataclasses.dataclass(frozen=True)
class FunctionModel:
    """A function of contexts and horizon, as `timer_forecaster.evaluation.Forecaster`."""

    name: str
    function: Callable[..., Any]
    together: int = _TOGETHER
    width: int = 1
    has_quantiles: bool = True

    def settings(self) -> str:
        """Return the attribute ``settings``, or the module and name of the function."""
        module, name = self.function.__module__, getattr(self.function, "__qualname__", self.name)
        return str(getattr(self.function, "settings", f"{module}.{name}"))

    def forecast(
        self, data: Data, windows: Windows, rows: Sequence[int], levels: Sequence[float]
    ) -> Answer:
        """Forecast windows; if the function fails, none of them has a forecast."""
        shape = (len(rows), windows.horizon, len(LEVELS))
        try:
            # Copies: a function may fill gaps in place, and contexts are views of the series.
            contexts = [context.copy() for context in data.contexts(windows, rows)]
            found = np.asarray(self.function(contexts, windows.horizon), float)
            if found.shape != shape:
                raise ValueError(f"it returned the shape {found.shape} instead of {shape}")
        except Exception as error:  # of code that is not ours
            reason = f"{type(error).__name__}: {error}"
            blank = np.full((*shape[:2], len(levels)), np.nan)
            return Answer(blank, dict.fromkeys(range(len(rows)), reason))
        bad = np.flatnonzero(~np.isfinite(found).all(axis=(1, 2))).tolist()
        quantiles = quantile_function.evaluate(np.sort(found), LEVELS, np.asarray(levels))
        quantiles[bad] = np.nan
        return Answer(quantiles, dict.fromkeys(bad, "its forecast is not finite"))
