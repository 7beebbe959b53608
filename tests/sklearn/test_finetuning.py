"""Tuning through scikit-learn: tuning in fit, and adapters as parameters."""

import copy
import dataclasses
import pickle

import numpy as np
import pytest

from timer_forecaster import ForecastPipeline
from timer_forecaster.finetuning import FinetuneConfig, TuningWarning, finetune_windows

pytest.importorskip("sklearn")

from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit

from timer_forecaster.sklearn import TimerS1Regressor, make_windows

MODEL = "timer-s1-test"  # random weights, patches of 16 steps
BRIEF = FinetuneConfig(steps=4, batch_size=4, context_length=48, horizon=6)


def regressor(**parameters):
    return TimerS1Regressor(MODEL, **parameters)


@pytest.fixture(scope="module")
def windows():
    sawtooth = np.arange(200) % 12 + np.random.default_rng(0).normal(size=200) / 10
    return make_windows(sawtooth, window_length=48, horizon=6, step=3)


def pipe(adapter=None):
    return ForecastPipeline.from_pretrained(MODEL, adapter=adapter)


@pytest.fixture(scope="module")
def adapter(windows):
    made = finetune_windows(pipe(), *windows, BRIEF)
    assert not made.is_identity
    return made


def medians(X, adapter):
    return pipe(adapter).predict(X, 6).median


def test_tuning_in_fit_is_that_of_the_windows(windows, adapter):
    X, y = windows
    fitted = regressor(tuning=BRIEF).fit(X, y)
    assert fitted.adapter_ == adapter
    np.testing.assert_array_equal(fitted.predict(X), medians(X, adapter))
    assert not np.allclose(fitted.predict(X), medians(X, None))
    quantiles = fitted.predict_quantiles(X, [0.5])[..., 0]
    np.testing.assert_array_equal(quantiles, medians(X, adapter))


def test_the_step_after_the_window(windows):
    X, y = windows
    fitted = regressor(tuning=BRIEF).fit(X, y[:, 0])
    assert fitted.adapter_ == finetune_windows(pipe(), X, y[:, :1], BRIEF)
    assert fitted.predict(X).shape == (len(X),)


def test_tuning_reads_the_columns_that_forecasts_read(windows):
    X, y = windows
    fitted = regressor(tuning=BRIEF, context_length=24).fit(X, y)
    assert fitted.adapter_ == finetune_windows(pipe(), X[:, -24:], y, BRIEF)


def test_tuning_is_for_the_horizon_of_y(windows):
    X, y = windows
    tuning = dataclasses.replace(BRIEF, horizon=None)
    expected = finetune_windows(pipe(), X, y[:, :3], dataclasses.replace(BRIEF, horizon=3))
    fitted = regressor(tuning=tuning).fit(X, y[:, :3])
    assert fitted.adapter_ == expected
    assert fitted.adapter_.record["config"]["horizon"] == 3


def test_tuning_starts_from_the_adapter_given(windows, adapter):
    X, y = windows
    fitted = regressor(adapter=adapter, tuning=BRIEF).fit(X, y)
    assert fitted.adapter_ == finetune_windows(pipe(adapter), X, y, BRIEF)
    assert fitted.adapter == adapter


def test_a_new_fit_starts_afresh(windows, adapter):
    X, y = windows
    fitted = regressor(tuning=BRIEF).fit(X, y)
    assert fitted.fit(X, y).adapter_ == adapter
    assert not hasattr(clone(fitted), "adapter_")
    assert not hasattr(fitted.set_params(tuning=None).fit(X, y), "adapter_")


def test_copies_keep_what_was_tuned(windows, adapter):
    X, y = windows
    fitted = regressor(tuning=BRIEF).fit(X, y)
    for each in (copy.deepcopy(fitted), pickle.loads(pickle.dumps(fitted))):  # noqa: S301
        assert each.adapter_ == adapter
        np.testing.assert_array_equal(each.predict(X), fitted.predict(X))


