"""Finetuning through sktime: in pretrain, in fit, and adapters as parameters."""

import copy
import dataclasses
import pickle

import numpy as np
import pandas as pd
import pytest

from timer_forecaster import ForecastPipeline
from timer_forecaster.finetuning import Adapter, FinetuneConfig, TuningWarning, finetune

pytest.importorskip("sktime")

from sktime.forecasting.compose import TransformedTargetForecaster
from sktime.forecasting.model_evaluation import evaluate as sktime_evaluate
from sktime.forecasting.model_selection import ForecastingGridSearchCV
from sktime.performance_metrics.forecasting import MeanAbsoluteError
from sktime.split import ExpandingWindowSplitter
from sktime.transformations.detrend import Detrender
from sktime.utils.deep_equals import deep_equals

from timer_forecaster.inference.covariates import CovariateWarning
from timer_forecaster.sktime import TimerS1Forecaster, evaluate

MODEL = "timer-s1-test"  # random weights, patches of 16 steps
BRIEF = FinetuneConfig(steps=4, batch_size=4, context_length=48, horizon=16)
FH = range(1, 9)


def forecaster(**parameters):
    return TimerS1Forecaster(MODEL, **parameters)


def sawtooth(n=120, period=12, seed=0):
    return np.arange(n) % period + np.random.default_rng(seed).normal(size=n) / 10


def monthly(n=120, seed=0, **options):
    return pd.Series(
        sawtooth(n, seed=seed, **options), pd.period_range("2000-01", periods=n, freq="M")
    )


def panel():
    """Return series of unequal lengths, one of few points and one with missing values."""
    parts = {"long": monthly(150), "short": monthly(3, seed=1), "gaps": monthly(90, seed=2)}
    parts["gaps"].iloc[[3, 40, 41]] = np.nan
    frames = {key: pd.DataFrame({"a": y, "b": -(y**2)}) for key, y in parts.items()}
    return pd.concat(frames, names=["id", "t"])


def pipe(adapter=None):
    return ForecastPipeline.from_pretrained(MODEL, adapter=adapter)


@pytest.fixture(scope="module")
def adapter():
    made = finetune(pipe(), [sawtooth(), sawtooth(seed=1)], BRIEF)
    assert not made.is_identity
    return made


def numbers(y, adapter):
    return pipe(adapter).predict(y.to_numpy(), len(FH)).median[0]


# --------------------------------------------------------------------------------------- pretrain


def test_pretraining_tunes_to_every_series_and_column_of_a_panel():
    pretrained = forecaster(tuning=BRIEF).pretrain(panel())
    groups = [part for _, part in panel().groupby(level=0, sort=False)]
    series = [part[column].to_numpy() for part in groups for column in ("a", "b")]
    assert pretrained.adapter_ == finetune(pipe(), series, BRIEF)
    assert not pretrained.adapter_.is_identity
    assert pretrained.get_pretrained_params() == {"adapter_": pretrained.adapter_}


def test_a_pretrained_adapter_is_kept_and_used():
    y = monthly(60, seed=5)
    pretrained = forecaster(tuning=BRIEF).pretrain(panel())
    adapter = pretrained.adapter_
    expected = numbers(y, adapter)
    assert not np.allclose(expected, numbers(y, None))
    fitted = pretrained.fit(y)
    copies = [
        fitted,
        fitted.clone().fit(y),
        copy.deepcopy(fitted),
        pickle.loads(pickle.dumps(fitted)),  # noqa: S301
        copy.deepcopy(fitted).fit(monthly(30)).fit(y),
    ]
    for each in copies:
        assert each.adapter_ == adapter
        np.testing.assert_array_equal(each.predict(FH), expected)
        assert each.get_pretrained_params() == {"adapter_": adapter}
    fitted.update(monthly(62, seed=5)[60:], update_params=True)
    assert fitted.adapter_ == adapter


def test_pretraining_again_goes_on_from_the_adapter_so_far():
    first = forecaster(tuning=BRIEF).pretrain(panel()).adapter_
    series = [sawtooth(seed=8), sawtooth(seed=9)]
    more = pd.concat({i: pd.DataFrame({"a": values}) for i, values in enumerate(series)})
    again = forecaster(tuning=BRIEF).pretrain(panel()).pretrain(more)
    assert again.adapter_ == finetune(pipe(first), series, BRIEF)
    assert again.adapter_ != first


