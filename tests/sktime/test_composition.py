"""The forecaster inside sktime's tuners, pipelines, ensembles, reconciliation and benchmarks.

Each test compares with the same computation by hand.
"""

import numpy as np
import pandas as pd
import pytest

from timer_forecaster import ForecastPipeline

pytest.importorskip("sktime")

from sktime.benchmarking.forecasting import ForecastingBenchmark
from sktime.forecasting.compose import (
    EnsembleForecaster,
    MultiplexForecaster,
    TransformedTargetForecaster,
)
from sktime.forecasting.conformal import ConformalIntervals
from sktime.forecasting.ets import AutoETS
from sktime.forecasting.model_evaluation import evaluate
from sktime.forecasting.model_selection import (
    ForecastingGridSearchCV,
    ForecastingOptunaSearchCV,
    ForecastingRandomizedSearchCV,
)
from sktime.forecasting.naive import NaiveForecaster
from sktime.forecasting.reconcile import ReconcilerForecaster
from sktime.forecasting.theta import ThetaForecaster
from sktime.performance_metrics.forecasting import MeanAbsoluteError, MeanSquaredError
from sktime.performance_metrics.forecasting.probabilistic import PinballLoss
from sktime.split import ExpandingWindowSplitter, SlidingWindowSplitter
from sktime.transformations.hierarchical.aggregate import Aggregator
from sktime.transformations.hierarchical.reconcile import (
    BottomUpReconciler,
    OptimalReconciler,
    Reconciler,
    TopdownReconciler,
)
from sktime.transformations.series.boxcox import LogTransformer
from sktime.transformations.series.difference import Differencer

from timer_forecaster.sktime import TimerS1Forecaster

MODEL = "timer-s1-test"  # random weights, nine levels, context 512, 32 steps in a pass
ALONE = {"backend": None}
THREADS = {"backend": "threading", "backend_params": {"n_jobs": 2}}
PROCESSES = {"backend": "loky", "backend_params": {"n_jobs": 2}}


def timer(**parameters):
    return TimerS1Forecaster(MODEL, **parameters)


def monthly(n=72, seed=0):
    noise = np.random.default_rng(seed).normal(size=n).cumsum()
    values = 50 + noise + 8 * np.sin(2 * np.pi * np.arange(n) / 12)
    return pd.Series(values, pd.period_range("2015-01", periods=n, freq="M"), name="sold")


def panel():
    parts = {name: monthly(seed=seed).to_frame() for seed, name in enumerate("ab")}
    return pd.concat(parts, names=["shop", "month"])


def hierarchy():
    """Two areas of two shops each."""
    shops = [("n", "1"), ("n", "2"), ("s", "1"), ("s", "3")]
    parts = {shop: monthly(seed=seed).to_frame() * (seed + 1) for seed, shop in enumerate(shops)}
    return pd.concat(parts, names=["area", "shop", "month"])


# Three folds.
CV = ExpandingWindowSplitter(fh=[1, 2, 3], initial_window=60, step_length=4)


def error_by_hand(forecaster, y, cv=CV):
    """Return the mean absolute error over the folds, with a new fit for each."""
    scores = []
    for train, test in cv.split_series(y):
        predicted = forecaster.clone().fit(train, fh=cv.get_fh()).predict()
        scores.append(np.abs(predicted.to_numpy() - test.to_numpy()).mean())
    return np.mean(scores)


# --------------------------------------------------------------------------------------- searches

SCORING = {"scoring": MeanAbsoluteError(), "error_score": "raise"}
SCORE = "mean_test_MeanAbsoluteError"


def grid_search(forecaster, values, **options):
    return ForecastingGridSearchCV(forecaster, CV, values, **SCORING, **options)


def randomized_search(forecaster, values, **options):
    options = {"n_iter": 3, "random_state": 0, **SCORING, **options}
    return ForecastingRandomizedSearchCV(forecaster, CV, values, **options)


def optuna_search(forecaster, values, **options):
    pytest.importorskip("optuna")
    from optuna.distributions import CategoricalDistribution
    from optuna.samplers import RandomSampler

    values = {key: CategoricalDistribution(choices) for key, choices in values.items()}
    options = {"n_evals": 3, "sampler": RandomSampler(seed=0), **SCORING, **options}
    return ForecastingOptunaSearchCV(forecaster, CV, values, **options)


