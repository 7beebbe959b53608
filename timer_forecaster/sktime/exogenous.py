"""X of sktime: what a forecaster does with it in fit, update and predict."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd

from timer_forecaster.callers import stacklevel_of_caller
from timer_forecaster.checks import check_choice
from timer_forecaster.estimators import options_of, tuning_of
from timer_forecaster.frames.beside import Beside, Table
from timer_forecaster.frames.history import Memory, shifted
from timer_forecaster.inference.steps import Covariates, Steps
from timer_forecaster.sktime.horizons import steps_and_times
from timer_forecaster.sktime.panels import PanelForecaster

EXOGENOUS = ("raise", "warn")


class ExogenousForecaster(PanelForecaster):
    """Forecaster that remembers X beside its memory of y."""

    exogenous: str | None = None  # a parameter of classes that earlier versions had
    on_error: str  # a parameter of a subclass
    _memory: Memory
    _beside: Beside | None

    def _ignores_X(self) -> bool:
        return options_of(self).ignores_covariates or self.exogenous == "warn"

    def _remember_X(self, X: pd.DataFrame | None, length: int) -> None:
        """Remember the X of fit."""
        self._beside = None
        if X is not None and X.shape[1] and not self._ignores_X():
            self._beside = Beside.of(X, self._memory, length, self.on_error)

    def _beside_after(self, X: pd.DataFrame | None, memory: Memory, length: int) -> Beside | None:
        """Return the remembered X after an update to a memory."""
        beside = self._beside
        if self._ignores_X():
            return None
        if beside is None:
            _refuse_unseen(X)
            return None
        if X is None:
            raise ValueError(
                f"X had columns {list(beside.columns)} in fit, and is absent in update; pass it, "
                "with NaN where a value is unknown"
            )
        return beside.updated(X, self._memory, memory, length, self.on_error)

    def _X_to_tune(self) -> list[Table] | None:
        """Return the remembered X for each series, if the finetuning reads known columns."""
        tuning = tuning_of(self)
        if tuning is None or tuning.target != "channels":
            return None
        if self._beside is None:
            raise ValueError(
                "tuning: target='channels' needs columns that are known over a horizon: pass X to "
                "fit, and leave out covariates='off'"
            )
        memory = self._memory
        tables = [self._beside.remembered(key, memory) for key in memory.histories]
        return [table for table in tables for _ in memory.columns]

    def _covariates(self, X: pd.DataFrame | None, is_future: bool) -> Covariates | None:
        """Return the covariates of a forecast, which may have future steps; None without X."""
        if self._ignores_X():
            return None
        if self._beside is None:
            _refuse_unseen(X)
            return None
        if X is None and is_future:
            raise ValueError(
                f"X had columns {list(self._beside.columns)} in fit, and is absent here; pass the "
                "columns that are known over the horizon, X[[]] if none is, or fit with "
                "covariates='off'"
            )
        return Covariates(self._beside, X)

    def _asked(
        self, fh: Any, X: pd.DataFrame | None
    ) -> tuple[tuple[Steps, Covariates | None], pd.Index]:
        """Return the steps that a horizon asks for and their covariates, and the index of rows."""
        steps, times = steps_and_times(fh, self._memory.histories)
        covariates = self._covariates(X, any(own.max() > 0 for own in steps.values()))
        return (steps, covariates), self._memory.labeled(times)

    def _check_X_y(self, X: Any = None, y: Any = None, **options: Any) -> Any:
        """Check as sktime does; give an array of X the times that follow the remembered ones."""
        self._react_to_X(X)
        if isinstance(X, np.ndarray) and hasattr(self, "_memory"):
            # sktime numbers the rows of an array from 0
            inner, _ = super()._check_X_y(X=X)
            X = shifted(inner, _next_time(self._memory), self._memory.integer_step())
        return super()._check_X_y(X=X, y=y, **options)

    def _react_to_X(self, X: Any) -> None:
        """Do as the parameter ``exogenous`` of earlier versions asks, if it is given."""
        if X is None or self.exogenous is None:
            return
        message = f"X: {type(self).__name__}(exogenous={self.exogenous!r}) cannot use X"
        if self.exogenous == "raise":
            raise ValueError(f"{message}; leave exogenous out, and X takes part in forecasts")
        warnings.warn(f"{message}; it is ignored", stacklevel=stacklevel_of_caller())

    def _check_exogenous(self) -> None:
        """Check the parameter ``exogenous`` of earlier versions, and warn of it."""
        if self.exogenous is None:
            return
        check_choice("exogenous", self.exogenous, EXOGENOUS)
        warnings.warn(
            f"exogenous={self.exogenous!r} goes with the next release: X takes part in forecasts "
            "unless covariates='off'",
            FutureWarning,
            stacklevel=stacklevel_of_caller(),
        )


def refuse_array(X: Any) -> None:
    """Refuse an array of X where its rows may be steps of y or of the horizon."""
    if isinstance(X, np.ndarray):
        raise TypeError(
            "X is an array, whose rows have no times; pass a pandas object with an index, or call "
            "update and predict"
        )


def _refuse_unseen(X: pd.DataFrame | None) -> None:
    if X is not None and X.shape[1]:
        raise ValueError(
            f"X has columns {list(X.columns)}, which fit never saw; pass X to fit too, or leave it "
            "out here"
        )


def _next_time(memory: Memory) -> int:
    try:
        return memory.next_time()
    except ValueError as error:
        raise ValueError(str(error).replace("y is an array", "X is an array", 1)) from None