def test_pretraining_after_a_fit_that_finetuned_counts_as_pretrained():
    tuned = forecaster(tuning=BRIEF).fit(monthly())
    in_fit = tuned.adapter_
    assert "adapter" in tuned.get_fitted_params()
    pretrained = tuned.pretrain(panel())
    adapter = pretrained.adapter_
    assert adapter != in_fit
    assert pretrained.clone().adapter_ == adapter
    assert pretrained.fit(monthly(seed=3)).adapter_ == adapter


def test_hierarchies_and_the_default_settings(monkeypatch):
    seen = []
    monkeypatch.setattr(
        "timer_forecaster.finetuning.finetune",
        lambda pipe, series, config, **more: seen.append((pipe, series, config)),
    )
    y = pd.concat({"north": panel(), "south": panel()}, names=["region"])
    forecaster().pretrain(y, fh=FH)
    [(asked, series, config)] = seen
    assert asked == pipe()
    assert [len(values) for values in series] == 2 * [150, 150, 3, 3, 90, 90]
    assert config == FinetuneConfig(target="router+head", quality="fast")


@pytest.mark.parametrize("values", [np.arange(10.0), np.ones(40)])
def test_a_panel_that_shows_nothing_to_learn_is_warned_about(values, adapter):
    y = pd.concat({i: pd.DataFrame({"y": values}) for i in range(3)})
    with pytest.warns(TuningWarning, match="the checkpoint stays as it was"):
        assert forecaster().pretrain(y).adapter_.is_identity
    with pytest.warns(TuningWarning, match="the checkpoint stays as it was"):
        assert forecaster(adapter=adapter).pretrain(y).adapter_ == adapter


def test_pretraining_refuses_bad_data_and_settings():
    with pytest.warns(CovariateWarning, match="pretrain: the network is finetuned to y alone"):
        forecaster(tuning=BRIEF).pretrain(panel(), X=panel())
    with pytest.raises(TypeError, match="requires Panel or Hierarchical data"):
        forecaster(tuning=BRIEF).pretrain(monthly())
    with pytest.raises(TypeError, match=r"tuning=\{'steps': 3\} must be a .*FinetuneConfig"):
        forecaster(tuning={"steps": 3}).pretrain(panel())
    infinite = panel()
    infinite.iloc[5, 0] = np.inf
    with pytest.raises(ValueError, match="y is infinite at"):
        forecaster(tuning=BRIEF).pretrain(infinite)


# ------------------------------------------------------------------------------------------ tuning


def test_tuning_in_fit_is_that_of_the_pipeline():
    y = monthly()
    fitted = forecaster(tuning=BRIEF).fit(y)
    assert fitted.adapter_ == finetune(pipe(), y.to_numpy(), BRIEF)
    np.testing.assert_array_equal(fitted.predict(FH), numbers(y, fitted.adapter_))


def test_tuning_is_for_the_context_that_forecasts_read():
    y = monthly()
    tuning = dataclasses.replace(BRIEF, context_length=None)
    expected = finetune(pipe(), y.to_numpy(), dataclasses.replace(tuning, context_length=20))
    assert forecaster(tuning=tuning, context_length=20).fit(y).adapter_ == expected
    assert forecaster(tuning=BRIEF, context_length=20).fit(y).adapter_ != expected


def test_tuning_starts_from_the_adapter_given(adapter):
    y = monthly(seed=4)
    fitted = forecaster(adapter=adapter, tuning=BRIEF).fit(y)
    assert fitted.adapter_ == finetune(pipe(adapter), y.to_numpy(), BRIEF)
    assert fitted.adapter_ != adapter
    pretrained = forecaster(adapter=adapter, tuning=BRIEF).pretrain(panel())
    assert pretrained.adapter_ != forecaster(tuning=BRIEF).pretrain(panel()).adapter_


def test_another_target_than_the_adapters_is_refused(adapter):
    tuning = FinetuneConfig(target="norms", steps=1)
    with pytest.raises(ValueError, match="has an adapter of 'router\\+head'"):
        forecaster(adapter=adapter, tuning=tuning).fit(monthly())


def test_an_update_tunes_nothing_and_a_new_fit_starts_afresh():
    y = monthly()
    fitted = forecaster(tuning=BRIEF).fit(y[:100])
    adapter = fitted.adapter_
    fitted.update(y[100:], update_params=True)
    assert fitted.adapter_ is adapter
    np.testing.assert_array_equal(fitted.predict(FH), numbers(y, adapter))
    assert fitted.fit(y[:100]).adapter_ == adapter
    assert fitted.clone().fit(y[:100]).adapter_ == adapter
    assert not hasattr(fitted.clone(), "adapter_")
    assert not hasattr(fitted.set_params(tuning=None).fit(y), "adapter_")


