"""Forecasters of sktime beside ours: found by name, and fitted to each window."""

from __future__ import annotations

import difflib
import inspect
import sys
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
import pandas as pd
from pandas.tseries.offsets import BaseOffset

from timer_forecaster.arrays import FloatArray
from timer_forecaster.backtesting.data import Data
from timer_forecaster.backtesting.models import Answer
from timer_forecaster.backtesting.windows import Windows
from timer_forecaster.evaluation.baselines import fill_missing
from timer_forecaster.extras import missing_extra
from timer_forecaster.inference.series import from_first_observed

_OTHER_NAMES = {"Theta": "ThetaForecaster", "ETS": "AutoETS", "Naive": "NaiveForecaster"}
# The registry of sktime imports all of its modules. These are found without it.
_HOMES = {
    "ARIMA": "arima",
    "AutoARIMA": "arima",
    "AutoETS": "ets",
    "BATS": "bats",
    "Croston": "croston",
    "ExponentialSmoothing": "exp_smoothing",
    "NaiveForecaster": "naive",
    "PolynomialTrendForecaster": "trend",
    "Prophet": "fbprophet",
    "STLForecaster": "trend",
    "StatsForecastAutoARIMA": "statsforecast",
    "StatsForecastAutoCES": "statsforecast",
    "StatsForecastAutoETS": "statsforecast",
    "StatsForecastAutoTheta": "statsforecast",
    "TBATS": "tbats",
    "ThetaForecaster": "theta",
    "TrendForecaster": "trend",
}
_SEASONS = ("sp", "season_length")  # names of the parameter in sktime's classes
_SUGGESTIONS = 3


@dataclass(frozen=True)
class SktimeModel:
    """A forecaster of sktime.

    Parameters
    ----------
    name : str
    make : callable
        Returns a new forecaster for a number of steps in a season.
    has_quantiles : bool
        Whether it forecasts quantiles.
    """

    name: str
    make: Callable[[int], Any]
    has_quantiles: bool
    together: int = 16
    width: int = 1

    def settings(self) -> str:
        """Return the parameters of the forecaster and the version of sktime."""
        import sktime

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            one = self.make(1)
        return f"{one!r} of sktime {sktime.__version__}"

    def forecast(
        self, data: Data, windows: Windows, rows: Sequence[int], levels: Sequence[float]
    ) -> Answer:
        """Fit to the steps before each window and forecast it; note windows where that fails."""
        quantiles = np.full((len(rows), windows.horizon, len(levels)), np.nan)
        reasons: dict[int, str] = {}
        for place, (number, context) in enumerate(
            zip(windows.number[rows].tolist(), data.contexts(windows, rows), strict=True)
        ):
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    y = _as_series(data, number, context)
                    season = data.seasonality[number]
                    # Fewer than two seasons tell no season.
                    forecaster = self.make(season if len(y) >= 2 * season else 1)
                    quantiles[place] = self._quantiles(forecaster, y, windows.horizon, levels)
            except Exception as error:  # of code that is not ours
                quantiles[place] = np.nan
                reasons[place] = f"{type(error).__name__}: {' '.join(str(error).split())}"
        return Answer(quantiles, reasons)

    def _quantiles(
        self, forecaster: Any, y: pd.Series, horizon: int, levels: Sequence[float]
    ) -> FloatArray:
        """Return quantiles (horizon, levels); the point forecast at all levels if there are none.

        Raises
        ------
        ValueError
            If a value is not finite.
        """
        fh = np.arange(1, horizon + 1)
        forecaster.fit(y, fh=fh)
        if self.has_quantiles:
            found = np.asarray(forecaster.predict_quantiles(fh=fh, alpha=list(levels)), float)
        else:
            point = np.asarray(forecaster.predict(fh=fh), float).reshape(horizon, 1)
            found = np.repeat(point, len(levels), axis=1)
        if not np.isfinite(found).all():
            raise ValueError("its forecast is not finite")
        return found.reshape(horizon, len(levels))


