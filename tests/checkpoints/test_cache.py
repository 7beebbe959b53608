"""What is loaded: devices, types, random networks, and networks that transformers quantises."""

import dataclasses
import json
import pickle
from shutil import copytree

import numpy as np
import pytest
import torch
from torch import nn

from timer_forecaster import ForecastPipeline, release
from timer_forecaster.adapters.adapter import Adapter
from timer_forecaster.adapters.base import Base
from timer_forecaster.checkpoints.key import NetworkKey
from timer_forecaster.checkpoints.registry import find_checkpoint
from timer_forecaster.evaluation import PipelineForecaster
from timer_forecaster.models.timer_s1 import TimerS1Architecture, TimerS1Config

MODEL = "timer-s1-test"
SIZES = {
    "hidden_size": 16,
    "intermediate_size": 16,
    "num_attention_heads": 4,
    "num_experts": 4,
    "num_hidden_layers": 1,
    "num_mtp_tokens": 1,
}


def walk(steps, seed=0):
    return np.random.default_rng(seed).normal(size=steps).cumsum()


def load(name=MODEL, device="cpu", **options):
    return ForecastPipeline.from_pretrained(name, device=device, **options)


# ---------------------------------------------------------------------------- devices and types


@pytest.mark.parametrize("device", [torch.device("cpu"), {"": "cpu"}, {"a": "cpu", "b": "cpu"}])
def test_one_device_in_any_form_is_one_network(device):
    assert load(device=device).network is load().network


@pytest.mark.parametrize(
    ("device", "message"),
    [
        (77, "device=77 is not a device"),
        (-1, "device=-1 is not a device"),
        ("balanced", "device='balanced' is not a device"),
        ({"": "tpu9"}, "device='tpu9' is not a device"),
        ({"model": "cpu", "mtp_modules": "disk"}, "not spread over several"),
        ({}, "does not name one device"),
    ],
)
def test_what_is_not_one_device_is_refused(device, message):
    with pytest.raises(ValueError, match=message):
        load(device=device)


@pytest.mark.parametrize("device", ["tpu9", {"": "tpu9"}, {}])
def test_errors_call_the_device_what_the_caller_calls_it(device):
    with pytest.raises(ValueError, match=r"^device_map=.* (is not a|does not name one) device"):
        NetworkKey.resolve(MODEL, None, device, "auto", device_argument="device_map")


def test_dtype_none_is_the_default():
    assert load(dtype=None).network is load().network
    assert load(dtype=torch.float64).network.dtype == torch.float64


# ------------------------------------------------------------------------------ random networks


@pytest.mark.parametrize(
    "config",
    [
        TimerS1Architecture(**SIZES),
        TimerS1Config(**SIZES),
        SIZES | {"quantiles": [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9], "rope_theta": 10000},
        SIZES | {"model_type": "Timer-S1", "use_cache": False, "output_token_lens": [16]},
    ],
)
def test_equal_configurations_share_a_network_in_any_form(config):
    pipe = load(None, config=SIZES)
    assert load(None, config=config).network is pipe.network
    assert load(None, config=SIZES | {"num_experts": 2}).network is not pipe.network


def test_a_configuration_makes_the_network_it_describes():
    pipe = load(None, config=SIZES | {"quantiles": [0.2, 0.5, 0.8], "input_token_len": 8})
    assert pipe.network.config.hidden_size == 16
    assert pipe.network.pass_length == 16
    assert pipe.predict(walk(40), 20).quantiles.shape == (1, 20, 3)


def test_random_weights_are_the_same_whatever_torch_draws():
    forecasts = []
    for seed in (1, 2):
        release()
        torch.manual_seed(seed)
        state = torch.get_rng_state()
        forecasts.append(load(None, config=SIZES).predict(walk(50), 40).quantiles)
        assert torch.equal(torch.get_rng_state(), state)
    np.testing.assert_array_equal(*forecasts)


def test_a_pipeline_of_a_configuration_pickles_in_bytes():
    pipe = load(None, config=SIZES)
    dumped = pickle.dumps(pipe)
    assert len(dumped) < 2000
    assert pickle.loads(dumped).network is pipe.network  # noqa: S301


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"name": None}, ValueError, "neither a checkpoint nor a config"),
        ({"name": MODEL, "config": SIZES}, ValueError, "in place of checkpoint 'timer-s1-test'"),
        ({"config": SIZES, "revision": "main"}, ValueError, "revision='main'"),
        ({"config": SIZES, "quantization_config": {}}, ValueError, "quantization_config={}"),
        ({"config": {"hidden_sise": 16}}, ValueError, "unknown fields.*hidden_sise.*hidden_size"),
        ({"config": {"hidden_size": "16"}}, TypeError, "hidden_size='16' must be an integer"),
        ({"config": {"model_type": "llama"}}, ValueError, "model_type='llama'"),
        ({"config": {"output_token_lens": [32]}}, ValueError, r"output_token_lens=\[32\].*\[16\]"),
        ({"config": [16]}, TypeError, "config is of type list"),
    ],
)
def test_configurations_that_cannot_be_used_are_refused(options, error, message):
    with pytest.raises(error, match=message):
        load(**{"name": None, **options})