@pytest.mark.parametrize("pretrained", [False, True])
@pytest.mark.parametrize("strategy", ["refit", "update", "no-update_params"])
def test_evaluate_equals_sktimes(strategy, pretrained):
    y = monthly()
    cv = ExpandingWindowSplitter(fh=[1, 2, 3], initial_window=100, step_length=8)
    subject = forecaster(tuning=BRIEF)
    if pretrained:
        subject.pretrain(panel())
    options = {"strategy": strategy, "return_data": True, "scoring": MeanAbsoluteError()}
    ours = evaluate(subject, cv, y, **options, error_score="raise")
    theirs = sktime_evaluate(subject, cv, y, **options, error_score="raise")
    score = "test_MeanAbsoluteError"
    np.testing.assert_allclose(ours[score], theirs[score], rtol=1e-4)
    for one, other in zip(ours["y_pred"], theirs["y_pred"], strict=True):
        pd.testing.assert_series_equal(one, other, rtol=1e-4)


def test_evaluate_finetunes_each_fold_once_and_batches_a_pretrained_forecaster(monkeypatch, calls):
    tunings = []
    tune = finetune

    def counted(*arguments, **more):
        tunings.append(arguments)
        return tune(*arguments, **more)

    monkeypatch.setattr("timer_forecaster.finetuning.finetune", counted)
    y = monthly()
    cv = ExpandingWindowSplitter(fh=[1, 2, 3], initial_window=100, step_length=8)
    evaluate(forecaster(tuning=BRIEF), cv, y)
    assert (len(tunings), len(calls)) == (3, 3)
    pretrained = forecaster(tuning=BRIEF).pretrain(panel())
    evaluate(pretrained, cv, y)
    assert (len(tunings), len(calls)) == (4, 4)


def test_update_predict_forecasts_with_the_finetuned_adapter():
    y = monthly()
    fitted = forecaster(tuning=BRIEF).fit(y[:100])
    cv = ExpandingWindowSplitter(fh=[1], initial_window=1, step_length=5)
    found = fitted.update_predict(y[100:], cv)
    expected = [
        copy.deepcopy(fitted).update(y[100 : 101 + 5 * i]).predict([1]).iloc[0] for i in range(4)
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-4)


# ----------------------------------------------------------------------------------------- adapter


@pytest.mark.parametrize("kind", ["object", "folder", "path"])
def test_an_adapter_survives_copies_pickles_and_set_params(adapter, tmp_path, kind):
    folder = adapter.save(tmp_path / "mine")
    given = {"object": adapter, "folder": str(folder), "path": folder}[kind]
    plain = forecaster(adapter=given)
    y = monthly(60, seed=5)
    copies = [
        plain,
        plain.clone(),
        copy.deepcopy(plain),
        pickle.loads(pickle.dumps(plain)),  # noqa: S301
        forecaster().set_params(**plain.get_params()),
        forecaster(adapter=folder).fit(y).set_params(adapter=given),
    ]
    for each in copies:
        assert deep_equals(each.get_params(), plain.get_params())
        np.testing.assert_array_equal(each.fit(y).predict(FH), numbers(y, adapter))
    assert not deep_equals(plain.get_params(), forecaster().get_params())
    assert repr(plain).startswith("TimerS1Forecaster(adapter=")


def test_an_adapter_set_after_fit_takes_effect(adapter):
    y = monthly(60, seed=5)
    fitted = forecaster().fit(y)
    np.testing.assert_array_equal(fitted.predict(FH), numbers(y, None))
    fitted.adapter = adapter
    np.testing.assert_array_equal(fitted.predict(FH), numbers(y, adapter))
    fitted.adapter = None
    np.testing.assert_array_equal(fitted.predict(FH), numbers(y, None))


def test_grid_search_over_adapters(adapter, tmp_path, loads):
    folder = adapter.save(tmp_path / "mine")
    bad = Adapter(adapter.base, adapter.target, {k: 0 * v for k, v in adapter.weights.items()})
    y = monthly()
    cv = ExpandingWindowSplitter(fh=FH, initial_window=96, step_length=8)
    search = ForecastingGridSearchCV(
        forecaster(),
        cv,
        {"adapter": [None, str(folder), bad], "tuning": [None]},
        scoring=MeanAbsoluteError(),
        backend="None",
        error_score="raise",
    )
    search.fit(y)
    scores = search.cv_results_["mean_test_MeanAbsoluteError"].to_numpy()
    for score, given in zip(scores, [None, adapter, bad], strict=True):
        by_hand = evaluate(forecaster(adapter=given), cv, y, scoring=MeanAbsoluteError())
        np.testing.assert_allclose(score, by_hand["test_MeanAbsoluteError"].mean(), rtol=1e-4)
    assert len(set(scores)) == 3
    best = [None, str(folder), bad][scores.argmin()]
    assert search.best_params_["adapter"] == best
    assert len(loads) == 1


