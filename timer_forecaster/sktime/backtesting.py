"""Backtests whose forecasts are made in one batch, for sktime's own loops to recall."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from copy import deepcopy
from itertools import repeat
from typing import Any

import numpy as np
import pandas as pd
from sktime.datatypes import convert_to, get_cutoff
from sktime.forecasting.base._base import _format_moving_cutoff_predictions
from sktime.forecasting.model_evaluation import evaluate as sktime_evaluate
from sktime.split import ExpandingWindowSplitter, SameLocSplitter, TestPlusTrainSplitter
from sktime.utils.validation.forecasting import check_fh

from timer_forecaster.estimators import options_of, pipeline_of
from timer_forecaster.failures import Failures
from timer_forecaster.inference import memo
from timer_forecaster.inference.steps import questions
from timer_forecaster.sktime.exogenous import refuse_array
from timer_forecaster.sktime.forecaster import PANDAS, PipelineForecaster

State = tuple["BacktestingForecaster", Any]
"""A forecaster, and the X that its `predict` will get."""

_IN_PROCESS = (None, "None", "threading")


class BacktestingForecaster(PipelineForecaster):
    """A `PipelineForecaster` that forecasts all windows of a backtest in one batch."""

    def update_predict(
        self,
        y: Any,
        cv: Any = None,
        X: Any = None,
        update_params: bool = True,
        reset_forecaster: bool = True,
    ) -> Any:
        """Forecast from every window of a splitter, all windows in one batch.

        Parameters and result are the same as in
        `sktime.forecasting.base.BaseForecaster.update_predict`.
        """
        self.check_is_fitted()
        if isinstance(y, np.ndarray):
            raise TypeError(
                "y is an array, whose windows have no times; pass a pandas object with an index, "
                "or call update and predict"
            )
        cv = ExpandingWindowSplitter(initial_window=1) if cv is None else cv
        frame = convert_to(y, PANDAS)
        copy = deepcopy(self)
        refuse_array(X)
        states = (copy.update(frame.iloc[window], X) for window, _ in cv.split(frame))
        self._prefetch(((state, X) for state in states), cv.fh)
        return super().update_predict(y, cv, X, update_params, reset_forecaster)

    def _predict_moving_cutoff(
        self,
        y: Any,
        cv: Any,
        X: Any = None,
        update_params: bool = True,
        reset_forecaster: bool = True,
    ) -> Any:
        """Forecast from window to window, as sktime does.

        sktime first sets the cutoff to the step before y, and fails if the index of y has no
        ``freq``. Gaps, and days or hours that never occur, leave it without one. The step is not
        needed here, because each update sets the cutoff.
        """
        first = get_cutoff(y, return_index=True, reverse_order=True)
        if not isinstance(first, pd.DatetimeIndex) or first.freq is not None:
            return super()._predict_moving_cutoff(y, cv, X, update_params, reset_forecaster)
        forecaster = deepcopy(self) if reset_forecaster else self
        forecasts, cutoffs = [], []
        for window, _ in cv.split(y):
            forecast = forecaster.update_predict_single(
                y.iloc[window], cv.get_fh(), X, update_params
            )
            forecasts.append(convert_to(forecast, self._y_metadata["mtype"]))
            cutoffs.append(forecaster.cutoff)
        return _format_moving_cutoff_predictions(forecasts, cutoffs)

    def _prefetch(self, states: Iterable[State], fh: Any) -> None:
        """Make the forecasts of several states of this forecaster in one batch, to be recalled."""
        asked = (question for state, X in states for question in state._questions(fh, X))
        memo.prefetch(pipeline_of(self), asked, options_of(self), self.on_error)

    def _questions(self, fh: Any, X: Any) -> list[memo.Question]:
        """Return the questions that `predict` will ask."""
        fh = check_fh(fh, freq=self._cutoff)
        (steps, covariates), _ = self._asked(fh, self._check_X(X))
        pipe, options, failures = pipeline_of(self), options_of(self), Failures(self.on_error)
        found = questions(pipe, self._memory, steps, options, covariates, failures)
        return [question for _, question in found]


def evaluate(
    forecaster: BacktestingForecaster,
    cv: Any,
    y: Any,
    X: Any = None,
    strategy: str = "refit",
    **options: Any,
) -> pd.DataFrame:
    """Evaluate as sktime does, with the forecasts of all folds made in one batch.

    The result equals the result of `sktime.forecasting.model_evaluation.evaluate`, up to the
    rounding of the batch; its times are times of recalling a forecast. Folds are forecast one by
    one in two cases: in worker processes (backends "loky", "multiprocessing", "dask", "ray"),
    which do not share memory, and for a forecaster that is finetuned in `fit`, since the networks
    of its folds differ.

    Parameters
    ----------
    forecaster : TimerS1Forecaster or TinyTimeMixerForecaster
    cv, y, X, strategy, **options
        As `sktime.forecasting.model_evaluation.evaluate` takes them.

    Returns
    -------
    pandas.DataFrame
        A row per fold.

    Raises
    ------
    TypeError
        If the forecaster is not one of `timer_forecaster.sktime`.

    Examples
    --------
    >>> from sktime.datasets import load_airline
    >>> from sktime.split import ExpandingWindowSplitter, SameLocSplitter, TestPlusTrainSplitter
    >>> from timer_forecaster.sktime import TimerS1Forecaster, evaluate
    >>> cv = ExpandingWindowSplitter(fh=[1, 2, 3], initial_window=100, step_length=10)
    >>> len(evaluate(TimerS1Forecaster(), cv, load_airline()))
    5
    """
    if not isinstance(forecaster, BacktestingForecaster):
        raise TypeError(
            f"forecaster is a {type(forecaster).__name__}, not one of timer_forecaster.sktime; "
            "use sktime.forecasting.model_evaluation.evaluate"
        )
    if options.get("backend") in _IN_PROCESS and all(
        options.get(name) is None for name in ("cv_global", "cv_X")
    ):
        # An error here is raised again below, where error_score handles it.
        with suppress(Exception):
            copy = forecaster.clone()
            if not copy._tunes_in_fit():
                copy._prefetch(_fold_by_fold(copy, cv, y, X, strategy), cv.fh)
    return sktime_evaluate(forecaster, cv, y, X, strategy, **options)


def _fold_by_fold(
    forecaster: BacktestingForecaster, cv: Any, y: Any, X: Any, strategy: str
) -> Iterator[State]:
    """Fit or update with the training data of each fold in turn, as sktime splits y and X."""
    y, parts = convert_to(y, PANDAS), repeat((None, None))
    if X is not None:
        X = convert_to(X, PANDAS)
        parts = SameLocSplitter(TestPlusTrainSplitter(cv), y).split_series(X)
    pairs = zip(cv.split_series(y), parts, strict=False)  # without X the parts do not end
    for i, ((train, _), (X_train, X_test)) in enumerate(pairs):
        fits = i == 0 or strategy == "refit"
        state = forecaster.fit(train, X_train) if fits else forecaster.update(train, X_train)
        yield state, X_test
