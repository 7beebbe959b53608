import copy
import doctest
import pickle
import random
import re

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from places import ROOT
from ttm import OWN
from ttm_channels import mixing_folder

from timer_forecaster import ForecastPipeline, release
from timer_forecaster.finetuning import FinetuneConfig
from timer_forecaster.inference.covariates import CovariateOptions
from timer_forecaster.models.timer_s1 import TimerS1Config

pytest.importorskip("sklearn")

import joblib
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import VotingRegressor
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Ridge
from sklearn.metrics import make_scorer, mean_absolute_error, mean_pinball_loss
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    TimeSeriesSplit,
    cross_val_predict,
    cross_val_score,
)
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer

from timer_forecaster.sklearn import TimerS1Regressor, make_windows
from timer_forecaster.sklearn import regressor as regressor_module

MODEL = "timer-s1-test"  # random weights, nine levels, context 512, 32 steps in a pass
SIZES = {
    "hidden_size": 16,
    "intermediate_size": 16,
    "num_attention_heads": 4,
    "num_hidden_layers": 1,
}
ACROSS_BATCHES = {"rtol": 1e-4, "atol": 1e-4}  # float32 sums in another order


def regressor(**parameters):
    return TimerS1Regressor(MODEL, **parameters)


def walk(n=60, seed=0):
    return np.random.default_rng(seed).normal(size=n).cumsum() + 10


@pytest.fixture(scope="module")
def pipeline():
    return ForecastPipeline.from_pretrained(MODEL)


@pytest.fixture(scope="module")
def windows():
    return make_windows(walk(160), window_length=40, horizon=6)


# ------------------------------------------------------------------------- the pipeline's numbers


@pytest.mark.parametrize("point", ["median", "mean", 0.9, 0.123456, np.float32(0.25)])
def test_predictions_are_the_pipelines_in_one_call(pipeline, windows, calls, point):
    X, y = windows
    release()  # forecasts remembered by other tests
    predicted = regressor(point=point).fit(X, y).predict(X)
    assert calls == [(len(X), 6)]
    forecast = pipeline.predict(X, 6)
    expected = getattr(forecast, point) if isinstance(point, str) else forecast.quantile(point)
    np.testing.assert_array_equal(predicted, expected)


@pytest.mark.parametrize(
    "options",
    [
        {"context_length": 20},
        {"rollout": "median"},
        {"rollout": "multiscale"},
        {"flip": True},
        {"batch_size": 1},
        {"dtype": torch.bfloat16, "device_map": {"": "cpu"}},
        {"model_path": "ttm-test"},
        {"model_path": "ttm-test", "flip": True, "rollout": "multiscale"},
        {"model_path": None, "config": SIZES, "dtype": None},
        {"model_path": None, "config": TimerS1Config(**SIZES)},
    ],
)
def test_options_reach_the_pipeline(options):
    X, y = make_windows(walk(1600), window_length=1500, horizon=70, step=20)
    keys = {"model_path": "name", "dtype": "dtype", "device_map": "device", "config": "config"}
    loading = {keys[key]: value for key, value in options.items() if key in keys}
    predicting = {key: value for key, value in options.items() if key not in keys}
    pipe = ForecastPipeline.from_pretrained(**{"name": MODEL, **loading})
    expected = pipe.predict(X, 70, **predicting).median
    fitted = clone(TimerS1Regressor(**{"model_path": MODEL, **options})).fit(X, y)
    np.testing.assert_array_equal(fitted.predict(X), expected)


def test_a_quantization_reaches_the_library(windows):
    X, y = windows
    fitted = regressor(quantization_config={"quant_method": "nope"}).fit(X, y)
    with pytest.raises(ValueError, match="Unknown quantization type, got nope"):
        fitted.predict(X)


