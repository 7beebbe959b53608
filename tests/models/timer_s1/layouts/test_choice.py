"""Weights laid out for a device give the plain network's numbers, where that is worth it."""

import copy

import pytest
import torch
from torch import nn

from timer_forecaster.models.timer_s1 import TimerS1Architecture, TimerS1Network
from timer_forecaster.models.timer_s1.experts import Expert
from timer_forecaster.models.timer_s1.layouts.choice import WIDE, pack, packs, stack, stacks
from timer_forecaster.models.timer_s1.layouts.experts import (
    DeferredExpert,
    PackedExpert,
    StackedExperts,
)
from timer_forecaster.models.timer_s1.layouts.int8 import STEPS, Int8Expert, activation_steps
from timer_forecaster.models.timer_s1.layouts.linears import PackedLinear, can_pack, pad_to_grid

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


@needs_onednn
@pytest.mark.parametrize("n_rows", [0, 1, 33, 67])  # some on the grid, some not
@pytest.mark.parametrize("dtype", TOLERANCES, ids=str)
def test_packed_experts_take_any_number_of_tokens(n_rows, dtype, int8_kernel):
    if not can_pack(CPU, dtype):
        pytest.skip(f"oneDNN does not multiply {dtype} on this CPU")
    torch.manual_seed(0)
    expert = Expert(64, 96).to(dtype).requires_grad_(False)
    tokens = torch.randn(n_rows, 64, dtype=dtype)
    expected = expert(tokens)
    bound = 0.05 * STEPS / activation_steps()  # CPUs without VNNI round to half as many steps
    for packed in (PackedExpert(expert), Int8Expert(expert).packed(dtype)):
        for form in (packed, DeferredExpert(lambda packed=packed: packed)):
            found = form(tokens)
            assert (found.shape, found.dtype) == (expected.shape, dtype)
            assert n_rows == 0 or (found - expected).abs().max() <= bound * expected.abs().max()


def test_what_is_stacked():
    network = make_network()
    stack(network)
    assert StackedExperts in kinds(network)
    n_values = sum(parameter.numel() for parameter in network.parameters())
    assert n_values == sum(parameter.numel() for parameter in make_network().parameters())


@needs_onednn
def test_where_it_pays():
    narrow = TimerS1Architecture(hidden_size=WIDE // 2, num_attention_heads=4)
    assert packs(SIZES, CPU, torch.float32)
    assert not packs(SIZES, CPU, torch.float64)
    assert not packs(narrow, CPU, torch.float32)
    assert not packs(SIZES, torch.device("meta"), torch.float32)
    assert not stacks(SIZES, CPU, torch.bfloat16)


@pytest.mark.parametrize("n_rows", [*range(1, 70), 100, 1000, 3071, 3072])
def test_rows_are_padded_to_few_numbers(n_rows):
    rows = torch.ones(n_rows, 2)
    padded = pad_to_grid(rows)
    assert torch.equal(padded[:n_rows], rows)
    assert not padded[n_rows:].any()
    assert len(padded) <= n_rows * 33 / 32


def test_the_grid_is_coarse_enough():
    met = {len(pad_to_grid(torch.ones(n_rows, 1))) for n_rows in range(1, 3073)}
    assert len(met) <= 32 * 8


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_grouped_products_on_a_gpu():
    plain = make_network(torch.bfloat16).cuda()
    if not stacks(SIZES, plain.device, plain.dtype):
        pytest.skip("this GPU or this torch has no grouped products")
    series = torch.randn(8, 700).cumsum(-1)
    expected = plain.generate(series, 48)
    stack(plain)
    error = (plain.generate(series, 48) - expected).abs().max() / expected.abs().max()
    assert error <= TOLERANCES[torch.bfloat16]
