"""Adapted networks give the numbers of networks whose weights were changed in place."""

import copy
import functools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from timer_forecaster.models.timer_s1 import TimerS1Architecture, TimerS1Network
from timer_forecaster.models.timer_s1.adaptation import adapted, parameter_shapes
from timer_forecaster.models.timer_s1.experts import Expert
from timer_forecaster.models.timer_s1.layouts.choice import WIDE
from timer_forecaster.models.timer_s1.layouts.experts import DeferredExpert, PackedExpert
from timer_forecaster.models.timer_s1.layouts.linears import can_pack
from timer_forecaster.models.timer_s1.layouts.packing import (
    join_experts,
    pack,
    packing,
    replace_experts,
    stack,
)
from timer_forecaster.models.timer_s1.patches import patchify
from timer_forecaster.models.timer_s1.targets import TARGETS, replaced_by, widened_by_lora

CPU = torch.device("cpu")
EXPERTS = "model.layers.0.ffn_layer.experts"
SERIAL = "mtp_modules.1.layer.ffn_layer.experts"
EVERY_EXPERT = {block: range(4) for block in (EXPERTS, SERIAL)}


def sizes(hidden_size):
    return TimerS1Architecture(
        hidden_size=hidden_size,
        intermediate_size=2 * hidden_size,
        num_hidden_layers=1,
        num_mtp_tokens=2,
        num_attention_heads=4,
        num_experts=4,
        initializer_range=0.3 * (16 / hidden_size) ** 0.5,
    )


def make_network(dtype=torch.float32, hidden_size=16):
    network = TimerS1Network(sizes(hidden_size))
    network.reset_parameters(torch.Generator().manual_seed(0))
    return network.to(dtype).eval().requires_grad_(False)


def in_eight_bits(network):
    replace_experts(network, packing(network.dtype))
    join_experts(network)


def later(form):
    """Experts of a form, each made when the first token comes to it."""

    def lay_out(network):
        replace_experts(network, lambda expert: DeferredExpert(lambda: form(expert)))
        if form is not PackedExpert:
            join_experts(network)

    return lay_out


def deferred_packed(network):
    later(PackedExpert)(network)
    pack(network)


def deferred_in_eight_bits(network):
    later(packing(network.dtype))(network)


def packed_in_eight_bits(network):
    in_eight_bits(network)
    pack(network)


def plain(network):
    """Leave a network as it is."""


WITH_ONEDNN = (pack, deferred_packed, packed_in_eight_bits)
EIGHT_BITS = (in_eight_bits, deferred_in_eight_bits, packed_in_eight_bits)
LAYOUTS = {
    "float32": (plain, torch.float32, 16, 1e-5),
    "float64": (plain, torch.float64, 16, 1e-5),  # norms are computed in float32
    "bfloat16": (plain, torch.bfloat16, 16, 0.06),
    "packed": (pack, torch.float32, WIDE, 1e-5),
    "packed, bfloat16": (pack, torch.bfloat16, WIDE, 0.06),
    "packed, deferred": (deferred_packed, torch.float32, WIDE, 1e-5),
    "int8": (in_eight_bits, torch.float32, 16, 0.06),
    "int8, bfloat16": (in_eight_bits, torch.bfloat16, 16, 0.1),
    "int8, deferred": (deferred_in_eight_bits, torch.float32, 16, 0.06),
    "int8, packed": (packed_in_eight_bits, torch.float32, WIDE, 0.06),
    "stacked": (stack, torch.float32, 16, 1e-5),
    "stacked, bfloat16": (stack, torch.bfloat16, 16, 0.06),
}


@pytest.fixture
def layout(request, layout_name):
    """A plain network, the same one laid out, and how close the two are."""
    lay_out, dtype, _, tolerance = LAYOUTS[layout_name]
    if lay_out in WITH_ONEDNN and not can_pack(CPU, dtype):
        pytest.skip(f"oneDNN does not multiply {dtype} here")
    if lay_out in EIGHT_BITS:
        request.getfixturevalue("int8_kernel")
    if lay_out is stack and not hasattr(nn.functional, "grouped_mm"):
        pytest.skip("torch lacks grouped products")
    return *laid_out_network(layout_name), tolerance