def test_quantiles_at_any_level(pipeline, windows):
    X, y = windows
    levels = [0.9, 0.123456, 0.001]
    forecast = pipeline.predict(X, 6)
    quantiles = regressor().fit(X, y).predict_quantiles(X, levels)
    assert quantiles.shape == (len(X), 6, 3)
    for i, level in enumerate(levels):
        np.testing.assert_array_equal(quantiles[..., i], forecast.quantile(level))


def test_quantiles_never_cross(windows):
    X, y = windows
    levels = np.linspace(0.001, 0.999, 25)
    assert (np.diff(regressor().fit(X, y).predict_quantiles(X, levels)) >= 0).all()


def test_vector_y_is_the_next_step(windows):
    X, y = windows
    both = regressor().fit(X, y[:, :1])
    vector = regressor().fit(X, y[:, 0])
    assert (both.n_outputs_, vector.n_outputs_) == (1, 1)
    assert both.predict(X).shape == (len(X), 1)
    assert both.predict_quantiles(X, [0.1, 0.9]).shape == (len(X), 1, 2)
    np.testing.assert_array_equal(vector.predict(X), both.predict(X)[:, 0])
    np.testing.assert_array_equal(
        vector.predict_quantiles(X, [0.1, 0.9]), both.predict_quantiles(X, [0.1, 0.9])[:, 0]
    )


def test_fit_learns_shapes_alone_and_loads_nothing(windows, loads):
    X, y = windows
    fitted = regressor().fit(X, y)
    assert loads == []
    assert (fitted.n_features_in_, fitted.n_outputs_) == (40, 6)
    np.testing.assert_array_equal(fitted.predict(X), regressor().fit(X, y[::-1] * 9).predict(X))
    assert len(loads) == 1
    assert fitted.fit(X[:, 3:], y[:, 0]).predict(X[:2, 3:]).shape == (2,)


# --------------------------------------------------------------------------------- rows and values


@given(arrays(np.float64, (3, 24), elements=st.floats(-100, 100, width=16)), st.integers(-9, 9))
def test_scale_and_level_of_a_row_do_not_matter(X, power):
    X[:, 0] += np.arange(3)  # some row varies
    fitted = regressor().fit(X, np.zeros((3, 5)))
    factor = 10.0**power
    forecast = fitted.predict(X)
    np.testing.assert_allclose(fitted.predict(X * factor) / factor, forecast, **ACROSS_BATCHES)
    np.testing.assert_allclose(fitted.predict(X + 512.0) - 512.0, forecast, **ACROSS_BATCHES)


def test_a_row_does_not_depend_on_the_others(windows):
    X, y = windows
    fitted = regressor().fit(X, y)
    together = fitted.predict(X)
    apart = np.concatenate([fitted.predict(row[None]) for row in X[:5]])
    np.testing.assert_allclose(apart, together[:5], **ACROSS_BATCHES)
    order = np.random.default_rng(0).permutation(len(X))
    np.testing.assert_allclose(fitted.predict(X[order]), together[order], **ACROSS_BATCHES)


def test_leading_nan_make_a_shorter_window(pipeline):
    X = np.stack([walk(30), walk(30, 1)])
    X[0, :12] = np.nan
    predicted = regressor().fit(X, np.zeros((2, 4))).predict(X)
    expected = pipeline.predict([X[0, 12:], X[1]], 4).median
    np.testing.assert_allclose(predicted, expected, **ACROSS_BATCHES)


def test_gaps_and_constants(pipeline):
    X = np.stack([walk(30), np.full(30, 7.0), np.full(30, np.nan)])
    X[0, [4, 5, 29]] = np.nan
    X[2, 17] = -3.0
    predicted = regressor().fit(X, np.zeros((3, 2))).predict(X)
    np.testing.assert_array_equal(predicted, pipeline.predict(X, 2).median)
    np.testing.assert_array_equal(predicted[1:], [[7, 7], [-3, -3]])


def test_one_column_and_one_row():
    np.testing.assert_array_equal(regressor().fit([[3.0]], [0.0]).predict([[5]]), [5.0])