def test_an_adapter_survives_what_is_done_to_parameters(windows, adapter, tmp_path):
    X, y = windows
    folder = adapter.save(tmp_path / "mine")
    for given in (adapter, folder, str(folder)):
        plain = regressor(adapter=given)
        copies = [
            plain,
            clone(plain),
            copy.deepcopy(plain),
            pickle.loads(pickle.dumps(plain)),  # noqa: S301
            regressor().set_params(**plain.get_params()),
            regressor().fit(X, y).set_params(adapter=given),
        ]
        for each in copies:
            assert each.get_params() == plain.get_params()
            np.testing.assert_array_equal(each.fit(X, y).predict(X), medians(X, adapter))


def test_an_adapter_set_after_fit_takes_effect(windows, adapter):
    X, y = windows
    fitted = regressor().fit(X, y)
    np.testing.assert_array_equal(fitted.predict(X), medians(X, None))
    np.testing.assert_array_equal(
        fitted.set_params(adapter=adapter).predict(X), medians(X, adapter)
    )


def test_grid_search_over_adapters(windows, adapter, tmp_path, loads):
    X, y = windows
    folder = str(adapter.save(tmp_path / "mine"))
    grid = {"adapter": [None, folder, adapter]}
    scoring = "neg_mean_absolute_error"
    search = GridSearchCV(regressor(), grid, cv=TimeSeriesSplit(2), scoring=scoring)
    search.fit(X, y)
    zero_shot, *tuned = search.cv_results_["mean_test_score"]
    assert tuned[0] == tuned[1] != zero_shot
    assert len(loads) == 1


def test_grid_search_over_tunings(windows):
    X, y = windows
    grid = {"tuning": [None, BRIEF, FinetuneConfig(target="norms", steps=2, context_length=48)]}
    search = GridSearchCV(regressor(), grid, cv=TimeSeriesSplit(2), error_score="raise")
    scores = search.fit(X, y).cv_results_["mean_test_score"]
    assert len(set(scores)) == 3
    assert search.best_params_["tuning"] == grid["tuning"][scores.argmax()]


def test_windows_that_show_nothing_to_learn_are_warned_about():
    X, y = make_windows(np.arange(30.0), window_length=10, horizon=1)
    with pytest.warns(TuningWarning, match="the checkpoint stays as it was"):
        assert regressor(tuning=BRIEF).fit(X, y).adapter_.is_identity


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"tuning": 20}, TypeError, "tuning=20 must be a .*FinetuneConfig"),
        ({"adapter": "nowhere"}, ValueError, "adapter='nowhere' is neither a folder nor"),
    ],
)
def test_what_cannot_be_used_is_refused_in_fit(windows, parameters, error, message):
    with pytest.raises(error, match=message):
        regressor(**parameters).fit(*windows)


def test_an_adapter_of_another_checkpoint_is_refused_in_fit(windows, adapter, loads):
    regressor(adapter=adapter).fit(*windows)
    with pytest.raises(ValueError, match="the adapter was tuned on 'timer-s1-test'"):
        TimerS1Regressor("timer-s1-mini", adapter=adapter).fit(*windows)
    assert loads == []


def test_rows_that_cannot_be_tuned_to_are_named(windows):
    X, y = windows[0].copy(), windows[1]
    X[3] = np.nan
    with pytest.raises(ValueError, match="row 3 of X holds no observed value"):
        regressor(tuning=BRIEF).fit(X, y)


def test_the_other_family_is_tuned_by_its_name(windows):
    X, y = windows
    fitted = TimerS1Regressor("ttm-test", tuning=BRIEF).fit(X, y)
    assert fitted.adapter_.target == "decoder+head"
    tuned = ForecastPipeline.from_pretrained("ttm-test", adapter=fitted.adapter_)
    np.testing.assert_array_equal(fitted.predict(X), tuned.predict(X, 6).median)
    base = TimerS1Regressor("ttm-test").fit(X, y)
    assert not np.allclose(fitted.predict(X), base.predict(X))