@functools.cache  # no test changes them, which is what they show
def laid_out_network(layout_name):
    lay_out, dtype, hidden_size, _ = LAYOUTS[layout_name]
    network = make_network(dtype, hidden_size)
    laid_out = copy.deepcopy(network)
    lay_out(laid_out)
    return network, laid_out


def noise(shape, scale, seed):
    return scale * torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def changed(network, names, scale=0.5):
    """Weights of a network, moved by a share of their spread."""
    weights = {}
    for seed, name in enumerate(names):
        value = network.get_parameter(name).float()
        spread = 1.0 if value.ndim == 1 else value.std()
        weights[name] = value + noise(value.shape, scale * spread, seed)
    return weights


def low_rank(network, layers, rank=3):
    weights = {}
    for seed, layer in enumerate(layers):
        value = network.get_parameter(f"{layer}.weight")
        scale = (value.float().std() / rank**0.5).sqrt()
        weights[f"{layer}.lora_A.weight"] = noise((rank, value.shape[1]), scale, 2 * seed)
        weights[f"{layer}.lora_B.weight"] = noise((value.shape[0], rank), scale, 2 * seed + 1)
    return weights


def every_name(network):
    return [name for name, _ in network.named_parameters()]


def of_target(target):
    return lambda network: changed(network, replaced_by(target, every_name(network)))


def named(*endings):
    """Weights by the ends of their names."""
    return lambda network: changed(
        network, [name for name in every_name(network) if name.endswith(endings)]
    )


def attention(network):
    return low_rank(network, widened_by_lora(every_name(network)))


def attention_and_experts(network):
    hot = {EXPERTS: [0, 2], SERIAL: [1]}
    return low_rank(network, widened_by_lora(every_name(network), hot))


def every_expert(network):
    layers = widened_by_lora(every_name(network), EVERY_EXPERT)
    return low_rank(network, [layer for layer in layers if ".experts." in layer])


def some_projections(network):
    return low_rank(
        network, [f"{EXPERTS}.{n}.{part}_proj" for n, part in enumerate(("gate", "up", "down"))]
    )


def all_kinds_at_once(network):
    layers = [
        *widened_by_lora(every_name(network), EVERY_EXPERT),
        "mtp_modules.0.projection_matrix",
    ]
    replaced = replaced_by("router+head", every_name(network)) + replaced_by(
        "norms", every_name(network)
    )
    replaced += ["model.layers.0.self_attn.q_proj.weight", f"{EXPERTS}.1.down_proj.weight"]
    return low_rank(network, layers) | changed(network, replaced, 0.2)


CHANGES = {
    **{target: of_target(target) for target in TARGETS if target != "lora"},
    "attention": attention,
    "attention and some experts": attention_and_experts,
    "every expert": every_expert,
    "some projections": some_projections,
    "experts replaced": named(
        *(f"experts.{n}.up_proj.weight" for n in range(3)), "3.down_proj.weight"
    ),
    "attention replaced": named("_proj.weight"),
    "biases alone": named("bias"),
    "without biases": named("layer.weight"),
    "part of the head": named("output_patch_embedding.hidden_layer.weight"),
    "all kinds at once": all_kinds_at_once,
}


def change_in_place(network, weights):
    """Do to a network of one's own what an adapter does."""
    network = copy.deepcopy(network).float()
    for name, value in weights.items():
        if ".lora_" not in name:
            network.get_parameter(name).copy_(value)
    for name, value in weights.items():
        if ".lora_A." in name:
            layer = name.removesuffix(".lora_A.weight")
            network.get_parameter(f"{layer}.weight").add_(weights[f"{layer}.lora_B.weight"] @ value)
    return network


