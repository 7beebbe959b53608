"""The network gives the released implementation's numbers."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from timer_forecaster.models.timer_s1 import TimerS1Config, TimerS1ForPrediction, TimerS1Network
from timer_forecaster.models.timer_s1.architecture import TimerS1Architecture
from timer_forecaster.models.timer_s1.experts import EXPERT_STRATEGIES
from timer_forecaster.models.timer_s1.network import ATTENTION_KERNELS, patchify

OWN = Path(__file__).parents[1] / "data" / "parity"
SHARED = Path(__file__).parents[3] / "shared" / "parity"
TOLERANCE = 1e-5  # of the largest golden value


def checkpoint(name):
    folder = OWN / name if (OWN / name).is_dir() else SHARED / name
    if not folder.is_dir():
        pytest.skip(f"needs the shared parity checkpoint {name!r}")
    return folder


def relative_error(actual, golden):
    return ((actual - golden).abs().max() / golden.abs().max()).item()


@pytest.fixture(params=["tiny", "no_stp", "wide"])
def parity(request):
    folder = checkpoint(request.param)
    model = TimerS1ForPrediction.from_pretrained(folder)
    cases = json.loads((folder / "cases.json").read_text())["cases"]
    return model, load_file(folder / "golden.safetensors"), cases, folder


@pytest.mark.parametrize("kernel", sorted(ATTENTION_KERNELS))
@pytest.mark.parametrize("strategy", sorted(EXPERT_STRATEGIES))
def test_generate_gives_the_golden_outputs(parity, strategy, kernel):
    model, golden, cases, _ = parity
    model.set_expert_strategy(strategy)
    model.set_attention_kernel(kernel)
    assert len(cases) == 24
    for case in cases:
        output = model.generate(
            golden[f"{case['key']}.input"], case["horizon"], revin=case["revin"]
        )
        assert list(output.shape) == case["output_shape"]
        assert relative_error(output, golden[f"{case['key']}.output"]) < TOLERANCE, case


def test_activations_agree_block_by_block(parity):
    model, golden, _, _ = parity
    seen = {}

    def keep(name, index=None):
        def hook(module, inputs, output):
            seen[name] = output if index is None else output[index]

        return hook

    model.model.embed_layer.register_forward_hook(keep("embeddings"))
    for number, block in enumerate(model.model.layers):
        block.register_forward_hook(keep(f"block{number}.output", 0))
        block.self_attn.register_forward_hook(keep(f"block{number}.attention"))
        block.ffn_layer.register_forward_hook(keep(f"block{number}.moe", 0))
        block.ffn_layer.gate.register_forward_hook(keep(f"block{number}.router_logits"))
    model.model.norm.register_forward_hook(keep("main.output"))
    for number, block in enumerate(model.mtp_modules):
        block.register_forward_hook(keep(f"stp{number}.output", 0))

    series = golden["activations.input"]
    normalised = (series - series.mean(-1, keepdim=True)) / (
        series.std(-1, unbiased=False, keepdim=True) + 1e-5
    )
    assert relative_error(normalised, golden["activations.normalized"]) < TOLERANCE
    with torch.no_grad():
        patches = patchify(normalised, None, 16)
        quantiles = model.forecast_pass(patches, model.config.num_mtp_tokens + 1)
    assert relative_error(quantiles, golden["activations.quantiles"]) < TOLERANCE
    names = {name.removeprefix("activations.") for name in golden if name.startswith("activations")}
    assert names - {"input", "normalized", "quantiles"} == set(seen)
    for name, value in seen.items():
        assert relative_error(value, golden[f"activations.{name}"]) < TOLERANCE, name


def test_plain_network_and_its_transformers_twin_agree(parity):
    model, golden, cases, folder = parity
    plain = TimerS1Network(TimerS1Architecture.from_config_file(folder / "config.json")).eval()
    plain.load_state_dict(load_file(folder / "model.safetensors"))
    series = golden[f"{cases[-1]['key']}.input"]
    # Not bit for bit: weights mapped from a file may be aligned differently, and round differently.
    assert relative_error(plain.generate(series, 70), model.generate(series, 70)) < 1e-6


def test_full_size_network_has_the_released_tensors():
    layout = SHARED / "released_checkpoint_layout.json"
    if not layout.exists():
        pytest.skip("needs the shared list of the released checkpoint's tensors")
    with torch.device("meta"):
        network = TimerS1ForPrediction(TimerS1Config())
    shapes = {name: list(value.shape) for name, value in network.state_dict().items()}
    assert shapes == json.loads(layout.read_text())
    assert sum(value.numel() for value in network.parameters()) == 8_303_654_176


def test_full_size_network_has_the_released_number_of_tensors_and_parameters():
    with torch.device("meta"):
        network = TimerS1Network(TimerS1Architecture())
    assert len(network.state_dict()) == 4477
    assert sum(value.numel() for value in network.parameters()) == 8_303_654_176
