"""The model inside what Darts puts around models, with numbers worked out beside it."""

import copy

import numpy as np
import pandas as pd
import pytest
from darts import TimeSeries
from darts.ad.anomaly_model import ForecastingAnomalyModel
from darts.ad.scorers import GaussianNLLScorer, KMeansScorer, NormScorer
from darts.dataprocessing import Pipeline
from darts.dataprocessing.transformers import (
    BottomUpReconciliator,
    InvertibleMapper,
    MinTReconciliator,
    Scaler,
    TopDownReconciliator,
)
from darts.metrics import mae
from darts.models import (
    ConformalNaiveModel,
    ConformalQRModel,
    ExponentialSmoothing,
    NaiveEnsembleModel,
    RegressionEnsembleModel,
    Theta,
)
from darts.utils.likelihood_models import QuantileRegression
from darts_cases import (
    NAME,
    QUIET,
    UNAVOIDABLE,
    assert_close,
    make,
    make_series,
    rows_of_calls,
    without_chatter,
)
from sklearn.linear_model import LinearRegression

from timer_forecaster.darts import TimerS1Model

__all__ = ["rows_of_calls", "without_chatter"]  # fixtures

pytestmark = UNAVOIDABLE
LEVELS = [0.1, 0.5, 0.9]


# --- conformal models -----------------------------------------------------------------------


def test_conformal_intervals_are_order_statistics_of_past_errors(rows_of_calls):
    """The k-th smallest absolute error at each step, k = ⌈(n + 1) coverage⌉."""
    series = make_series(130)
    model = make(32, 6).fit(series)
    conformal = ConformalNaiveModel(model, quantiles=LEVELS, cal_length=20)
    forecast = conformal.predict(6, series=series, predict_likelihood_parameters=True)
    assert sum(rows_of_calls) <= 1 + 26  # the forecast, and those of the calibration with it
    width = np.empty(6)
    for step in range(6):  # of each, the newest 20 forecasts for which the outcome is known
        ends = np.arange(110 - step, 130 - step)
        forecasts = model.predict(6, series=[series[:end] for end in ends])
        forecast_then = [one.values()[step, 0] for one in forecasts]
        errors = np.abs(series.values()[ends + step, 0] - forecast_then)
        width[step] = np.sort(errors)[int(np.ceil(21 * 0.8)) - 1]
    median = model.predict(6, series=series).values()[:, 0]
    assert_close(forecast.values(), np.stack([median - width, median, median + width], axis=1))


def test_conformal_quantile_regression_widens_the_models_own_quantiles(rows_of_calls):
    """Sampled 500 times for each of the calibration's forecasts: trap 1.10."""
    series = make_series(100)
    model = make(32, 6, likelihood=QuantileRegression(LEVELS)).fit(series)
    conformal = ConformalQRModel(model, quantiles=LEVELS, cal_length=20, cal_num_samples=500)
    forecast = conformal.predict(
        6, series=series, predict_likelihood_parameters=True, random_state=0
    ).values()
    assert len(rows_of_calls) == 2
    assert sum(rows_of_calls) <= 1 + 26
    own = model.predict(6, series=series, predict_likelihood_parameters=True).values()
    spread = own[:, 2] - own[:, 0]
    np.testing.assert_array_less(np.abs(forecast[:, 1] - own[:, 1]), 0.1 * spread)
    np.testing.assert_allclose(
        (own[:, 0] - forecast[:, 0]) / spread, (forecast[:, 2] - own[:, 2]) / spread, atol=0.05
    )


def test_a_conformal_backtest_runs_each_window_once(rows_of_calls):
    series = make_series(100)
    model = make(32, 6, likelihood=QuantileRegression(LEVELS)).fit(series)
    conformal = ConformalQRModel(model, quantiles=LEVELS, cal_length=10, cal_num_samples=100)
    score = conformal.backtest(series, forecast_horizon=6, stride=5, metric=mae, random_state=0)
    assert np.isfinite(score)
    assert rows_of_calls == [100 - 32 - 6 + 1]


# --- ensembles ------------------------------------------------------------------------------