def series():
    return noise((3, 150), 1.0, 0).cumsum(-1)


def error(found, expected):
    return float((found - expected).abs().median() / expected.abs().median())


# Layouts that differ from others in their experts alone need no other changes.
OF_EXPERTS = [
    "attention and some experts",
    "some projections",
    "experts replaced",
    "all kinds at once",
]
PAIRS = [
    (layout, change)
    for layout in LAYOUTS
    for change in (OF_EXPERTS if layout.endswith(("deferred", "int8, packed")) else CHANGES)
]


@pytest.mark.parametrize(("layout_name", "change"), PAIRS)
def test_the_numbers_are_those_of_a_network_changed_in_place(layout, change):
    network, laid_out, tolerance = layout
    weights = CHANGES[change](network)
    before, untouched = laid_out.generate(series(), 48), snapshot(laid_out)
    expected = change_in_place(network, weights).generate(series(), 48)
    found = adapted(laid_out, weights).generate(series(), 48)
    assert error(found, expected) < min(tolerance, error(before, expected) / 3)
    assert torch.equal(laid_out.generate(series(), 48), before)
    assert all(torch.equal(a, b) for a, b in zip(snapshot(laid_out), untouched, strict=True))


def snapshot(network):
    return [value.clone() for value in network.parameters()]


@pytest.mark.parametrize("layout_name", ["bfloat16", "packed, bfloat16", "stacked, bfloat16"])
@pytest.mark.parametrize(
    "kind", ["ffn_layer.gate.weight", "layer.weight", "norm.weight", "k_scale"]
)
def test_tuned_weights_are_not_rounded_to_the_type_of_the_base(layout, kind):
    """A change of a weight by a thousandth is less than bfloat16 can hold."""
    network, laid_out, _ = layout
    names = [name for name in every_name(network) if name.endswith(kind)]
    same = {name: network.get_parameter(name).float() for name in names}
    moved = {name: value * (1 + 1e-3) for name, value in same.items()}
    tuned = adapted(laid_out, moved)
    assert tuned.dtype == torch.bfloat16
    assert {dict(tuned.named_parameters())[name].dtype for name in moved} == {torch.float32}
    change = tuned.generate(series(), 48) - adapted(laid_out, same).generate(series(), 48)
    assert change.abs().sum() > 0


def test_all_else_is_shared():
    network = make_network()
    weights = changed(network, replaced_by("router+head", every_name(network)))
    places = {value.data_ptr() for value in network.parameters()}
    own = {value.data_ptr() for value in adapted(network, weights).parameters()} - places
    assert own == {value.data_ptr() for value in weights.values()}


def test_hooks_of_one_are_not_those_of_the_other():
    network, seen = make_network(), []
    other = adapted(network, changed(network, ["model.norm.weight"]))
    other.model.norm.register_forward_hook(lambda *_: seen.append("adapted"))
    other.register_forward_pre_hook(lambda *_: seen.append("adapted"))
    network.generate(series(), 16)
    assert seen == []
    other.generate(series(), 16)
    assert seen == ["adapted"]


@pytest.mark.parametrize("change", CHANGES)
def test_parameters_are_trained_and_the_base_is_not(change):
    network = make_network()
    weights = {name: nn.Parameter(value) for name, value in CHANGES[change](network).items()}
    trained = adapted(network, weights)
    patches = patchify(series(), None, network.config.input_token_len)
    trained.forecast_pass(patches, 3).square().sum().backward()
    assert all(value.grad is not None for value in weights.values())
    assert all(value.grad is None for value in network.parameters())
    assert {id(value) for value in weights.values()} <= {
        id(value) for value in trained.parameters()
    }


def test_experts_that_are_computed_densely_can_be_widened():
    network = make_network()
    weights = every_expert(network)
    expected = adapted(network, weights).generate(series(), 48)
    network.set_expert_strategy("dense")
    torch.testing.assert_close(adapted(network, weights).generate(series(), 48), expected)
    assert network.model.layers[0].ffn_layer.strategy == "dense"


