"""The network gives the released implementation's numbers."""

import json

import pytest
import torch
from places import ROOT
from safetensors.torch import load_file

from timer_forecaster.models.timer_s1 import TimerS1Config, TimerS1ForPrediction, TimerS1Network
from timer_forecaster.models.timer_s1.architecture import TimerS1Architecture
from timer_forecaster.models.timer_s1.attention_kernels import ATTENTION_KERNELS
from timer_forecaster.models.timer_s1.experts import EXPERT_STRATEGIES
from timer_forecaster.models.timer_s1.layouts.linears import can_pack
from timer_forecaster.models.timer_s1.layouts.packing import pack, stack
from timer_forecaster.models.timer_s1.patches import patchify

CAN_PACK = can_pack(torch.device("cpu"), torch.float32)
CAN_STACK = hasattr(torch.nn.functional, "grouped_mm")
OWN = ROOT / "tests" / "data" / "parity"
SHARED = ROOT.parent / "shared" / "parity"
TOLERANCE = 1e-5  # of the largest golden value
LAYOUTS = [
    pytest.param(pack, marks=pytest.mark.skipif(not CAN_PACK, reason="torch lacks oneDNN")),
    pytest.param(stack, marks=pytest.mark.skipif(not CAN_STACK, reason="torch lacks grouped_mm")),
]


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


def assert_golden_outputs(model, golden, cases):
    assert len(cases) == 24
    for case in cases:
        output = model.generate(
            golden[f"{case['key']}.input"], case["horizon"], revin=case["revin"]
        )
        assert list(output.shape) == case["output_shape"]
        assert relative_error(output, golden[f"{case['key']}.output"]) < TOLERANCE, case


@pytest.mark.parametrize("kernel", sorted(ATTENTION_KERNELS))
@pytest.mark.parametrize("strategy", sorted(EXPERT_STRATEGIES))
def test_generate_gives_the_golden_outputs(parity, strategy, kernel):
    model, golden, cases, _ = parity
    model.set_expert_strategy(strategy)
    model.set_attention_kernel(kernel)
    assert_golden_outputs(model, golden, cases)


@pytest.mark.parametrize("lay_out", LAYOUTS)
def test_weights_laid_out_for_a_device_give_the_golden_outputs(parity, lay_out):
    model, golden, cases, _ = parity
    lay_out(model.requires_grad_(False))
    assert_golden_outputs(model, golden, cases)


def test_activations_agree_block_by_block(parity):
    model, golden, _, _ = parity
    series = golden["activations.input"]
    normalized = (series - series.mean(-1, keepdim=True)) / (
        series.std(-1, unbiased=False, keepdim=True) + 1e-5
    )
    assert relative_error(normalized, golden["activations.normalized"]) < TOLERANCE
    patches = patchify(normalized, None, 16)
    with torch.no_grad():
        quantiles = model.forecast_pass(patches, model.config.num_mtp_tokens + 1)
    assert relative_error(quantiles, golden["activations.quantiles"]) < TOLERANCE
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

    with torch.no_grad():
        list(model.stages(patches))
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


def released_layout():
    """Names and shapes of the released tensors, written down by hand from its list."""
    size, inner, expert, head = 1024, 4096, 2048, 64

    def mlp(name, inputs, hidden, outputs):
        shapes = {"hidden": (hidden, inputs), "output": (outputs, hidden)}
        shapes["residual"] = (outputs, inputs)
        for part, shape in shapes.items():
            yield f"{name}.{part}_layer.weight", list(shape)
            yield f"{name}.{part}_layer.bias", [shape[0]]

    def block(name):
        for part in "qkv":
            yield f"{name}.self_attn.{part}_proj.weight", [size, size]
            yield f"{name}.self_attn.{part}_proj.bias", [size]
        yield f"{name}.self_attn.gate_proj.weight", [size, size]
        yield f"{name}.self_attn.gate_proj.bias", [size]
        yield f"{name}.self_attn.o_proj.weight", [size, size]
        yield f"{name}.self_attn.q_scale", [head]
        yield f"{name}.self_attn.k_scale", [head]
        yield f"{name}.norm1.weight", [size]
        yield f"{name}.norm2.weight", [size]
        yield f"{name}.ffn_layer.gate.weight", [32, size]
        for number in range(32):
            yield f"{name}.ffn_layer.experts.{number}.gate_proj.weight", [expert, size]
            yield f"{name}.ffn_layer.experts.{number}.up_proj.weight", [expert, size]
            yield f"{name}.ffn_layer.experts.{number}.down_proj.weight", [size, expert]

    yield from mlp("model.embed_layer", 32, inner, size)
    yield from mlp("output_patch_embedding", size, size, 144)
    yield "model.norm.weight", [size]
    for number in range(24):
        yield from block(f"model.layers.{number}")
    for number in range(16):
        yield from block(f"mtp_modules.{number}.layer")
        yield f"mtp_modules.{number}.projection_matrix.weight", [size, 2 * size]
        for norm in ("norm", "norm_hidden", "norm_embeds"):
            yield f"mtp_modules.{number}.{norm}.weight", [size]


def test_full_size_network_has_the_released_names_and_shapes():
    with torch.device("meta"):
        network = TimerS1Network(TimerS1Architecture())
    shapes = {name: list(value.shape) for name, value in network.state_dict().items()}
    assert shapes == dict(released_layout())
    assert len(shapes) == 4477
    assert sum(value.numel() for value in network.parameters()) == 8_303_654_176
