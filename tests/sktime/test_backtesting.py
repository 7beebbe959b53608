"""Backtests in one batch: `evaluate` and `update_predict` against sktime's own loops."""

import doctest

import numpy as np
import pandas as pd
import pytest

from timer_forecaster import release

pytest.importorskip("sktime")

from sktime.exceptions import FitFailedWarning
from sktime.forecasting.model_evaluation import evaluate
from sktime.forecasting.naive import NaiveForecaster
from sktime.performance_metrics.forecasting import MeanAbsoluteError
from sktime.split import ExpandingWindowSplitter, SlidingWindowSplitter
from sktime_cases import forecaster, hourly

from timer_forecaster.sktime import backtesting
from timer_forecaster.sktime import evaluate as timer_evaluate
from timer_forecaster.sktime.backtesting import BacktestingForecaster

SPLITTERS = [
    ExpandingWindowSplitter(fh=[1, 2, 3], initial_window=40, step_length=10),
    SlidingWindowSplitter(fh=[1, 35], window_length=20, step_length=5),
]


@pytest.mark.parametrize("update_params", [False, True])
def test_update_predict_uses_every_new_value(update_params):
    y = hourly(60)
    cv = ExpandingWindowSplitter(fh=[1], initial_window=1, step_length=4)
    fitted = forecaster().fit(y[:40])
    predicted = fitted.update_predict(y[40:], cv, update_params=update_params)
    assert len(predicted) == 5
    for time, value in predicted.items():
        expected = forecaster().fit(y[y.index < time]).predict([1])
        assert value == pytest.approx(expected.iloc[0], rel=1e-6)


@pytest.mark.parametrize("cv", SPLITTERS, ids=lambda cv: type(cv).__name__)
@pytest.mark.parametrize("strategy", ["refit", "update", "no-update_params"])
@pytest.mark.parametrize("panel", [False, True])
def test_evaluate_forecasts_all_folds_in_one_batch(calls, cv, strategy, panel):
    y = hourly(70).to_frame("y")
    if panel:
        y = pd.concat({"a": y, "b": y**2}, names=["id", "t"])
    options = {"strategy": strategy, "return_data": True, "scoring": [MeanAbsoluteError()]}
    batched = timer_evaluate(forecaster(), cv, y, **options)
    assert calls == [(len(batched) * (1 + panel), cv.fh[-1])]
    release()
    looped = evaluate(forecaster(), cv, y, error_score="raise", **options)
    assert len(calls) == 1 + len(looped)
    for one, other in zip(batched["y_pred"], looped["y_pred"], strict=True):
        pd.testing.assert_frame_equal(one, other, rtol=1e-5)
    np.testing.assert_allclose(
        batched["test_MeanAbsoluteError"], looped["test_MeanAbsoluteError"], rtol=1e-5
    )


def test_evaluate_leaves_folds_that_fail_to_error_score():
    y = hourly(70)
    y.iloc[:50] = np.nan
    with pytest.warns(FitFailedWarning, match="fitting of forecaster TimerS1Forecaster failed"):
        folds = timer_evaluate(forecaster(), SPLITTERS[0], y)
    assert folds.filter(like="test_").iloc[:, 0].isna().tolist() == [True, True, False]


def test_evaluate_refuses_other_forecasters():
    with pytest.raises(TypeError, match=r"NaiveForecaster.*use sktime\.forecasting"):
        timer_evaluate(NaiveForecaster(), SPLITTERS[0], hourly())


@pytest.mark.parametrize("cv", [*SPLITTERS, None], ids=lambda cv: type(cv).__name__)
def test_update_predict_forecasts_all_windows_in_one_batch(calls, cv):
    y = hourly(90)
    fitted = forecaster().fit(y[:20])
    batched = fitted.update_predict(y[20:], cv)
    assert len(calls) == 1
    assert fitted.cutoff[0] == y.index[19]
    release()
    looped = super(BacktestingForecaster, fitted).update_predict(y[20:], cv)
    assert len(calls) == 1 + calls[0][0]
    compare = pd.testing.assert_series_equal if cv is None else pd.testing.assert_frame_equal
    compare(batched, looped, rtol=1e-5)


def test_docstring_examples():
    failed, attempted = doctest.testmod(backtesting)
    assert (failed, attempted > 0) == (0, True)