def test_frames(windows):
    X, y = windows
    expected = regressor().fit(X, y).predict(X)
    names = [f"lag_{lag}" for lag in range(40, 0, -1)]
    frame = pd.DataFrame(X, columns=names)
    fitted = regressor().fit(frame, pd.DataFrame(y))
    assert fitted.feature_names_in_.tolist() == names
    np.testing.assert_array_equal(fitted.predict(frame), expected)
    with pytest.raises(ValueError, match="feature names"):
        fitted.predict(frame[names[::-1]])


def test_missing_values_of_pandas():
    X = pd.DataFrame([[1, 2, None, 5, 4], [4, 3, 2, 2, 3]], dtype="Int64")
    plain = X.to_numpy(dtype=float, na_value=np.nan)
    expected = regressor().fit(plain, [0, 0]).predict(plain)
    np.testing.assert_array_equal(regressor().fit(X, [0, 0]).predict(X), expected)


# --------------------------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    "parameters, error, message",
    [
        ({"context_length": 0}, ValueError, "context_length=0 must be at least 1"),
        ({"context_length": 2.5}, TypeError, "context_length=2.5 must be an integer"),
        ({"batch_size": True}, TypeError, "batch_size=True must be an integer"),
        ({"point": "mode"}, ValueError, "point='mode' is unknown"),
        ({"point": 1}, ValueError, "point=1 is unknown; use 'median', 'mean' or a level"),
        ({"point": True}, ValueError, "point=True is unknown"),
        ({"point": None}, ValueError, "point=None is unknown"),
        ({"point": np.array([0.1, 0.2])}, ValueError, r"point=array\(\[0.1, 0.2\]\) is unknown"),
        ({"rollout": "mean"}, ValueError, "rollout='mean' is unknown; use one of"),
        ({"rollout": np.array(["median"] * 2)}, ValueError, "rollout=array.* is unknown"),
        ({"flip": "no"}, TypeError, "flip='no' must be True or False"),
        ({"context_length": "a"}, TypeError, "context_length='a' must be an integer"),
        ({"model_path": "nope"}, ValueError, "checkpoint 'nope' is neither a registry name"),
        ({"model_path": None}, ValueError, "neither a checkpoint nor a config"),
        ({"model_path": 3}, TypeError, "checkpoint 3 must be a str or a Path"),
        ({"revision": "main"}, ValueError, "revision='main' applies to hub ids"),
        ({"config": SIZES}, ValueError, "in place of checkpoint 'timer-s1-test'"),
        ({"device_map": "gpu"}, ValueError, "device_map='gpu' is not a device"),
        (
            {"device_map": {"a": "cpu", "b": "disk"}},
            ValueError,
            "device_map={.*} does not name one",
        ),
        ({"dtype": "int8"}, ValueError, "dtype='int8' is not supported"),
        ({"quantization_config": "int8"}, TypeError, "quantization_config='int8' must be"),
    ],
)
def test_parameters_are_refused_in_fit_and_set_later_in_predict(
    windows, loads, parameters, error, message
):
    X, y = windows
    with pytest.raises(error, match=message):
        regressor().set_params(**parameters).fit(X, y)
    fitted = regressor().fit(X, y).set_params(**parameters)
    for predict in (fitted.predict, fitted.predict_quantiles):
        with pytest.raises(error, match=message):
            predict(X)
    assert loads == []


def test_hub_ids_are_looked_up_in_predict(windows):
    X, y = windows
    fitted = TimerS1Regressor("nobody/no-such-model").fit(X, y)
    with pytest.raises(ValueError, match="'nobody/no-such-model' could not be downloaded"):
        fitted.predict(X)


