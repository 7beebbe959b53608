"""Quantiles, intervals, variances and distributions in the verbs of sktime."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from timer_forecaster.arrays import FloatArray
from timer_forecaster.estimators import options_of, pipeline_of
from timer_forecaster.inference import Forecast
from timer_forecaster.inference.steps import forecast_steps, sample_steps
from timer_forecaster.sktime.exogenous import ExogenousForecaster
from timer_forecaster.sktime.values import plain_levels

N_PATHS = 500
"""Paths of a joint distribution."""


class ProbabilisticForecaster(ExogenousForecaster):
    """Forecaster that answers with all that a `Forecast` has."""

    on_error: str  # parameters of a subclass
    n_paths: int
    random_state: Any

    def predict_quantiles(self, fh: Any = None, X: Any = None, alpha: Any = None) -> Any:
        """Forecast quantiles; see `sktime.forecasting.base.BaseForecaster.predict_quantiles`."""
        return super().predict_quantiles(fh, X, plain_levels(alpha))

    def predict_interval(self, fh: Any = None, X: Any = None, coverage: Any = 0.9) -> Any:
        """Forecast intervals; see `sktime.forecasting.base.BaseForecaster.predict_interval`."""
        return super().predict_interval(fh, X, plain_levels(coverage))

    def _predict_quantiles(
        self, fh: Any, X: pd.DataFrame | None, alpha: list[float]
    ) -> pd.DataFrame:
        forecast, index = self._forecast(fh, X)
        values = np.stack([forecast.quantile(level) for level in alpha], axis=-1)
        columns = pd.MultiIndex.from_product([self._memory.columns, alpha])
        return pd.DataFrame(values.reshape(len(values), -1), index=index, columns=columns)

    def _predict_var(
        self, fh: Any, X: pd.DataFrame | None = None, cov: bool = False
    ) -> pd.DataFrame:
        if cov:
            raise ValueError(
                "cov=True: there is no matrix of covariances; leave cov out for variances, or "
                "take it from predict_proba(marginal=False)"
            )
        forecast, index = self._forecast(fh, X)
        return pd.DataFrame(forecast.variance, index=index, columns=self._memory.columns)

    def _predict_proba(self, fh: Any, X: pd.DataFrame | None, marginal: bool = True) -> Any:
        from timer_forecaster.skpro import QuantileFunction, empirical

        if not marginal:
            paths, index = self._paths(fh, X)
            return empirical(paths, index, self._memory.columns)
        forecast, index = self._forecast(fh, X)
        labels = {"index": index, "columns": self._memory.columns}
        bounded = forecast.nonnegative
        return QuantileFunction(forecast.quantiles, forecast.levels, **labels, nonnegative=bounded)

    def _forecast(self, fh: Any, X: pd.DataFrame | None) -> tuple[Forecast, pd.Index]:
        """Return the forecast that a horizon asks for, and the index of its rows."""
        (steps, covariates), index = self._asked(fh, X)
        pipe, options = pipeline_of(self), options_of(self)
        how = (options, "fh", self.on_error, covariates)
        return forecast_steps(pipe, self._memory, steps, *how), index

    def _paths(self, fh: Any, X: pd.DataFrame | None) -> tuple[FloatArray, pd.Index]:
        """Return joint paths (paths, rows, variables) and the index of the rows."""
        (steps, covariates), index = self._asked(fh, X)
        pipe, drawn = pipeline_of(self), (self.n_paths, self.random_state, options_of(self))
        how: dict[str, Any] = {"on_error": self.on_error, "covariates": covariates}
        return sample_steps(pipe, self._memory, steps, *drawn, "fh", **how), index
