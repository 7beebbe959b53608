"""Every strategy sums the outputs of the chosen experts, with the weights of the router."""

import pytest
import torch
from torch.nn import functional as F

from timer_forecaster.models.timer_s1 import TimerS1Architecture
from timer_forecaster.models.timer_s1.experts import (
    EXPERT_STRATEGIES,
    Expert,
    MixtureOfExperts,
    combine,
    expert_map,
    run_sorted,
    sort_by_expert,
)

SIZES = TimerS1Architecture(
    hidden_size=8,
    intermediate_size=12,
    num_experts=5,
    num_experts_per_token=2,
    num_attention_heads=2,
)


def normal(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def mixture():
    torch.manual_seed(0)
    return MixtureOfExperts(SIZES).requires_grad_(False)


def test_an_expert_is_a_swiglu_network():
    expert = Expert(4, 6)
    x = normal(3, 4)
    gate, up, down = (
        layer.weight for layer in (expert.gate_proj, expert.up_proj, expert.down_proj)
    )
    torch.testing.assert_close(expert(x), (F.silu(x @ gate.T) * (x @ up.T)) @ down.T)


@pytest.mark.parametrize("strategy", EXPERT_STRATEGIES)
def test_a_mixture_is_a_loop_over_tokens_and_their_experts(mixture, strategy):
    mixture.strategy = strategy
    x = normal(2, 7, 8)
    output, router_logits = mixture(x)
    tokens = x.flatten(0, 1)
    torch.testing.assert_close(router_logits, tokens @ mixture.gate.weight.T)
    for token, logits, found in zip(tokens, router_logits, output.flatten(0, 1), strict=True):
        weights = logits.softmax(-1)  # over all experts
        chosen = weights.argsort(descending=True)[:2]
        expected = sum(weights[i] * mixture.experts[i](token[None])[0] for i in chosen)
        torch.testing.assert_close(found, expected, atol=1e-6, rtol=1e-5)


def test_tokens_come_back_in_their_order():
    tokens, chosen = normal(6, 3), torch.tensor([[1, 0], [0, 2], [2, 1], [0, 1], [1, 2], [2, 0]])
    rows, order = sort_by_expert(tokens, chosen)
    experts = chosen.T.flatten()[order]
    assert experts.tolist() == sorted(experts.tolist())
    weights = torch.full((6, 2), 0.5)
    torch.testing.assert_close(combine(rows, order, weights), tokens)


def test_experts_can_be_mapped_by_another_function(mixture):
    seen = []

    def counted(function, experts, slices):
        seen.extend(len(part) for part in slices)
        return map(function, experts, slices)

    token = expert_map.set(counted)
    try:
        mixture(normal(3, 4, 8))
    finally:
        expert_map.reset(token)
    assert len(seen) == 5
    assert sum(seen) == 3 * 4 * 2


def test_an_expert_without_tokens_gets_none(mixture):
    weights, chosen = torch.ones(4, 1), torch.full((4, 1), 3)
    x = normal(4, 8)
    torch.testing.assert_close(
        run_sorted(x, weights, chosen, mixture.experts), mixture.experts[3](x)
    )


class Doubled(torch.nn.Linear):
    """A layer that another library has changed: its weight is not all that it computes with."""

    def forward(self, x):
        return 2 * super().forward(x)


@pytest.mark.parametrize("projection", ["gate_proj", "up_proj", "down_proj"])
def test_strategies_agree_on_experts_that_another_library_has_changed(mixture, projection):
    changed = getattr(mixture.experts[1], projection)
    doubled = Doubled(changed.in_features, changed.out_features, bias=False).requires_grad_(False)
    doubled.weight = changed.weight
    setattr(mixture.experts[1], projection, doubled)
    x = normal(2, 7, 8)
    outputs = {}
    for strategy in EXPERT_STRATEGIES:
        mixture.strategy = strategy
        outputs[strategy] = mixture(x)[0]
    torch.testing.assert_close(outputs["dense"], outputs["sorted"])


@pytest.mark.parametrize("strategy", EXPERT_STRATEGIES)
@pytest.mark.parametrize("strict", [False, True])
def test_an_exported_mixture_routes_other_tokens_as_the_module_does(mixture, strategy, strict):
    mixture.strategy = strategy
    batch = torch.export.Dim("batch", min=1, max=64)
    program = torch.export.export(
        mixture, (normal(2, 7, 8),), dynamic_shapes=[{0: batch}], strict=strict
    )
    for seed, rows in enumerate((1, 2, 9), start=1):
        other = normal(rows, 7, 8, seed=seed)
        torch.testing.assert_close(program.module()(other)[0], mixture(other)[0])


@pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning", "ignore:.*deprecated")
def test_a_traced_mixture_routes_other_tokens_as_the_module_does(mixture):
    traced = torch.jit.trace(mixture, (normal(2, 7, 8),))
    other = normal(2, 7, 8, seed=3)
    torch.testing.assert_close(traced(other)[0], mixture(other)[0])
