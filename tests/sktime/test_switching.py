"""Switching from sktime's own Timer-S1 class: its parameters work under their names."""

import copy
import inspect
import pickle

import numpy as np
import pandas as pd
import pytest
import torch

from timer_forecaster import ForecastPipeline
from timer_forecaster.checkpoints import cache
from timer_forecaster.models.timer_s1 import TimerS1Architecture, TimerS1Config

pytest.importorskip("sktime")

from sktime.forecasting.model_selection import ForecastingGridSearchCV
from sktime.split import ExpandingWindowSplitter

from timer_forecaster.sktime import TimerS1Forecaster

MODEL = "timer-s1-test"
CONFIG = {
    "hidden_size": 16,
    "intermediate_size": 16,
    "num_attention_heads": 4,
    "num_experts": 4,
    "num_hidden_layers": 1,
    "num_mtp_tokens": 1,
}


@pytest.fixture
def y():
    values = np.random.default_rng(0).normal(size=60).cumsum()
    return pd.Series(values, pd.period_range("2015-01", periods=60, freq="M"), name="y")


def forecast(y, **parameters):
    return TimerS1Forecaster(**parameters).fit(y).predict([1, 2, 20])


def test_every_name_of_sktimes_class_is_ours():
    theirs = pytest.importorskip("sktime.forecasting.timer_s1").TimerS1Forecaster
    names = list(inspect.signature(theirs).parameters)
    ours = inspect.signature(TimerS1Forecaster).parameters
    assert [name for name in names if name not in ours] == ["forward_kwargs"]
    assert names[0] == next(iter(ours)) == "model_path"
    with pytest.raises(TypeError, match="forward_kwargs"):
        TimerS1Forecaster(forward_kwargs={"revin": True})


def test_a_call_as_sktime_documents_it(y):
    parameters = {"device_map": "cpu", "dtype": None, "quantization_config": None, "config": None}
    pd.testing.assert_series_equal(
        forecast(y, model_path=MODEL, deterministic=True, **parameters),
        forecast(y, model_path=MODEL, device_map="cpu"),
    )


@pytest.mark.parametrize("config", [CONFIG, TimerS1Config(**CONFIG), TimerS1Architecture(**CONFIG)])
def test_config_makes_a_network_without_a_checkpoint(y, config):
    pipe = ForecastPipeline.from_pretrained(None, config=CONFIG)
    expected = pipe.predict(y.to_numpy(), 20).median[0, [0, 1, 19]]
    np.testing.assert_array_equal(forecast(y, model_path=None, config=config), expected)


def test_test_parameters_of_sktimes_class_work_but_for_forward_kwargs(y):
    theirs = pytest.importorskip("sktime.forecasting.timer_s1").TimerS1Forecaster
    for parameters in theirs.get_test_params():
        parameters.pop("forward_kwargs", None)
        parameters["config"]["quantiles"] = sorted(set(parameters["config"]["quantiles"]))
        assert np.isfinite(forecast(y, **parameters)).all()


@pytest.mark.parametrize("device_map", ["cpu", torch.device("cpu"), {"": "cpu"}])
@pytest.mark.parametrize("dtype", [torch.bfloat16, "bfloat16"])
def test_device_map_and_dtype_take_objects_too(y, device_map, dtype):
    pipe = ForecastPipeline.from_pretrained(MODEL, device="cpu", dtype="bfloat16")
    expected = pipe.predict(y.to_numpy(), 20).median[0, [0, 1, 19]]
    found = forecast(y, model_path=MODEL, device_map=device_map, dtype=dtype)
    np.testing.assert_array_equal(found, expected)


def test_quantization_config_reaches_the_loader(y, monkeypatch):
    from transformers import QuantoConfig

    keys = []
    real = cache.load_network

    def unquantized(key):  # the library is not needed here; see test_cache.py
        keys.append(key)
        return real(key._replace(quantization=None))

    cache.release()
    monkeypatch.setattr(cache, "load_network", unquantized)
    for weights in ("int8", "int8", "int4"):
        forecast(y, model_path=MODEL, quantization_config=QuantoConfig(weights=weights))
    cache.release()
    assert ["int8" in key.quantization for key in keys] == [True, False]


