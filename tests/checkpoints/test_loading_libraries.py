"""Networks that the quantizers of transformers load."""

import dataclasses
import json
import pickle
from shutil import copytree

import numpy as np
import pytest
import torch
from checkpoint_cases import MODEL, SIZES, load, walk
from torch import nn

from timer_forecaster import release
from timer_forecaster.adapters.adapter import Adapter
from timer_forecaster.adapters.base import Base
from timer_forecaster.checkpoints.registry import find_checkpoint
from timer_forecaster.evaluation import PipelineForecaster


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
    """A quantizer of our own in transformers' registry, so that no library is needed."""
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


def test_quantized_networks_forecast_and_stay_small(rounding):
    pipe = load("timer-s1-mini")
    rounded = load("timer-s1-mini", quantization_config=rounding())
    assert isinstance(rounded.network.model.embed_layer.hidden_layer, RoundedLinear)
    assert isinstance(rounded.network.model.layers[0].ffn_layer.experts[0].up_proj, RoundedLinear)
    assert size(rounded.network) < 0.3 * size(pipe.network)
    assert 0 < difference(pipe, rounded) < 0.05
    assert rounded.embed(walk(50)).shape == (1, 128)


def test_equal_quantizations_share_a_network(rounding):
    fine = load(quantization_config=rounding())
    assert load(quantization_config=rounding()).network is fine.network
    as_dict = {"steps": 127, "quant_method": "rounding"}
    assert load(quantization_config=as_dict).network is fine.network
    assert pickle.loads(pickle.dumps(fine)).network is fine.network  # noqa: S301
    coarse = load(quantization_config=rounding(steps=7))
    assert difference(load(), coarse) > 3 * difference(load(), fine)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_quantized_networks_compute_in_the_type_asked_for(rounding, dtype):
    rounded = load(dtype=dtype, quantization_config=rounding())
    assert rounded.network.dtype == dtype
    assert difference(load(), rounded) < 0.5


def test_a_folder_that_says_it_is_quantized_is_loaded_so(rounding, tmp_path):
    folder = copytree(find_checkpoint(MODEL), tmp_path / "net")
    config = json.loads((folder / "config.json").read_text())
    config["quantization_config"] = {"quant_method": "rounding", "steps": 7}
    (folder / "config.json").write_text(json.dumps(config))
    expected = load(quantization_config=rounding(steps=7))
    assert difference(load(folder), expected) == 0


def test_quantized_weights_that_do_not_fit_are_refused(rounding, tmp_path):
    folder = copytree(find_checkpoint(MODEL), tmp_path / "net")
    config = json.loads((folder / "config.json").read_text()) | {"num_mtp_tokens": 5}
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(ValueError, match=r"do not fit its config\.json: missing"):
        load(folder, quantization_config=rounding())


def test_results_of_quantized_and_random_networks_are_told_apart(rounding):
    pipes = [load(), load(quantization_config=rounding()), load(None, config=SIZES)]
    assert len({PipelineForecaster(pipe).settings for pipe in pipes}) == 3
    assert PipelineForecaster(pipes[2]).name == "untrained"


def test_adapters_of_quantized_networks(rounding):
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
def test_libraries_that_quantize(library):
    quantized = load("timer-s1-mini", quantization_config=library())
    assert 0 < difference(load("timer-s1-mini"), quantized) < 0.05


@pytest.mark.parametrize("library", [torchao, bitsandbytes])
def test_checkpoints_that_a_library_has_quantized(library, tmp_path):
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