@pytest.mark.parametrize(
    ("search", "data", "backend"),
    [
        (grid_search, monthly, ALONE),
        (grid_search, panel, THREADS),
        (randomized_search, panel, ALONE),
        (randomized_search, monthly, THREADS),
        (optuna_search, monthly, ALONE),
        (optuna_search, panel, ALONE),
    ],
    ids=lambda value: value["backend"] or "alone" if isinstance(value, dict) else value.__name__,
)
def test_searches_score_flat_parameters_as_by_hand_with_one_load(search, data, backend, loads):
    y = data()
    values = {"context_length": [14, 40], "point": ["median", "mean"]}
    tuned = search(timer(), values, **backend).fit(y)
    assert len(loads) == 1
    scores = tuned.cv_results_[SCORE]
    expected = [error_by_hand(timer(**chosen), y) for chosen in tuned.cv_results_["params"]]
    np.testing.assert_allclose(scores, expected, rtol=1e-6)
    assert len(set(scores.round(9))) > 1
    assert tuned.best_score_ == pytest.approx(min(expected))
    best = timer(**tuned.best_params_).fit(y)
    np.testing.assert_allclose(tuned.predict([1, 2]), best.predict([1, 2]), rtol=1e-6)
    interval = tuned.predict_interval([1, 2], coverage=0.8)
    np.testing.assert_allclose(interval, best.predict_interval([1, 2], coverage=0.8), rtol=1e-6)


def test_search_in_other_processes_gives_the_same_scores():
    y, values = monthly(), {"context_length": [14, 40]}
    alone = grid_search(timer(), values, **ALONE).fit(y)
    apart = grid_search(timer(), values, **PROCESSES).fit(y)
    np.testing.assert_allclose(apart.cv_results_[SCORE], alone.cv_results_[SCORE], rtol=1e-6)
    assert apart.best_params_ == alone.best_params_


def test_search_for_each_instance_by_itself():
    y = panel()
    values = {"context_length": [13, 24, 60]}
    tuned = grid_search(timer(), values, tune_by_instance=True, **ALONE).fit(y)
    chosen = []
    for shop in "ab":
        alone = grid_search(timer(), values, **ALONE).fit(y.loc[shop])
        expected = alone.predict([1, 2])
        np.testing.assert_allclose(tuned.predict([1, 2]).loc[shop], expected, rtol=1e-6)
        chosen.append(alone.best_params_)
    assert chosen[0] != chosen[1]


@pytest.mark.parametrize("strategy", ["update", "no-update_params"])
def test_search_that_updates_instead_of_fitting_again(strategy):
    y, values = monthly(), {"context_length": [14, 40]}
    refitted = grid_search(timer(), values, **ALONE).fit(y)
    updated = grid_search(timer(), values, strategy=strategy, **ALONE).fit(y)
    np.testing.assert_allclose(updated.cv_results_[SCORE], refitted.cv_results_[SCORE], rtol=1e-6)


# ------------------------------------------------------------------------ beside classical models


def models():
    return [
        ("naive", NaiveForecaster(sp=12)),
        ("ets", AutoETS(sp=12, auto=False, seasonal="add")),
        ("theta", ThetaForecaster(sp=12)),
        ("timer", timer()),
    ]


def test_multiplexer_chooses_among_classical_models(loads):
    y = panel()
    values = {"selected_forecaster": ["naive", "ets", "theta", "timer"]}
    search = grid_search(MultiplexForecaster(models()), values, **ALONE).fit(y)
    assert len(loads) == 1
    by_hand = {name: error_by_hand(model, y) for name, model in models()}
    scores = search.cv_results_[SCORE]
    np.testing.assert_allclose(scores, list(by_hand.values()), rtol=1e-6)
    winner = min(by_hand, key=by_hand.get)
    assert search.best_params_ == {"selected_forecaster": winner}
    expected = dict(models())[winner].fit(y).predict([1, 2])
    np.testing.assert_allclose(search.predict([1, 2]), expected, rtol=1e-6)


