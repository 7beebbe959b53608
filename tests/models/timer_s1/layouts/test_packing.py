"""Networks that are packed or stacked have the same numbers and the expected parts."""

import copy

import pytest
import torch
from torch import nn

from timer_forecaster.models.timer_s1 import TimerS1Architecture, TimerS1Network
from timer_forecaster.models.timer_s1.experts import Expert
from timer_forecaster.models.timer_s1.layouts.choice import WIDE, stacks
from timer_forecaster.models.timer_s1.layouts.experts import (
    FusedExpert,
    PackedExpert,
    StackedExperts,
)
from timer_forecaster.models.timer_s1.layouts.int8 import Int8Experts
from timer_forecaster.models.timer_s1.layouts.int8_weights import Int8Expert
from timer_forecaster.models.timer_s1.layouts.linears import PackedLinear, can_pack
from timer_forecaster.models.timer_s1.layouts.packing import (
    join_experts,
    pack,
    packing,
    replace_experts,
    restoring,
    stack,
    unpacked_experts,
)

CPU = torch.device("cpu")
SIZES = TimerS1Architecture(
    hidden_size=WIDE,
    intermediate_size=128,
    num_hidden_layers=1,
    num_mtp_tokens=2,
    num_attention_heads=4,
    num_experts=6,
    initializer_range=0.1,
)
TOLERANCES = {torch.float32: 1e-5, torch.bfloat16: 5e-2}  # of the largest value
needs_onednn = pytest.mark.skipif(not can_pack(CPU, torch.float32), reason="torch lacks oneDNN")
needs_grouped = pytest.mark.skipif(
    not hasattr(nn.functional, "grouped_mm"), reason="torch lacks grouped products"
)
LAYOUTS = [pytest.param(pack, marks=needs_onednn), pytest.param(stack, marks=needs_grouped)]


def make_network(dtype=torch.float32):
    torch.manual_seed(0)
    return TimerS1Network(SIZES).to(dtype).eval().requires_grad_(False)


def kinds(network):
    return {type(part) for part in network.modules()}


@pytest.mark.parametrize("lay_out", LAYOUTS)
@pytest.mark.parametrize("dtype", TOLERANCES, ids=str)
@pytest.mark.parametrize("steps", [1, 300])  # some experts get no token of a single one
def test_the_numbers_stay(lay_out, dtype, steps):
    if lay_out is pack and not can_pack(CPU, dtype):
        pytest.skip(f"oneDNN does not multiply {dtype} on this CPU")
    plain = make_network(dtype)
    laid_out = copy.deepcopy(plain)
    lay_out(laid_out)
    series = torch.randn(3, steps).cumsum(-1)
    expected = plain.generate(series, 48)
    error = (laid_out.generate(series, 48) - expected).abs().max() / expected.abs().max()
    assert error <= TOLERANCES[dtype]


@needs_onednn
def test_what_is_packed():
    network = make_network()
    pack(network)
    plain = [name for name, part in network.named_modules() if isinstance(part, nn.Linear)]
    assert plain
    assert all(name.endswith("ffn_layer.gate") for name in plain)
    assert {PackedLinear, PackedExpert} <= kinds(network)


def test_what_is_stacked():
    network = make_network()
    stack(network)
    assert StackedExperts in kinds(network)
    n_values = sum(parameter.numel() for parameter in network.parameters())
    assert n_values == sum(parameter.numel() for parameter in make_network().parameters())


@pytest.mark.gpu
def test_grouped_products_on_a_gpu():
    plain = make_network(torch.bfloat16).cuda()
    if not stacks(SIZES, plain.device, plain.dtype):
        pytest.skip("this GPU or this torch has no grouped products")
    series = torch.randn(8, 700).cumsum(-1)
    expected = plain.generate(series, 48)
    stack(plain)
    error = (plain.generate(series, 48) - expected).abs().max() / expected.abs().max()
    assert error <= TOLERANCES[torch.bfloat16]


def test_experts_are_replaced_by_name():
    network = make_network()
    names = unpacked_experts(network)
    assert len(names) == 3 * SIZES.num_experts
    assert names[0] == "model.layers.0.ffn_layer.experts.0"
    seen = []
    replace_experts(network, lambda expert: seen.append(expert) or nn.Identity())
    assert len(seen) == len(names)
    assert unpacked_experts(network) == []


def test_experts_of_8_bits_are_joined_or_made_plain_again(int8_kernel):
    plain = make_network()
    series = torch.randn(3, 100).cumsum(-1)
    expected = plain.generate(series, 48)
    joined, restored = copy.deepcopy(plain), copy.deepcopy(plain)
    replace_experts(joined, packing(torch.float32))
    join_experts(joined)
    assert {Int8Experts, FusedExpert} <= kinds(joined)
    replace_experts(restored, Int8Expert)
    replace_experts(restored, restoring(torch.float32))
    assert Expert in kinds(restored)
    assert Int8Expert not in kinds(restored)
    for network in (joined, restored):
        found = network.generate(series, 48)
        assert 0 < (found - expected).norm() / expected.norm() < 0.1
