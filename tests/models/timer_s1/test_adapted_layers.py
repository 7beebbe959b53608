"""Layers of an adapted network compute with the new weights, in their types."""

import pytest
import torch
from torch import nn

from timer_forecaster.models.timer_s1.adapted_layers import (
    AdaptedExpert,
    InnerLinear,
    LowRank,
    OwnTypeLinear,
    ShiftedLinear,
    WidenedLinear,
)
from timer_forecaster.models.timer_s1.experts import Expert
from timer_forecaster.models.timer_s1.layouts.experts import DeferredExpert, FusedExpert


def parameter(*shape, seed=0, dtype=torch.float32):
    values = torch.randn(shape, generator=torch.Generator().manual_seed(seed))
    return nn.Parameter(values.to(dtype), requires_grad=False)


@pytest.mark.parametrize(
    ("kind", "dtype"), [(OwnTypeLinear, torch.float32), (InnerLinear, torch.bfloat16)]
)
def test_a_tuned_layer_computes_in_the_type_of_its_weight(kind, dtype):
    weight, bias, x = parameter(3, 4), parameter(3, seed=1), parameter(2, 4, dtype=torch.bfloat16)
    layer = kind.of(weight, bias)
    assert layer.weight is weight
    found = layer(x)
    assert found.dtype == dtype
    assert torch.equal(found, (x.float() @ weight.T + bias).to(dtype))


def test_a_shifted_layer_has_the_weight_of_its_base_and_another_bias():
    base, bias, x = nn.Linear(4, 3).requires_grad_(False), parameter(3), parameter(2, 4, seed=1)
    torch.testing.assert_close(ShiftedLinear(base, bias)(x), x @ base.weight.T + bias)


def test_a_widened_layer_adds_the_product_of_two_matrices():
    base = nn.Linear(4, 3).requires_grad_(False)
    a, b, x = parameter(2, 4), parameter(3, 2, seed=1), parameter(5, 4, seed=2)
    expected = x @ (base.weight + b @ a).T + base.bias
    torch.testing.assert_close(WidenedLinear(base, LowRank(a, b))(x), expected)


def fused(expert):
    gate_up = nn.Linear(8, 12, bias=False).requires_grad_(False)
    gate_up.weight.copy_(torch.cat([expert.gate_proj.weight, expert.up_proj.weight]))
    return FusedExpert(gate_up, expert.down_proj)


@pytest.mark.parametrize("form", [lambda e: e, fused, lambda e: DeferredExpert(lambda: e)])
@pytest.mark.parametrize("n_rows", [0, 1, 67])
def test_an_expert_in_any_form_has_its_projections_changed(form, n_rows):
    torch.manual_seed(0)
    expert = Expert(8, 6).requires_grad_(False)
    up, a, b = parameter(6, 8, seed=1), parameter(2, 6, seed=2), parameter(8, 2, seed=3)
    changes = {"up_proj": InnerLinear.of(up, None), "down_proj": LowRank(a, b)}
    x = parameter(n_rows, 8, seed=4)
    found = AdaptedExpert(form(expert), changes)(x)
    inner = nn.functional.silu(x @ expert.gate_proj.weight.T) * (x @ up.T)
    torch.testing.assert_close(found, inner @ (expert.down_proj.weight + b @ a).T)
