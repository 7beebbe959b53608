"""Plans: each series with its features, its fitted models and the windows of its check."""

from __future__ import annotations

import dataclasses

from timer_forecaster.arrays import FloatArray
from timer_forecaster.inference.covariate_options import CovariateOptions
from timer_forecaster.inference.covariates.columns import Covariates
from timer_forecaster.inference.covariates.cycles import Cycles
from timer_forecaster.inference.covariates.features import Features, features_of
from timer_forecaster.inference.covariates.models import Model, fitted_models
from timer_forecaster.inference.covariates.ridge import Span
from timer_forecaster.inference.covariates.warning import Notes
from timer_forecaster.inference.covariates.windows import Windows, check_windows
from timer_forecaster.inference.scaling import squarable_unit
from timer_forecaster.inference.series import from_first_observed
from timer_forecaster.models.network import Network

_LONGEST_WINDOW = 128
"""Most steps of a window of the check."""


@dataclasses.dataclass(frozen=True, eq=False)
class Plan:
    """One series and all that is forecast for it.

    Parameters
    ----------
    series : ndarray, shape (steps,)
        Divided by `unit`.
    unit : float
        A power of two, so that no digit changes.
    features : Features
    windows : Windows
    models : list of Model
        Empty if no column can explain anything.
    """

    series: FloatArray
    unit: float
    features: Features
    windows: Windows
    models: list[Model]

    @property
    def whole(self) -> Span:
        """All steps of the series."""
        return Span(0, len(self.series))

    def remainder(self, model: int, fit: int, span: Span) -> FloatArray:
        """Return steps of the series (model 0), or of its remainder by a model."""
        if not model:
            return self.series[span.start : span.stop]
        return self.models[model - 1].remainder(self.series, fit, span)

    def restored(self, model: int, quantiles: FloatArray, fit: int, start: int) -> FloatArray:
        """Return quantiles (steps, Q) of a remainder as quantiles of the series."""
        if not model:
            return quantiles
        return self.models[model - 1].restored(quantiles, fit, start)


@dataclasses.dataclass(frozen=True, eq=False)
class Planner:
    """Makes the plans of one forecast.

    Parameters
    ----------
    network : Network
    horizon : int
    options : CovariateOptions
    longest : int
        Most steps of a series that a forecast reads.
    notes : Notes
        Takes warnings.
    """

    network: Network
    horizon: int
    options: CovariateOptions
    longest: int
    notes: Notes

    def plan(self, number: int, series: FloatArray, covariates: Covariates, cycles: Cycles) -> Plan:
        """Fit the models of a series, with and without each group of windows."""
        newest = from_first_observed(series[-self.longest :])
        covariates, series = covariates.cut(len(series) - len(newest)), newest
        unit = squarable_unit(series)
        series = series / unit
        windows = self._windows(len(series))
        features = features_of(
            covariates,
            series,
            self.horizon,
            cycles,
            nonlinear=self.options.nonlinear,
            notes=self.notes,
            number=number,
        )
        if not features.matrix.shape[1]:
            return Plan(series, unit, features, windows, [])
        names = self.options.effort_for(self.network.config.hidden_size).models
        models = fitted_models(names, series, features, cycles, self.horizon, windows.without)
        return Plan(series, unit, features, windows, models)

    def plain(self, series: FloatArray) -> Plan:
        """Return the plan of a series without covariates."""
        steps = len(series[-self.longest :])
        features = Features.empty(steps + self.horizon)
        return Plan(series[-self.longest :], 1.0, features, self._windows(steps), [])

    def _windows(self, steps: int) -> Windows:
        config = self.network.config
        return check_windows(
            steps,
            self.horizon,
            config.origin_step,
            min(_LONGEST_WINDOW, self.network.pass_length),
            self.options.windows,
            self.options.effort_for(config.hidden_size),
        )