def _as_series(data: Data, number: int, context: FloatArray) -> pd.Series:
    """Return a context without missing values as sktime takes it."""
    index = _index_of(data.labels.times_of(number)[: len(context)], data.freq[number])
    values = from_first_observed(context)
    start = len(context) - len(values)
    return pd.Series(fill_missing(values), index=index[start:])


def _index_of(times: pd.Index, step: Any) -> pd.Index:
    """Return times that forecasters can continue, or numbers in their place."""
    if isinstance(times, pd.PeriodIndex):
        return times
    if isinstance(times, pd.DatetimeIndex) and times.tz is None and isinstance(step, BaseOffset):
        with suppress(ValueError):  # times that pandas walks in another way
            return pd.DatetimeIndex(times, freq=step)
    return pd.RangeIndex(len(times))


def is_forecaster(value: Any) -> bool:
    """Whether a value is a forecaster of sktime; without loading it."""
    if "sktime" not in sys.modules:
        return False
    from sktime.forecasting.base import BaseForecaster

    return isinstance(value, BaseForecaster)


def of_instance(forecaster: Any, name: str | None = None) -> SktimeModel:
    """Return the model of a forecaster, which is cloned for each window."""
    has_quantiles = bool(forecaster.get_tag("capability:pred_int", False))
    return SktimeModel(
        name or type(forecaster).__name__, lambda _: forecaster.clone(), has_quantiles
    )


def of_name(given: str, name: str | None = None) -> SktimeModel:
    """Return the model of a forecaster of sktime by its name.

    A forecaster that has a season gets it. One that chooses a model if it is told to, such as
    AutoETS, is told to.

    Raises
    ------
    ValueError
        If sktime has no forecaster of that name. The error suggests others.
    ImportError
        If sktime, or a package that the forecaster needs, is not installed.
    """
    found = _class_of(given)
    from sktime.utils.dependencies import _check_estimator_deps

    parameters = inspect.signature(found.__init__).parameters
    season = next((one for one in _SEASONS if one in parameters), None)
    fixed = {"auto": True} if "auto" in parameters else {}

    def make(seasonality: int) -> Any:
        seasonal = {} if season is None else {season: seasonality}
        return found(**fixed, **seasonal)

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            _check_estimator_deps(found)
            one = make(1)
    except ModuleNotFoundError as error:
        text = " ".join(str(error).split())
        raise ImportError(f"baselines: {given!r} of sktime cannot be used: {text}") from error
    except TypeError as error:
        raise ValueError(
            f"baselines: {given!r} of sktime needs arguments ({error}); pass an instance"
        ) from error
    return SktimeModel(name or given, make, bool(one.get_tag("capability:pred_int", False)))


def _class_of(given: str) -> Any:
    """Return the class of a forecaster of sktime."""
    try:
        import sktime  # noqa: F401
    except ImportError as error:
        need = f"baselines: {given!r} is looked for among the forecasters of sktime, and it is not"
        raise ImportError(missing_extra(f"{need} installed", "sktime")) from error
    name = _OTHER_NAMES.get(given, given)
    if name in _HOMES:
        with suppress(ImportError, AttributeError):  # of another version of sktime
            return getattr(import_module(f"sktime.forecasting.{_HOMES[name]}"), name)
    classes = _registry()
    by_lower = {one.lower(): one for one in classes}
    for candidate in (name, f"{name}Forecaster"):
        if candidate.lower() in by_lower:
            return classes[by_lower[candidate.lower()]]
    close = difflib.get_close_matches(name.lower(), by_lower, _SUGGESTIONS, 0.5)
    close += [one for one in by_lower if name.lower() in one and one not in close]
    near = ", ".join(repr(by_lower[one]) for one in close[:_SUGGESTIONS])
    raise ValueError(
        f"baselines: sktime has no forecaster {given!r}"
        + (f"; did you mean {near}?" if near else "; name one such as 'AutoETS' or 'Theta'")
    )


def _registry() -> dict[str, Any]:
    """Return the classes of all forecasters of sktime by their names."""
    from sktime.registry import all_estimators

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return dict(all_estimators("forecaster", suppress_import_stdout=True))
