"""Orthogonal updates, batched by shape; every parameter has one optimizer."""

import pytest
import torch

from timer_forecaster.models.timer_s1 import TimerS1Architecture
from timer_forecaster.pretraining import Muon, build_network, build_optimizers
from timer_forecaster.pretraining.optimizer import orthogonalize

SMALL = TimerS1Architecture(
    hidden_size=16,
    intermediate_size=32,
    num_hidden_layers=1,
    num_mtp_tokens=2,
    num_attention_heads=2,
    num_experts=4,
)


@pytest.mark.parametrize("shape", [(3, 16, 16), (2, 32, 8), (2, 8, 32)])
def test_orthogonalized_updates_have_singular_values_near_one(shape):
    matrices = torch.randn(*shape, generator=torch.Generator().manual_seed(0))
    values = torch.linalg.svdvals(orthogonalize(matrices).float())
    assert values.min() > 0.4 and values.max() < 1.4


def test_muon_batched_by_shape_equals_one_by_one():
    torch.manual_seed(0)
    together = [torch.nn.Parameter(torch.randn(8, 8)) for _ in range(3)]
    alone = [torch.nn.Parameter(p.detach().clone()) for p in together]
    optimizers = [Muon(together, lr=0.1), *[Muon([p], lr=0.1) for p in alone]]
    for _ in range(3):
        for a, b in zip(together, alone, strict=True):
            a.grad = torch.randn(8, 8)
            b.grad = a.grad.clone()
        for optimizer in optimizers:
            optimizer.step()
    for a, b in zip(together, alone, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-2, atol=1e-3)


@pytest.mark.parametrize("objective", ["stp", "ntp", "mtp"])
def test_every_parameter_has_exactly_one_optimizer(objective):
    network = build_network(SMALL, objective)
    muon, adamw = build_optimizers(network, "muon", 0.01)
    groups = [group["params"] for o in (muon, adamw) for group in o.param_groups]
    assigned = [id(p) for group in groups for p in group]
    assert sorted(assigned) == sorted(id(p) for p in network.parameters())
    routers = {id(block.ffn_layer.gate.weight) for block in network.model.layers}
    assert routers <= {id(p) for p in groups[1]}
    (alone,) = build_optimizers(network, "adamw", 0.01)
    assert len(alone.param_groups[0]["params"]) == len(assigned)