def test_a_search_resets_a_pretrained_adapter_and_takes_it_as_a_parameter():
    pretrained = forecaster(tuning=BRIEF).pretrain(panel())
    y = monthly()
    cv = ExpandingWindowSplitter(fh=FH, initial_window=110)
    grid = {"point": ["median", "mean"]}
    reset = ForecastingGridSearchCV(pretrained, cv, grid, backend="None").fit(y)
    assert reset.best_forecaster_.adapter_ == finetune(pipe(), y.to_numpy(), BRIEF)
    given = forecaster(adapter=pretrained.adapter_)
    kept = ForecastingGridSearchCV(given, cv, grid, backend="None").fit(y)
    assert kept.best_forecaster_.adapter == pretrained.adapter_
    assert not hasattr(kept.best_forecaster_, "adapter_")


def test_grid_search_over_tunings():
    y = monthly(80)
    search = ForecastingGridSearchCV(
        forecaster(),
        ExpandingWindowSplitter(fh=FH, initial_window=70, step_length=8),
        {"tuning": [None, BRIEF]},
        backend="None",
        error_score="raise",
    )
    search.fit(y)
    expected = None if search.best_params_["tuning"] is None else finetune(pipe(), y, BRIEF)
    np.testing.assert_array_equal(search.predict(FH), numbers(y, expected))
    scores = search.cv_results_["mean_test_MeanAbsolutePercentageError"]
    assert scores.nunique() == 2


def test_adapters_and_tuning_inside_a_pipeline(adapter):
    y = monthly(60)
    inside = TransformedTargetForecaster([("trend", Detrender()), ("timer", forecaster())])
    expected = inside.clone().set_params(timer__adapter=adapter).fit(y).predict(FH)
    assert not np.allclose(expected, inside.clone().fit(y).predict(FH))
    tuned = inside.set_params(timer__tuning=BRIEF).fit(y)
    residuals = Detrender().fit_transform(y)
    assert tuned.forecaster_.adapter_ == finetune(pipe(), residuals.to_numpy(), BRIEF)


def test_an_adapter_of_another_checkpoint_is_refused(adapter):
    with pytest.raises(ValueError, match="the adapter was tuned on 'timer-s1-test'"):
        TimerS1Forecaster("timer-s1-mini", adapter=adapter).fit(monthly())


def test_a_fit_with_an_adapter_loads_no_network(adapter, loads):
    forecaster(adapter=adapter).fit(monthly())
    assert loads == []


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ("nowhere", ValueError, "adapter='nowhere' is neither a folder nor a hub id"),
        (3, TypeError, "adapter=3 must be an Adapter"),
    ],
)
def test_other_objects_than_adapters_are_refused_in_fit(given, error, message):
    with pytest.raises(error, match=message):
        forecaster(adapter=given).fit(monthly())


# ---------------------------------------------------------------------------------- TinyTimeMixer


def test_the_other_family_is_tuned_by_its_name():
    y = monthly(200)
    tuned = TimerS1Forecaster("ttm-test", tuning=BRIEF).fit(y)
    assert tuned.adapter_.target == "decoder+head"
    base = ForecastPipeline.from_pretrained("ttm-test", adapter=tuned.adapter_)
    expected = base.predict(y.to_numpy(), len(FH)).median[0]
    np.testing.assert_array_equal(tuned.predict(FH), expected)
    other = TimerS1Forecaster("ttm-test", tuning=BRIEF).fit(-(y**2))
    assert other.adapter_ != tuned.adapter_
    np.testing.assert_array_equal(tuned.predict(FH), expected)
    assert len(pickle.dumps(tuned)) < 5000 + len(pickle.dumps(tuned.adapter_)) + y.size * 24
    with pytest.raises(ValueError, match="target='router': TinyTimeMixer has no such weights"):
        router = dataclasses.replace(BRIEF, target="router")
        TimerS1Forecaster("ttm-test", tuning=router).fit(y)