def test_rows_that_cannot_be_forecast_are_named():
    X = np.stack([walk(10), walk(10, 1), walk(10, 2)])
    y = np.zeros((3, 2))
    X[1, 5:] = np.nan
    regressor().fit(X, y).predict(X)
    with pytest.raises(ValueError, match="row 1 of X holds no observed value in the 5 columns"):
        regressor(context_length=5).fit(X, y).predict(X)
    X[2] = np.nan
    with pytest.raises(ValueError, match="row 2 of X holds no observed value in the 10 columns"):
        regressor().fit(X, y).predict(X)


@pytest.mark.parametrize(
    "X, y, message",
    [
        ([[1.0, np.inf]], [1.0], "Input X contains infinity"),
        ([[1.0, 2.0]], [np.nan], "Input y contains NaN"),
        ([[1.0, 2.0]], None, "requires y to be passed"),
        ([[1.0, 2.0]], [[1.0], [2.0]], "inconsistent numbers of samples"),
        ([1.0, 2.0], [1.0, 2.0], "Expected 2D array"),
        ([[1.0, 2.0]], [[[1.0]]], "dim 3"),
        ([[1.0, 2.0]], [[]], r"0 feature\(s\)"),
        ([["a", "b"]], [1.0], "could not convert string to float"),
    ],
)
def test_bad_data(X, y, message):
    with pytest.raises(ValueError, match=message):
        regressor().fit(X, y)


def test_prediction_needs_what_fit_saw(windows):
    X, y = windows
    with pytest.raises(NotFittedError):
        regressor().predict(X)
    fitted = regressor().fit(X, y)
    with pytest.raises(ValueError, match="39 features, but TimerS1Regressor is expecting 40"):
        fitted.predict(X[:, 1:])
    with pytest.raises(ValueError, match="Input X contains infinity"):
        fitted.predict(np.where(X == X[3, 3], np.inf, X))


@pytest.mark.parametrize("levels", [0.5, [], [0.5, 1.0], [0.0], [[0.5]], ["0.5"], [np.nan]])
def test_levels_that_are_none(windows, levels):
    X, y = windows
    with pytest.raises(ValueError, match="must be a sequence of numbers inside"):
        regressor().fit(X, y).predict_quantiles(X, levels)


# ------------------------------------------------------------------------------------- persistence


def test_copies_are_small_and_share_the_weights(windows, loads):
    X, y = windows
    fitted = regressor().fit(X, y)
    expected = fitted.predict(X)
    dumped = pickle.dumps(fitted)
    assert len(dumped) < 5_000
    for other in (pickle.loads(dumped), copy.deepcopy(fitted)):  # noqa: S301
        np.testing.assert_array_equal(other.predict(X), expected)
    np.testing.assert_array_equal(clone(fitted).fit(X, y).predict(X), expected)
    assert len(loads) == 1


def test_parameters_are_stored_as_they_are(tmp_path):
    given_values = {
        "model_path": tmp_path,
        "revision": "main",
        "context_length": np.int64(3),
        "point": 0.3,
        "rollout": "median",
        "flip": True,
        "batch_size": 2,
        "device_map": "cpu",
        "dtype": torch.float64,
        "config": {"hidden_size": 16},
        "quantization_config": {"quant_method": "quanto"},
        "quantization": "int8",
        "adapter": tmp_path,
        "tuning": FinetuneConfig(steps=3),
        "known": ["price"],
        "past": np.array(["rain"]),
        "categories": {"price"},
        "cycles": [24, 168],
        "covariates": CovariateOptions(windows=4),
        "padding": "released",
        "freq": pd.offsets.Day(),
        "quality": "best",
        "nonnegative": True,
    }
    estimator = TimerS1Regressor(**given_values)
    assert all(estimator.get_params()[name] is value for name, value in given_values.items())
    assert clone(estimator).get_params() == given_values
    assert "point=0.3" in repr(estimator)