def test_multiplexer_takes_parameters_of_the_chosen_forecaster():
    y = monthly()
    chosen = MultiplexForecaster(models(), selected_forecaster="timer")
    chosen.set_params(timer__context_length=14, timer__point="mean")
    alone = timer(context_length=14, point="mean").fit(y)
    chosen.fit(y)
    np.testing.assert_array_equal(chosen.predict([1, 2]), alone.predict([1, 2]))
    np.testing.assert_array_equal(chosen.predict_quantiles([1, 2]), alone.predict_quantiles([1, 2]))


def test_multiplexer_has_the_capabilities_of_the_chosen_forecaster():
    y = monthly()
    y.iloc[[3, 40]] = np.nan
    chosen = MultiplexForecaster(models(), selected_forecaster="timer").fit(y)
    np.testing.assert_array_equal(chosen.predict([1, 2]), timer().fit(y).predict([1, 2]))
    assert chosen.get_tag("capability:pred_int")


@pytest.mark.parametrize("data", [monthly, panel])
@pytest.mark.parametrize("n_jobs", [None, 2])
def test_ensemble_is_the_weighted_mean_of_its_members(data, n_jobs):
    y = data()
    members = [("naive", NaiveForecaster(sp=12)), ("timer", timer())]
    predicted = EnsembleForecaster(members, n_jobs=n_jobs, weights=[1, 3]).fit(y).predict([1, 2])
    naive, own = (member.clone().fit(y).predict([1, 2]) for _, member in members)
    np.testing.assert_allclose(predicted, (naive + 3 * own) / 4, rtol=1e-6)


# -------------------------------------------------------------------------------------- pipelines


def test_pipeline_of_transformers_gives_transformed_forecasts():
    y = monthly()
    chained = TransformedTargetForecaster([("log", LogTransformer()), ("timer", timer())]).fit(y)
    forecast = ForecastPipeline.from_pretrained(MODEL).predict(np.log(y.to_numpy()), 3)
    predicted = chained.predict([1, 2, 3])
    np.testing.assert_allclose(predicted, np.exp(forecast.median[0]), rtol=1e-6)
    quantiles = chained.predict_quantiles([1, 2, 3], alpha=[0.05, 0.9])
    for level in (0.05, 0.9):
        expected = np.exp(forecast.quantile(level)[0])
        np.testing.assert_allclose(quantiles["sold", level], expected, rtol=1e-6)


def test_pipeline_that_differences_sums_up_again():
    y = monthly()
    predicted = (Differencer() * timer()).fit(y).predict([1, 2, 3])
    steps = timer().fit(y.diff().fillna(0)).predict([1, 2, 3])
    np.testing.assert_allclose(predicted, y.iloc[-1] + steps.cumsum(), rtol=1e-6)


def test_search_tunes_nested_parameters_of_a_pipeline(loads):
    y = monthly()
    pipeline = TransformedTargetForecaster([("log", LogTransformer()), ("timer", timer())])
    values = {"timer__context_length": [14, 40], "log__offset": [0.0, 300.0]}
    tuned = grid_search(pipeline, values, **ALONE).fit(y)
    assert len(loads) == 1
    expected = [
        error_by_hand(pipeline.clone().set_params(**chosen), y)
        for chosen in tuned.cv_results_["params"]
    ]
    scores = tuned.cv_results_[SCORE]
    np.testing.assert_allclose(scores, expected, rtol=1e-6)
    assert len(set(scores.round(9))) == 4


def test_conformal_intervals_are_quantiles_of_past_errors():
    y = monthly(30)
    conformal = ConformalIntervals(timer(), initial_window=20).fit(y, fh=[1, 2])
    interval = conformal.predict_interval(coverage=0.8)
    errors = np.full((10, 10), np.nan)  # [i, j]: forecast of step 20 + j from the 20 + i before
    for i in range(10):
        horizon = range(1, 11 - i)
        errors[i, i:] = y.iloc[20 + i :] - timer().fit(y.iloc[: 20 + i]).predict(horizon)
    np.testing.assert_allclose(conformal.residuals_matrix_, errors, rtol=1e-5, atol=1e-5)
    point = timer().fit(y).predict([1, 2])
    for step in (1, 2):
        past = np.diagonal(errors, offset=step)  # sktime's choice: errors one step further ahead
        expected = point.iloc[step - 1] + np.quantile(past, [0.1, 0.9])
        np.testing.assert_allclose(interval.iloc[step - 1].astype(float), expected, rtol=1e-5)