# ------------------------------------------------------------------------------- quantisation


class RoundedLinear(nn.Module):
    """A linear layer with weights of eight bits."""

    def __init__(self, linear, steps):
        super().__init__()
        scale = linear.weight.detach().abs().amax(1, keepdim=True) / steps
        self.weight = nn.Parameter((linear.weight / scale).round().to(torch.int8), False)
        self.scale = nn.Parameter(scale, False)
        self.bias = linear.bias

    def forward(self, x):
        return nn.functional.linear(x, self.weight.to(x.dtype) * self.scale, self.bias)


@pytest.fixture
def rounding(monkeypatch):
    """A quantiser of our own in transformers' registry, so that no library is needed."""
    from transformers.quantizers import auto
    from transformers.quantizers.base import HfQuantizer
    from transformers.utils.quantization_config import QuantizationConfigMixin

    class Rounding(QuantizationConfigMixin):
        def __init__(self, steps=127, **unused):
            self.quant_method = "rounding"
            self.steps = steps

    class Quantizer(HfQuantizer):
        is_serializable = is_trainable = False

        def _process_model_after_weight_loading(self, model, **unused):
            for name, module in list(model.named_modules()):
                if isinstance(module, nn.Linear):
                    rounded = RoundedLinear(module, self.quantization_config.steps)
                    model.set_submodule(name, rounded)
            return model

    monkeypatch.setitem(auto.AUTO_QUANTIZATION_CONFIG_MAPPING, "rounding", Rounding)
    monkeypatch.setitem(auto.AUTO_QUANTIZER_MAPPING, "rounding", Quantizer)
    yield Rounding
    release()


def difference(pipe, other):
    """Mean distance of two pipelines' quantiles over the standard deviation of the series."""
    series = [walk(300, seed) for seed in range(8)]
    first, second = (p.predict(series, 48).quantiles for p in (pipe, other))
    return np.mean(np.abs(first - second) / np.std(series, axis=1)[:, None, None])


def size(network):
    return sum(p.numel() * p.element_size() for p in network.parameters())


def test_quantised_networks_forecast_and_stay_small(rounding):
    pipe = load("timer-s1-mini")
    rounded = load("timer-s1-mini", quantization_config=rounding())
    assert isinstance(rounded.network.model.embed_layer.hidden_layer, RoundedLinear)
    assert isinstance(rounded.network.model.layers[0].ffn_layer.experts[0].up_proj, RoundedLinear)
    assert size(rounded.network) < 0.3 * size(pipe.network)
    assert 0 < difference(pipe, rounded) < 0.05
    assert rounded.embed(walk(50)).shape == (1, 128)


def test_equal_quantisations_share_a_network(rounding):
    fine = load(quantization_config=rounding())
    assert load(quantization_config=rounding()).network is fine.network
    as_dict = {"steps": 127, "quant_method": "rounding"}
    assert load(quantization_config=as_dict).network is fine.network
    assert pickle.loads(pickle.dumps(fine)).network is fine.network  # noqa: S301
    coarse = load(quantization_config=rounding(steps=7))
    assert difference(load(), coarse) > 3 * difference(load(), fine)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_quantised_networks_compute_in_the_type_asked_for(rounding, dtype):
    rounded = load(dtype=dtype, quantization_config=rounding())
    assert rounded.network.dtype == dtype
    assert difference(load(), rounded) < 0.5


def test_a_folder_that_says_it_is_quantised_is_loaded_so(rounding, tmp_path):
    folder = copytree(find_checkpoint(MODEL), tmp_path / "net")
    config = json.loads((folder / "config.json").read_text())
    config["quantization_config"] = {"quant_method": "rounding", "steps": 7}
    (folder / "config.json").write_text(json.dumps(config))
    expected = load(quantization_config=rounding(steps=7))
    assert difference(load(folder), expected) == 0


def test_quantised_weights_that_do_not_fit_are_refused(rounding, tmp_path):
    folder = copytree(find_checkpoint(MODEL), tmp_path / "net")
    config = json.loads((folder / "config.json").read_text()) | {"num_mtp_tokens": 5}
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(ValueError, match=r"do not fit its config\.json: missing"):
        load(folder, quantization_config=rounding())