def test_one_forecast_for_many_questions(windows, calls):
    X, y = windows
    release()
    fitted = regressor().fit(X, y)
    first = fitted.predict(X)
    expected = first.copy()
    first[:] = 0  # what is remembered is out of reach
    fitted.predict_quantiles(X, [0.1, 0.9])[:] = 0
    np.testing.assert_array_equal(clone(fitted).fit(X, y).predict(X), expected)
    regressor(point="mean").fit(X, y).score(X, y)
    assert calls == [(len(X), 6)]


def test_random_states_are_left_alone(windows):
    X, y = windows
    states = random.getstate(), np.random.get_state()[1].copy(), torch.get_rng_state()
    fitted = regressor().fit(X, y)
    predicted = fitted.predict(X)
    release()  # or the second would be a memory of the first
    np.testing.assert_array_equal(fitted.predict(X), predicted)
    assert random.getstate() == states[0]
    np.testing.assert_array_equal(np.random.get_state()[1], states[1])
    assert torch.equal(torch.get_rng_state(), states[2])


# ------------------------------------------------------------------------- beside other estimators


@pytest.mark.parametrize("backend, n_jobs", [(None, None), ("threading", 2)])
def test_grid_search_loads_the_weights_once(windows, loads, calls, backend, n_jobs):
    X, y = windows
    grid = {"context_length": [10, 40], "point": ["median", "mean"], "rollout": ["median"]}
    search = GridSearchCV(regressor(), grid, cv=TimeSeriesSplit(3), n_jobs=n_jobs)
    with joblib.parallel_config(backend or "sequential"):
        search.fit(X, y)
    assert len(loads) == 1
    # candidates that differ in how they read a forecast share it, if it is there in time
    assert len(calls) == 2 * 3 or (n_jobs == 2 and len(calls) <= 4 * 3)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert search.predict(X).shape == y.shape


@pytest.mark.slow
def test_grid_search_in_processes(windows):
    X, y = windows
    search = GridSearchCV(regressor(), {"context_length": [10, 40]}, cv=TimeSeriesSplit(2))
    here = search.fit(X, y).cv_results_
    there = search.set_params(n_jobs=2).fit(X, y).cv_results_  # scikit-learn's default is loky
    np.testing.assert_allclose(there["mean_test_score"], here["mean_test_score"], rtol=1e-5)


def test_grid_search_finds_the_level_of_the_pinball_loss(windows):
    X, y = windows
    upper = make_scorer(mean_pinball_loss, alpha=0.8, greater_is_better=False)
    X, y = X[:, -5:], np.where(np.arange(len(y))[:, None] % 5, X[:, -1:], X[:, -1:] + 50)
    scores = {
        point: cross_val_score(regressor(point=point), X, y, scoring=upper, cv=2).mean()
        for point in (0.05, 0.5, 0.95)
    }
    assert max(scores, key=scores.get) == 0.95


def test_a_scorer_of_several_levels(windows, pipeline):
    X, y = windows
    levels = [0.1, 0.5, 0.9]

    def negative_pinball(estimator, X, y):
        quantiles = np.moveaxis(estimator.predict_quantiles(X, levels), -1, 0)
        pairs = zip(levels, quantiles, strict=True)
        return -np.mean([mean_pinball_loss(y, q, alpha=level) for level, q in pairs])

    (_, test), *_ = cv = list(TimeSeriesSplit(2).split(X))
    scores = cross_val_score(regressor(), X, y, scoring=negative_pinball, cv=cv)
    expected = [
        mean_pinball_loss(y[test], pipeline.predict(X[test], 6).quantile(level), alpha=level)
        for level in levels
    ]
    assert scores[0] == pytest.approx(-np.mean(expected))


def test_scores_of_each_step(windows):
    X, y = windows
    raw = make_scorer(lambda *pair: mean_absolute_error(*pair, multioutput="raw_values")[2])
    scores = cross_val_score(regressor(), X, y, scoring=raw, cv=TimeSeriesSplit(2, gap=5))
    assert scores.shape == (2,)
    fitted = regressor().fit(X, y)
    by_hand = np.abs(fitted.predict(X) - y).mean(axis=0)
    assert raw(fitted, X, y) == pytest.approx(by_hand[2])
    assert fitted.score(X, y, sample_weight=np.ones(len(X))) == pytest.approx(fitted.score(X, y))