def test_a_naive_ensemble_is_the_mean(tmp_path):
    series = make_series()
    members = [make(32).fit(series), make(64).fit(series)]
    ensemble = NaiveEnsembleModel(members, train_forecasting_models=False)
    expected = np.mean([member.predict(24).values() for member in members], axis=0)
    assert_close(ensemble.predict(24, series=series).values(), expected)
    path = str(tmp_path / "ensemble.pkl")
    ensemble.save(path)
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) < 200_000
    loaded = NaiveEnsembleModel.load(path, pl_trainer_kwargs=QUIET)
    assert_close(loaded.predict(24, series=series).values(), expected)


def test_an_untrained_ensemble_fits_its_members():
    series = make_series()
    ensemble = NaiveEnsembleModel([make(32), Theta()]).fit(series)
    expected = (make(32).fit(series).predict(24) + Theta().fit(series).predict(24)) / 2
    assert_close(ensemble.predict(24).values(), expected.values())


@pytest.mark.parametrize("historical", [False, True])
def test_a_regression_ensemble_weighs_the_members_as_least_squares_does(historical):
    series = make_series(120)
    members = [make(32, 12), make(64, 12)]
    ensemble = RegressionEnsembleModel(
        members, regression_train_n_points=24, train_using_historical_forecasts=historical
    )
    forecast = ensemble.fit(series).predict(12).values()[:, 0]
    known = series[:-24]
    columns = []
    for length in (32, 64):
        model = make(length, 12).fit(known)
        if historical:  # each chunk is forecast from what lies before it
            parts = [model.predict(12, series=series[:end]) for end in (96, 108)]
            columns.append(np.concatenate([part.values()[:, 0] for part in parts]))
        else:
            columns.append(model.predict(24).values()[:, 0])
    regression = LinearRegression(fit_intercept=False).fit(
        np.stack(columns, axis=1), series.values()[-24:, 0]
    )
    now = [make(length, 12).fit(series).predict(12).values()[:, 0] for length in (32, 64)]
    np.testing.assert_allclose(forecast, regression.predict(np.stack(now, axis=1)), rtol=1e-4)


# --- anomalies ------------------------------------------------------------------------------


@pytest.fixture
def spiked():
    array = make_series(120).all_values(copy=True)
    array[100] += 40.0
    return make_series(120).with_values(array)


def test_anomaly_scores_are_the_errors_of_the_backtest(spiked):
    model = make(32, 6).fit(spiked)
    detector = ForecastingAnomalyModel(model=model, scorer=NormScorer())
    scores, forecasts = detector.score(
        spiked, forecast_horizon=1, start=0.5, return_model_prediction=True
    )
    expected = model.historical_forecasts(spiked, retrain=False, start=0.5)
    assert_close(forecasts.values(), expected.values())
    errors = np.abs((spiked.slice_intersect(expected) - expected).values())
    assert_close(scores.values(), errors)
    assert scores.time_index[scores.values().argmax()] == spiked.time_index[100]


def test_fitted_and_probabilistic_scorers_find_the_spike(spiked, rows_of_calls):
    model = make(32, 6, likelihood=QuantileRegression(LEVELS)).fit(spiked[:80])
    detector = ForecastingAnomalyModel(
        model=model, scorer=[GaussianNLLScorer(), KMeansScorer(k=2, window=1)]
    )
    options = {"forecast_horizon": 1, "num_samples": 50}
    detector.fit(spiked[:80], **options)
    for scores in detector.score(spiked, **options):
        assert scores.time_index[scores.values().argmax()] == spiked.time_index[100]
    assert rows_of_calls == [48, 88]  # windows, not windows times samples


# --- transformers ---------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_scaler_changes_nothing(dtype):
    series = make_series(components=2, dtype=dtype)
    expected = make().fit(series).predict(24)
    scaler = Scaler()
    forecast = make().fit(scaler.fit_transform(series)).predict(24)
    np.testing.assert_allclose(
        scaler.inverse_transform(forecast).values(), expected.values(), rtol=2e-5
    )


def test_a_pipeline_is_undone():
    series = make_series()
    steps = Pipeline([InvertibleMapper(fn=np.log, inverse_fn=np.exp), Scaler()])
    forecast = steps.inverse_transform(make().fit(steps.fit_transform(series)).predict(24))
    logarithms = TimeSeries.from_times_and_values(series.time_index, np.log(series.values()))
    expected = np.exp(make().fit(logarithms).predict(24).values())
    assert_close(forecast.values(), expected)