@pytest.mark.parametrize("library", ["torchao", "bitsandbytes"])
def test_forecasts_of_quantized_weights_are_close(y, library):
    pytest.importorskip(library)
    import transformers

    if library == "torchao":
        from torchao.quantization import Int8WeightOnlyConfig

        config = transformers.TorchAoConfig(Int8WeightOnlyConfig())
    else:
        config = transformers.BitsAndBytesConfig(load_in_8bit=True)
    forecaster = TimerS1Forecaster(device_map="cpu", quantization_config=config)
    found = forecaster.clone().fit(y).predict([1, 2, 20])
    expected = forecast(y, device_map="cpu")
    assert 0 < np.abs(found - expected).max() < 0.2 * y.std()


def objects():
    from transformers import QuantoConfig

    return {
        "dict": {"model_path": None, "config": dict(CONFIG)},
        "config": {"model_path": None, "config": TimerS1Config(**CONFIG)},
        "architecture": {"model_path": None, "config": TimerS1Architecture(**CONFIG)},
        "device": {"model_path": MODEL, "device_map": torch.device("cpu")},
        "quantization": {"model_path": MODEL, "quantization_config": QuantoConfig(weights="int8")},
    }


@pytest.mark.parametrize("kind", ["dict", "config", "architecture", "device", "quantization"])
def test_parameters_that_are_objects_survive_clone_copy_pickle_and_set_params(kind):
    parameters = objects()[kind]
    forecaster = TimerS1Forecaster(**parameters)
    copies = [
        forecaster.clone(),
        copy.deepcopy(forecaster),
        pickle.loads(pickle.dumps(forecaster)),  # noqa: S301
        TimerS1Forecaster().set_params(**forecaster.get_params()),
    ]

    def key(estimator):
        names = ("model_path", "revision", "device_map", "dtype", "config", "quantization_config")
        return cache.NetworkKey.resolve(*(getattr(estimator, name) for name in names))

    assert {key(copied) for copied in copies} == {key(forecaster)}
    assert len(pickle.dumps(forecaster)) < 10_000
    assert repr(forecaster).startswith("TimerS1Forecaster(")


def test_a_fitted_forecaster_of_a_configuration_is_small_and_goes_on(y):
    fitted = TimerS1Forecaster(model_path=None, config=CONFIG).fit(y)
    expected = fitted.predict([1, 2])
    pickled = pickle.dumps(fitted)
    assert len(pickled) < 20_000
    pd.testing.assert_series_equal(pickle.loads(pickled).predict([1, 2]), expected)  # noqa: S301


def test_grid_search_over_checkpoints_and_configurations(y, monkeypatch):
    keys = []
    load_network = cache.load_network
    cache.release()
    monkeypatch.setattr(cache, "load_network", lambda key: keys.append(key) or load_network(key))
    wider = CONFIG | {"num_experts": 8}
    grid = [
        {"model_path": [MODEL], "dtype": ["float32", torch.float64], "deterministic": [True]},
        {"model_path": [None], "config": [CONFIG, TimerS1Config(**wider)]},
    ]
    search = ForecastingGridSearchCV(
        TimerS1Forecaster(device_map={"": "cpu"}),
        ExpandingWindowSplitter(fh=[1, 2], initial_window=50, step_length=5),
        grid,
        backend="None",
        error_score="raise",
    )
    search.fit(y)
    assert len(search.cv_results_) == len(set(keys)) == len(keys) == 4
    assert np.isfinite(search.predict([1, 2])).all()


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"deterministic": "yes"}, TypeError, "deterministic='yes' must be True or False"),
        ({"deterministic": None}, TypeError, "deterministic=None"),
        ({"config": CONFIG}, ValueError, "in place of checkpoint 'timer-s1-small'"),
        ({"model_path": None}, ValueError, "neither a checkpoint nor a config"),
        ({"model_path": None, "config": {"layers": 2}}, ValueError, r"unknown fields \['layers'\]"),
        ({"device_map": "tpu"}, ValueError, "device_map='tpu' is not a device"),
        ({"device_map": {"model": "cpu", "mtp_modules": "disk"}}, ValueError, "over several"),
        ({"dtype": torch.int8}, ValueError, "dtype=torch.int8"),
        ({"quantization_config": "int8"}, TypeError, "quantization_config='int8'"),
    ],
)
def test_bad_parameters_are_refused_in_fit(y, parameters, error, message):
    with pytest.raises(error, match=message):
        TimerS1Forecaster(**parameters).fit(y)