# --------------------------------------------------------------------------------- reconciliation

# Rows: total, areas n and s, shops n1, n2, s1, s3 in terms of the shops.
SUMS = np.array([[1, 1, 1, 1], [1, 1, 0, 0], [0, 0, 1, 1], *np.eye(4)])
NODES = [("__total", "__total"), ("n", "__total"), ("s", "__total")]
NODES += [("n", "1"), ("n", "2"), ("s", "1"), ("s", "3")]


def by_node(forecast):
    """Return the values (nodes, steps) in the order of NODES."""
    return np.stack([forecast.loc[node].to_numpy()[:, 0] for node in NODES])


def projected(base, covariance):
    """Return the trace-minimal reconciliation; Wickramasuriya et al. (2019), equation 9."""
    inverse = np.linalg.inv(covariance)
    return SUMS @ np.linalg.solve(SUMS.T @ inverse @ SUMS, SUMS.T @ inverse @ base)


def top_down(base):
    """Return top-down forecasts, by the forecast proportions of the level below."""
    n, s = base[0] * base[1:3] / base[1:3].sum(axis=0)
    shops = [n * base[3:5] / base[3:5].sum(axis=0), s * base[5:7] / base[5:7].sum(axis=0)]
    return np.concatenate([[base[0], n, s], *shops])


BY_HAND = {
    "bu": lambda base: SUMS @ base[3:],
    "ols": lambda base: projected(base, np.eye(7)),
    "wls_str": lambda base: projected(base, np.diag(SUMS.sum(axis=1))),
    "td_fcst": top_down,
}


@pytest.fixture(scope="module")
def base():
    """Return the forecasts of every node by itself."""
    return by_node(timer().fit(Aggregator().fit_transform(hierarchy())).predict([1, 2, 3]))


@pytest.mark.parametrize("method", BY_HAND)
def test_reconciled_forecasts_are_as_by_hand_and_add_up(method, base, loads):
    reconciled = ReconcilerForecaster(timer(), method).fit(hierarchy()).predict([1, 2, 3])
    values = by_node(reconciled)
    np.testing.assert_allclose(values, BY_HAND[method](base), rtol=1e-5)
    np.testing.assert_allclose(values, SUMS @ values[3:], rtol=1e-9)
    assert not np.allclose(base, SUMS @ base[3:], rtol=1e-5)
    assert len(loads) == 1


@pytest.mark.parametrize(
    ("method", "covariance"),
    [("mint_cov", np.cov), ("wls_var", lambda errors: np.diag(errors.var(axis=1, ddof=1)))],
)
def test_reconciliation_by_the_errors_of_past_forecasts(method, covariance, base):
    totals = Aggregator().fit_transform(hierarchy())
    series = by_node(totals)
    starts = [values[:end] for values in series for end in range(1, series.shape[1])]
    steps = ForecastPipeline.from_pretrained(MODEL).predict(starts, 1).median
    errors = series[:, 1:] - steps.reshape(len(series), -1)
    reconciled = ReconcilerForecaster(timer(), method).fit(totals).predict([1, 2, 3])
    expected = projected(base, covariance(errors))
    np.testing.assert_allclose(by_node(reconciled), expected, rtol=1e-4)


# Not wls_str: this transformer of sktime weights by the variances, not by their inverses.
@pytest.mark.parametrize("method", ["bu", "ols", "td_fcst"])
def test_reconciliation_as_the_end_of_a_pipeline(method, base):
    chained = Aggregator() * timer() * Reconciler(method)
    predicted = chained.fit(hierarchy()).predict([1, 2, 3])
    np.testing.assert_allclose(by_node(predicted), BY_HAND[method](base), rtol=1e-5)


@pytest.mark.parametrize(
    ("reconciler", "method"),
    [
        (BottomUpReconciler(), "bu"),
        (OptimalReconciler("ols"), "ols"),
        (OptimalReconciler("wls_str"), "wls_str"),
        (TopdownReconciler("td_fcst"), "td_fcst"),
    ],
)
def test_reconciliation_around_a_pipeline(reconciler, method, base):
    totals = Aggregator().fit_transform(hierarchy())
    predicted = (reconciler * timer()).fit(totals).predict([1, 2, 3])
    np.testing.assert_allclose(by_node(predicted), BY_HAND[method](base), rtol=1e-5)