def test_results_of_quantised_and_random_networks_are_told_apart(rounding):
    pipes = [load(), load(quantization_config=rounding()), load(None, config=SIZES)]
    assert len({PipelineForecaster(pipe).settings for pipe in pipes}) == 3
    assert PipelineForecaster(pipes[2]).name == "untrained"


def test_adapters_of_quantised_networks(rounding):
    plain, rounded = load(), load(quantization_config=rounding())
    shapes = {name: value.float() for name, value in plain.network.named_parameters()}
    head = {name: value * 2 for name, value in shapes.items() if "output_patch" in name}
    tuned = Adapter(Base.of(plain.key), "head", head)
    one, other = (dataclasses.replace(pipe, adapter=tuned) for pipe in (plain, rounded))
    assert difference(one, other) < difference(plain, one) / 3
    full = Adapter(Base.of(plain.key), "full", shapes)
    with pytest.raises(ValueError, match=r"quantization_config=.* replaces all weights"):
        _ = dataclasses.replace(rounded, adapter=full).network


def torchao():
    pytest.importorskip("torchao")
    from torchao.quantization import Int8WeightOnlyConfig
    from transformers import TorchAoConfig

    return TorchAoConfig(Int8WeightOnlyConfig())


def quanto():
    pytest.importorskip("optimum.quanto")
    from transformers import QuantoConfig

    return QuantoConfig(weights="int8")


def bitsandbytes():
    pytest.importorskip("bitsandbytes")
    from transformers import BitsAndBytesConfig

    return BitsAndBytesConfig(load_in_8bit=True)


@pytest.mark.parametrize("library", [torchao, quanto, bitsandbytes])
def test_libraries_that_quantise(library):
    quantised = load("timer-s1-mini", quantization_config=library())
    assert 0 < difference(load("timer-s1-mini"), quantised) < 0.05


@pytest.mark.parametrize("library", [torchao, bitsandbytes])
def test_checkpoints_that_a_library_has_quantised(library, tmp_path):
    from timer_forecaster.models.timer_s1 import TimerS1ForPrediction

    config = library()
    model = TimerS1ForPrediction.from_pretrained(
        find_checkpoint(MODEL), quantization_config=config, dtype=torch.float32, device_map="cpu"
    )
    model.save_pretrained(tmp_path)
    assert difference(load(tmp_path), load(quantization_config=config)) == 0


def test_a_library_that_is_absent_is_named(monkeypatch):
    monkeypatch.setattr(
        "transformers.quantizers.quantizer_quanto.is_optimum_quanto_available", bool
    )
    with pytest.raises(ImportError, match="optimum-quanto"):
        load(quantization_config={"quant_method": "quanto", "weights": "int8"})


@pytest.mark.parametrize(
    ("quantization", "error", "message"),
    [
        ("int8", TypeError, "quantization_config='int8' must be a configuration"),
        ({"quant_method": "nope"}, ValueError, "Unknown quantization type, got nope"),
        ({"quant_method": object()}, TypeError, "quantization_config=.*JSON"),
    ],
)
def test_quantisations_that_cannot_be_used_are_refused(quantization, error, message):
    with pytest.raises(error, match=message):
        load(quantization_config=quantization)


@pytest.mark.parametrize(
    ("name", "revision", "message"),
    [
        ("no-such-model", None, "'no-such-model' is neither a registry name"),
        ("./owner/name", None, "'./owner/name' is neither a registry name"),
        (".", None, "the folder '.' holds no config.json"),
        (MODEL, "main", "revision='main' applies to hub ids; 'timer-s1-test' is local"),
    ],
)
def test_names_are_checked_before_anything_is_loaded(
    name, revision, message, loads, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=message):
        NetworkKey.resolve(name, revision, "cpu", "auto")
    assert NetworkKey.resolve("owner/name", "main", "cpu", "auto")[:2] == ("owner/name", "main")
    assert loads == []


def test_a_folder_in_any_form_is_one_key(tmp_path, monkeypatch):
    folder = copytree(find_checkpoint(MODEL), tmp_path / "net")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    names = ("net", "./net", "~/net", folder)
    keys = {NetworkKey.resolve(name, None, "cpu", "auto") for name in names}
    assert {key.name for key in keys} == {str(folder)}


def test_a_folder_does_not_take_the_place_of_an_embedded_checkpoint(tmp_path, monkeypatch):
    (tmp_path / MODEL).mkdir()
    monkeypatch.chdir(tmp_path)
    assert NetworkKey.resolve(MODEL, None, "cpu", "auto").name == MODEL


def test_keys_of_checkpoints_stay_as_plain_as_they_were():
    key = NetworkKey.resolve(MODEL, None, "cpu", "auto")
    assert key == (MODEL, None, "cpu", "auto", None, None)