def test_the_trained_checkpoint_scores_well():
    hours = np.arange(24 * 30)
    series = np.sin(hours * 2 * np.pi / 24) + 0.1 * np.random.default_rng(0).normal(size=720)
    X, y = make_windows(series, window_length=120, horizon=24, step=7)
    folds = TimeSeriesSplit(3)
    assert cross_val_score(TimerS1Regressor(), X, y, cv=folds).min() > 0.9
    assert cross_val_score(TimerS1Regressor(point="mean"), X, y, cv=folds).min() > 0.9


@pytest.mark.parametrize("output", ["default", "pandas"])
def test_pipelines(windows, output):
    X, y = windows
    frame = pd.DataFrame(np.exp(X), columns=[f"lag_{lag}" for lag in range(40, 0, -1)])
    log = FunctionTransformer(np.log, validate=True, feature_names_out="one-to-one")
    steps = make_pipeline(log, regressor())
    steps.set_output(transform=output).fit(frame, y)
    expected = regressor().fit(X, y).predict(X)
    np.testing.assert_allclose(steps.predict(frame), expected, **ACROSS_BATCHES)
    assert hasattr(steps[-1], "feature_names_in_") == (output == "pandas")
    search = GridSearchCV(
        Pipeline([("model", regressor())]),
        [{"model__context_length": [10, 40]}, {"model": [Ridge()], "model__alpha": [1, 10]}],
        cv=TimeSeriesSplit(2),
        scoring=["r2", "neg_mean_absolute_error"],
        refit="r2",
    )
    assert np.isfinite(search.fit(X, y).cv_results_["mean_test_neg_mean_absolute_error"]).all()


def test_transformed_windows_and_target(windows, pipeline):
    X, y = np.exp(windows[0] / 10), np.exp(windows[1] / 10)
    model = TransformedTargetRegressor(
        make_pipeline(FunctionTransformer(np.log), regressor()), func=np.log, inverse_func=np.exp
    )
    expected = np.exp(pipeline.predict(np.log(X), 6).median)
    np.testing.assert_allclose(model.fit(X, y).predict(X), expected)


def test_voting(windows):
    X, y = windows
    voting = VotingRegressor([("timer", regressor()), ("ridge", Ridge())]).fit(X, y[:, 0])
    parts = [model.fit(X, y[:, 0]).predict(X) for model in (regressor(), Ridge())]
    np.testing.assert_allclose(voting.predict(X), np.mean(parts, axis=0))


def test_series_as_groups():
    series = [walk(40), walk(30, 1), walk(50, 2)]
    X, y, groups = make_windows(series, 20, 4, return_groups=True)
    predicted = cross_val_predict(regressor(), X, y, groups=groups, cv=GroupKFold(3))
    np.testing.assert_allclose(predicted, regressor().fit(X, y).predict(X), **ACROSS_BATCHES)


def test_the_examples_in_the_docstrings():
    assert doctest.testmod(regressor_module).failed == 0