NAMES = sorted(parameter_shapes(sizes(16)))
subsets = st.lists(st.sampled_from(NAMES), max_size=8, unique=True)


@given(subsets)
@settings(max_examples=12)
def test_a_network_with_its_own_weights_is_the_same(names):
    network = make_network()
    same = adapted(network, {name: network.get_parameter(name).clone() for name in names})
    assert torch.equal(same.generate(series(), 48), network.generate(series(), 48))


@given(subsets, subsets)
@settings(max_examples=12)
def test_changes_can_be_made_one_after_the_other(first, second):
    """Of what both change, the latter stays."""
    network = make_network()
    one, other = changed(network, first), changed(network, second, 1.0)
    step_by_step = adapted(adapted(network, one), other).generate(series(), 48)
    at_once = adapted(network, one | other).generate(series(), 48)
    torch.testing.assert_close(step_by_step, at_once, rtol=1e-4, atol=1e-4)


@given(
    st.lists(
        st.sampled_from([n for n in NAMES if n.endswith("proj.weight")]), max_size=6, unique=True
    )
)
@settings(max_examples=12)
def test_a_second_matrix_of_zeros_adds_nothing(names):
    network = make_network()
    weights = low_rank(network, [name.removesuffix(".weight") for name in names])
    for name, value in weights.items():
        if ".lora_B." in name:
            value.zero_()
    found = adapted(network, weights).generate(series(), 48)
    assert torch.equal(found, network.generate(series(), 48))


ATTENTION = "model.layers.0.self_attn.q_proj"


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"model.norm.wait": (16,)}, "'model.norm.wait', which the network does not have"),
        ({"model.layers.7.norm1.weight": (16,)}, "'model.layers.7.norm1.weight', which"),
        ({f"{EXPERTS}.4.up_proj.weight": (16, 16)}, r"experts.4.up_proj.weight', which"),
        ({"model.norm.weight": (17,)}, r"'model.norm.weight' have the shape \(17,\).*\(16,\)"),
        ({"weight": (1,)}, "'weight', which the network does not have"),
        (
            {f"{ATTENTION}.lora_A.weight": (2, 16)},
            rf"'{ATTENTION}' must have.*\(rank, 16\).*lora_B None",
        ),
        (
            {f"{ATTENTION}.lora_A.weight": (2, 16), f"{ATTENTION}.lora_B.weight": (16, 3)},
            r"lora_A has \(2, 16\), lora_B \(16, 3\)",
        ),
        (
            {f"{ATTENTION}.lora_A.weight": (2, 15), f"{ATTENTION}.lora_B.weight": (16, 2)},
            r"lora_A has \(2, 15\)",
        ),
        (
            {"model.norm.lora_A.weight": (2, 16), "model.norm.lora_B.weight": (16, 2)},
            "'model.norm', which is no linear layer",
        ),
        (
            {"nowhere.lora_A.weight": (2, 16), "nowhere.lora_B.weight": (16, 2)},
            "'nowhere', which is no linear layer",
        ),
        (
            {f"{ATTENTION}.lora_A.weight": (), f"{ATTENTION}.lora_B.weight": (16, 2)},
            "must have the shapes",
        ),
    ],
)
@pytest.mark.parametrize("lay_out", [plain, stack])
def test_weights_of_another_network_are_refused(lay_out, weights, message):
    network = make_network()
    lay_out(network)
    with pytest.raises(ValueError, match=message):
        adapted(network, {name: torch.zeros(shape) for name, shape in weights.items()})


def test_the_names_are_those_of_a_checkpoint():
    network = make_network()
    assert parameter_shapes(network.config) == {
        name: value.shape for name, value in network.state_dict().items()
    }
    assert all(isinstance(part, Expert) for part in network.model.layers[0].ffn_layer.experts)