def test_a_scaler_fitted_to_each_window_changes_no_backtest():
    series = make_series(84)
    model = make(64, 6)
    options = {"forecast_horizon": 6, "stride": 5}
    scaled = model.historical_forecasts(series, data_transformers={"series": Scaler()}, **options)
    assert_close(scaled.values(), model.historical_forecasts(series, **options).values())


# --- hierarchies ----------------------------------------------------------------------------

SUMMING = np.array([[1.0, 1.0], [1.0, 0.0], [0.0, 1.0]])


@pytest.fixture
def hierarchy():
    parts = make_series(100, 2).values()
    return TimeSeries.from_times_and_values(
        pd.date_range("2024-01-01", periods=100, freq="h"),
        parts @ SUMMING.T,
        columns=["total", "a", "b"],
        hierarchy={"a": ["total"], "b": ["total"]},
    )


def test_reconciled_forecasts_add_up(hierarchy):
    base = make().fit(hierarchy).predict(24)
    assert base.has_hierarchy
    total, parts = base.values()[:, :1], base.values()[:, 1:]
    assert np.abs(total[:, 0] - parts.sum(axis=1)).max() > 1e-3
    bottom_up = BottomUpReconciliator().transform(base).values()
    assert_close(bottom_up, parts @ SUMMING.T)
    shares = hierarchy.values()[:, 1:].sum(axis=0) / hierarchy.values()[:, 0].sum()
    top_down = TopDownReconciliator().fit(hierarchy).transform(base).values()
    assert_close(top_down, (total * shares) @ SUMMING.T)
    least_squares = MinTReconciliator(method="ols").fit(hierarchy).transform(base).values()
    projection = SUMMING @ np.linalg.pinv(SUMMING)
    assert_close(least_squares, base.values() @ projection.T)


def test_errors_of_a_backtest_weigh_the_reconciliation(hierarchy):
    """MinT with the variances of the residuals, which a backtest gives."""
    model = make(64, 6).fit(hierarchy)
    residuals = model.residuals(hierarchy, forecast_horizon=1)
    assert residuals.components.to_list() == ["total", "a", "b"]
    reconciliator = MinTReconciliator(method="wls_var").fit(residuals)
    base = model.predict(6)
    forecast = reconciliator.transform(base).values()
    weights = np.diag(1 / (residuals.values() ** 2).mean(axis=0))
    bottom = np.linalg.solve(SUMMING.T @ weights @ SUMMING, SUMMING.T @ weights)
    assert_close(forecast, base.values() @ (SUMMING @ bottom).T)


# --- beside other models --------------------------------------------------------------------


def test_a_search_beside_statistical_models_forecasts_the_same_steps():
    steps = np.arange(96)
    array = 10 + np.sin(2 * np.pi * steps / 12) + np.random.default_rng(0).normal(0, 0.1, 96)
    series = TimeSeries.from_times_and_values(
        pd.date_range("2016-01-01", periods=96, freq="MS"), array
    )
    options = {"forecast_horizon": 6, "stride": 6, "start": 72, "metric": mae}
    window = {"hub_model_name": [NAME], "pl_trainer_kwargs": [QUIET], "output_chunk_length": [6]}
    found = {
        model: model.gridsearch(grid, series, **options)
        for model, grid in {
            TimerS1Model: {"input_chunk_length": [24, 48], **window},
            ExponentialSmoothing: {"seasonal_periods": [12], "damped": [False, True]},
            Theta: {"theta": [1, 2], "seasonality_period": [12]},
        }.items()
    }
    for model, (best, _, score) in found.items():
        forecasts = best.historical_forecasts(
            series, forecast_horizon=6, stride=6, start=72, last_points_only=False
        )
        assert [one.start_time() for one in forecasts] == list(series.time_index[72:96:6])
        assert score == pytest.approx(np.mean([mae(series, one) for one in forecasts]), rel=1e-5)
        assert isinstance(best, model)


def test_a_copied_ensemble_forecasts_the_same():
    series = make_series()
    ensemble = NaiveEnsembleModel([make(64, 12), make(32, 12)]).fit(series)
    assert copy.deepcopy(ensemble).predict(12) == ensemble.predict(12)
