"""The parameters that estimators share, on an object that has them and belongs to no framework."""

import types

import numpy as np
import pytest

from timer_forecaster import ForecastPipeline
from timer_forecaster.estimators import check_parameters, options_of, pipeline_of, tuned
from timer_forecaster.finetuning import FinetuneConfig, TuningWarning, finetune
from timer_forecaster.inference.options import ForecastOptions

MODEL = "timer-s1-test"  # random weights, patches of 16 steps
BRIEF = FinetuneConfig(steps=2, batch_size=4, context_length=48, horizon=16)


def estimator(**changed):
    parameters = {
        "model_path": MODEL,
        "revision": None,
        "device_map": "cpu",
        "dtype": "auto",
        "config": None,
        "quantization_config": None,
        "quantization": None,
        "adapter": None,
        "tuning": None,
        "context_length": None,
        "rollout": "auto",
        "flip": False,
        "batch_size": None,
        "covariates": "auto",
        "padding": "mean",
        "quality": "fast",
        "nonnegative": "auto",
    }
    assert changed.keys() <= {*parameters, "adapter_"}
    return types.SimpleNamespace(**parameters | changed)


def pipe(adapter=None):
    return ForecastPipeline.from_pretrained(MODEL, device="cpu", adapter=adapter)


def sawtooth(n=120):
    return np.arange(n) % 12 + np.random.default_rng(0).normal(size=n) / 10


@pytest.fixture(scope="module")
def adapter():
    made = finetune(pipe(), sawtooth(), BRIEF)
    assert not made.is_identity
    return made


def test_the_pipeline_has_the_parameters_and_is_not_loaded(loads):
    assert pipeline_of(estimator()).key == pipe().key
    loads.clear()
    half = pipeline_of(estimator(dtype="bfloat16"))
    assert loads == []
    assert half == ForecastPipeline.from_pretrained(MODEL, device="cpu", dtype="bfloat16")


def test_the_finetuned_adapter_comes_before_the_parameter(adapter, tmp_path):
    assert pipeline_of(estimator()).adapter is None
    assert pipeline_of(estimator(adapter=str(adapter.save(tmp_path / "a")))).adapter == adapter
    other = finetune(pipe(), sawtooth(), FinetuneConfig(target="norms", steps=2))
    assert pipeline_of(estimator(adapter=other, adapter_=adapter)).adapter == adapter


def test_options_are_the_parameters_of_their_names():
    chosen = {"context_length": 7, "rollout": "median", "flip": True, "batch_size": 3}
    assert options_of(estimator(**chosen)) == ForecastOptions(**chosen)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"rollout": "mean"}, "rollout='mean'"),
        ({"batch_size": 0}, "batch_size=0"),
        ({"tuning": {"steps": 3}}, r"tuning=\{'steps': 3\} must be a .*FinetuneConfig"),
        ({"model_path": "no-such-model"}, "'no-such-model' is neither a registry name"),
        ({"device_map": "tpu"}, "device_map='tpu' is not a device"),
        ({"adapter": "nowhere"}, "adapter='nowhere' is neither a folder nor a hub id"),
    ],
)
def test_parameters_that_cannot_be_used_are_named(changed, message):
    check_parameters(estimator())
    with pytest.raises((ValueError, TypeError), match=message):
        check_parameters(estimator(**changed))


def test_an_adapter_of_another_checkpoint_is_refused(adapter, loads):
    check_parameters(estimator(adapter=adapter))
    with pytest.raises(ValueError, match="the adapter was tuned on 'timer-s1-test'"):
        check_parameters(estimator(model_path="timer-s1-mini", adapter=adapter))
    assert loads == []


def test_an_estimator_is_finetuned_by_its_settings():
    found = tuned(estimator(tuning=BRIEF), finetune, sawtooth())
    assert found == finetune(pipe(), sawtooth(), BRIEF)


@pytest.mark.parametrize(("own", "used"), [(None, 20), (48, 48)])
def test_windows_are_as_long_as_the_context_unless_the_settings_differ(own, used):
    seen = []
    tuning = FinetuneConfig(context_length=own)
    subject = estimator(tuning=tuning, context_length=20)
    tuned(subject, lambda *arguments: seen.append(arguments), "series")
    expected = FinetuneConfig(target="router+head", context_length=used, quality=subject.quality)
    assert seen == [(pipe(), "series", expected)]


def test_without_settings_the_target_of_the_adapter_is_finetuned_again():
    norms = finetune(pipe(), sawtooth(), FinetuneConfig(target="norms", steps=2))
    targets = []
    for given in (None, norms):
        tuned(estimator(adapter=given), lambda pipe, config: targets.append(config.target))
    assert targets == ["router+head", "norms"]


def test_data_that_show_nothing_to_learn_leave_the_pipeline_as_it_was(adapter):
    for given in (None, adapter):
        with pytest.warns(TuningWarning, match="the checkpoint stays as it was"):
            found = tuned(estimator(tuning=BRIEF, adapter=given), finetune, np.ones(100))
        assert found.is_identity if given is None else found == adapter