def test_reconciled_forecasts_follow_an_update():
    y = hierarchy()
    months = y.index.get_level_values("month")
    early, late = y[months < "2020-10"], y[months >= "2020-10"]
    reconciler = ReconcilerForecaster(timer(), "ols")
    updated = reconciler.clone().fit(early).update(late).predict([1, 2])
    whole = reconciler.clone().fit(y).predict([1, 2])
    pd.testing.assert_frame_equal(updated, whole, rtol=1e-5)


# ------------------------------------------------------------------------ evaluation and benchmark


@pytest.mark.parametrize("strategy", ["refit", "update", "no-update_params"])
@pytest.mark.parametrize("data", [monthly, panel])
def test_evaluate_gives_the_same_forecasts_by_every_strategy(strategy, data):
    y = data()
    found = evaluate(timer(), CV, y, strategy=strategy, return_data=True, error_score="raise")
    assert len(found) == 3
    for train, predicted in zip(found["y_train"], found["y_pred"], strict=True):
        known = y[y.index.get_level_values(-1) <= train.index.get_level_values(-1)[-1]]
        expected = timer().fit(known).predict([1, 2, 3])
        assert predicted.index.equals(expected.index)
        np.testing.assert_allclose(predicted, expected, rtol=1e-5)


@pytest.mark.parametrize("backend", [ALONE, THREADS], ids=["alone", "threading"])
def test_evaluate_scores_points_and_quantiles_with_one_load(backend, loads):
    y = monthly()
    levels = [0.05, 0.5, 0.8]
    scoring = [MeanAbsoluteError(), MeanSquaredError(), PinballLoss(alpha=levels)]
    found = evaluate(timer(), CV, y, scoring=scoring, error_score="raise", **backend)
    assert len(loads) == 1
    for i, (train, test) in enumerate(CV.split_series(y)):
        fitted = timer().fit(train)
        error = test.to_numpy() - fitted.predict([1, 2, 3]).to_numpy()
        assert found["test_MeanAbsoluteError"][i] == pytest.approx(np.abs(error).mean())
        assert found["test_MeanSquaredError"][i] == pytest.approx((error**2).mean())
        short = (
            test.to_numpy()[:, None] - fitted.predict_quantiles([1, 2, 3], alpha=levels).to_numpy()
        )
        pinball = np.maximum(np.array(levels) * short, (np.array(levels) - 1) * short)
        assert found["test_PinballLoss"][i] == pytest.approx(pinball.mean())


def test_evaluate_in_other_processes_gives_the_same_scores():
    y = monthly()
    options = {"scoring": MeanAbsoluteError(), "error_score": "raise"}
    alone = evaluate(timer(), CV, y, **options)
    apart = evaluate(timer(), CV, y, **PROCESSES, **options)
    name = "test_MeanAbsoluteError"
    np.testing.assert_allclose(apart[name], alone[name], rtol=1e-6)


@pytest.mark.parametrize("backend", [ALONE, THREADS], ids=["alone", "threading"])
def test_benchmark_tabulates_the_scores_of_evaluate(backend, tmp_path):
    y = panel()
    cv = SlidingWindowSplitter(fh=[1, 2, 3], window_length=60, step_length=4)
    benchmark = ForecastingBenchmark(**backend)
    benchmark.add_estimator(timer(), estimator_id="Timer-v1")
    benchmark.add_estimator(NaiveForecaster(sp=12), estimator_id="Naive-v1")
    benchmark.add_task(panel, cv, [MeanAbsoluteError()], task_id="shops-v1")
    table = benchmark.run(str(tmp_path / "results.csv")).set_index("model_id")
    for name, model in (("Timer-v1", timer()), ("Naive-v1", NaiveForecaster(sp=12))):
        scores = evaluate(model, cv, y, scoring=MeanAbsoluteError())["test_MeanAbsoluteError"]
        assert table.loc[name, "MeanAbsoluteError_mean"] == pytest.approx(scores.mean())
        assert table.loc[name, "MeanAbsoluteError_std"] == pytest.approx(scores.std())
        assert scores.mean() == pytest.approx(error_by_hand(model, y, cv))