def test_the_documentation_runs(monkeypatch, tmp_path):
    root = ROOT
    text = (root / "docs" / "sklearn.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    (tmp_path / "examples").symlink_to(root / "examples")
    monkeypatch.chdir(tmp_path)
    names = {}
    for block in blocks:
        exec(block, names)  # noqa: S102
    assert (names["X"].shape, names["y"].shape) == ((985, 336), (985, 24))
    assert names["tomorrow"].shape == (1, 24)
    assert names["day"].shape == (1, 24)
    assert names["tuned"].adapter_.report.improved
    assert (tmp_path / "my-adapter").is_dir()
    assert names["low"].shape == (24,)
    best = names["search"].best_params_
    assert (type(best["model"]), best["model__context_length"]) == (TimerS1Regressor, 336)
    assert names["scores"].shape == (4,)
    expected = np.exp(TimerS1Regressor().fit(names["X"], names["y"]).predict(np.log(names["X"])))
    np.testing.assert_allclose(names["positive"].predict(names["X"]), expected)


# --- what a TinyTimeMixer reads beside the values ---------------------------------------------


@pytest.mark.filterwarnings("ignore::timer_forecaster.finetuning.TuningWarning")
def test_the_frequency_is_a_parameter():
    rows = np.stack([walk(90, seed) for seed in range(4)])
    pipe = ForecastPipeline.from_pretrained(OWN / "r2_ft", device="cpu")
    path = str(OWN / "r2_ft")
    for freq, same in (("h", "60min"), ("D", "24h")):
        fitted = TimerS1Regressor(path, freq=freq, device_map="cpu").fit(rows[:, :-3], rows[:, -3:])
        found = fitted.predict(rows[:, 3:])
        expected = pipe.predict(rows[:, 3:], 3, freq=same).median
        np.testing.assert_allclose(found, expected, **ACROSS_BATCHES)
    tuning = FinetuneConfig(target="head", steps=2, batch_size=2)
    losses = {}
    for freq in ("h", "60min", "D"):
        tuned = TimerS1Regressor(path, freq=freq, tuning=tuning, device_map="cpu")
        tuned.fit(rows[:, :-3], rows[:, -3:])
        losses[freq] = tuned.adapter_.report.loss_before
    assert losses["h"] == losses["60min"] != losses["D"]
    for freq, error in (("often", ValueError), (["h"], TypeError), (2.5, TypeError)):
        with pytest.raises(error, match="freq="):
            TimerS1Regressor(path, freq=freq).fit(rows[:, :-3], rows[:, -3:])


def test_zeros_before_short_rows_on_demand():
    rows = np.stack([walk(60, seed) for seed in range(3)])
    pipe = ForecastPipeline.from_pretrained("ttm-test")
    for padding in ("mean", "released"):
        fitted = TimerS1Regressor("ttm-test", padding=padding).fit(rows[:, :-3], rows[:, -3:])
        expected = pipe.predict(rows[:, 3:], 3, padding=padding).median
        np.testing.assert_allclose(fitted.predict(rows[:, 3:]), expected, **ACROSS_BATCHES)
    with pytest.raises(ValueError, match="padding='released' is for networks of one context"):
        regressor(padding="released").fit(rows[:, :-3], rows[:, -3:]).predict(rows[:, 3:])


def test_bounded_rows_on_demand():
    rows = np.random.default_rng(0).poisson(0.6, size=(3, 60)).astype(float)
    X, y = rows[:, :-3], rows[:, -3:]
    free = regressor(nonnegative=False).fit(X, y).predict_quantiles(X, [0.001])
    fitted = regressor(nonnegative=True).fit(X, y)
    low = fitted.predict_quantiles(X, [0.001])
    assert free.min() < 0 <= low.min()
    assert (regressor(nonnegative=True, point="mean").fit(X, y).predict(X) >= 0).all()
    X[1, 4] = -2
    with pytest.raises(ValueError, match="row 1 of X has negative values, down to -2"):
        fitted.predict(X)
    state = fitted.__getstate__()
    del state["nonnegative"]
    old = TimerS1Regressor.__new__(TimerS1Regressor)
    old.__setstate__(state)
    assert old.nonnegative == "auto"


def test_checkpoints_that_mix_channels_are_refused(tmp_path):
    X, y = np.random.default_rng(0).normal(size=(6, 30)), np.zeros((6, 4))
    fitted = TimerS1Regressor(mixing_folder(tmp_path / "three")).fit(X, y)
    with pytest.raises(ValueError, match=r"each row of X has 1 series, .* reads 3 series as one"):
        fitted.predict(X)
