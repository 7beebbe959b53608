"""The network is built in the order of the paper, from blocks that do what they say."""

import pytest
import torch
from torch.nn import functional as F

from timer_forecaster.models.timer_s1 import TimerS1Architecture, TimerS1Network
from timer_forecaster.models.timer_s1.network import ResidualMLP, RMSNorm

SIZES = TimerS1Architecture(
    hidden_size=32,
    intermediate_size=64,
    num_hidden_layers=2,
    num_mtp_tokens=3,
    num_attention_heads=4,
    num_experts=4,
    initializer_range=0.2,
)


def make_network(seed=0):
    network = TimerS1Network(SIZES)
    network.reset_parameters(torch.Generator().manual_seed(seed))
    return network.eval().requires_grad_(False)


def make_patches(n_tokens=7):
    return torch.randn(4, n_tokens, 32, generator=torch.Generator().manual_seed(1))


def test_the_norm_adds_epsilon_to_the_root_and_has_a_gradient_at_zero():
    norm = RMSNorm(3, eps=0.5)
    x = torch.tensor([[1.0, 2.0, 2.0], [0.0, 0.0, 0.0]], requires_grad=True)
    normed = norm(x)
    torch.testing.assert_close(normed[0], x[0] / (3**0.5 + 0.5))
    normed.sum().backward()
    assert torch.isfinite(x.grad).all()


def test_the_residual_layer_adds_a_linear_map_of_its_input():
    layer = ResidualMLP(3, 5, 2, dropout=0.0)
    x = torch.randn(4, 3, generator=torch.Generator().manual_seed(0))
    inner = F.silu(x @ layer.hidden_layer.weight.T + layer.hidden_layer.bias)
    expected = inner @ layer.output_layer.weight.T + layer.output_layer.bias
    expected = expected + x @ layer.residual_layer.weight.T + layer.residual_layer.bias
    torch.testing.assert_close(layer(x), expected)


def test_stages_are_the_main_blocks_and_each_serial_block():
    network, patches = make_network(), make_patches()
    stages = list(network.stages(patches))
    assert len(stages) == 1 + SIZES.num_mtp_tokens
    assert {stage.hidden_states.shape for stage in stages} == {(4, 7, 32)}
    assert [len(stage.router_logits) for stage in stages] == [2, 1, 1, 1]
    assert {logits.shape for stage in stages for logits in stage.router_logits} == {(4 * 7, 4)}
    first = list(network.stages(patches, n_serial=1))
    assert len(first) == 2
    assert torch.equal(first[1].hidden_states, stages[1].hidden_states)


def test_no_stage_looks_ahead():
    network, patches = make_network(), make_patches()
    before = [stage.hidden_states for stage in network.stages(patches)]
    patches[:, 5:] = 10.0
    after = [stage.hidden_states for stage in network.stages(patches)]
    for one, other in zip(before, after, strict=True):
        torch.testing.assert_close(one[:, :5], other[:, :5])
        assert not torch.allclose(one[:, 5:], other[:, 5:])


def test_the_head_returns_the_steps_of_each_quantile():
    network = make_network()
    hidden_states = torch.randn(2, 3, 32, generator=torch.Generator().manual_seed(0))
    patch = network.predict_patch(hidden_states)
    assert patch.shape == (2, 3, 9, 16)
    flat = network.output_patch_embedding(hidden_states)
    assert torch.equal(patch[..., 4, :], flat[..., 4 * 16 : 5 * 16])


def test_weights_are_drawn_from_the_generator_that_is_given():
    one, same, other = (make_network(seed).state_dict() for seed in (3, 3, 4))
    assert all(torch.equal(one[name], same[name]) for name in one)
    changed = {name for name in one if not torch.equal(one[name], other[name])}
    drawn = "model.embed_layer.output_layer.bias"
    assert changed == {name for name in one if one[name].ndim == 2} | {drawn}
    assert one["model.norm.weight"].eq(1).all()
    weight = one["model.layers.0.self_attn.q_proj.weight"]
    assert float(weight.std()) == pytest.approx(SIZES.initializer_range, rel=0.1)


def test_on_the_meta_device_nothing_is_drawn():
    with torch.device("meta"):
        network = TimerS1Network(TimerS1Architecture())
    assert network.device.type == "meta"
    assert network.dtype == torch.float32


def test_fields_are_checked():
    with pytest.raises(ValueError, match="hidden_size=30"):
        TimerS1Network(TimerS1Architecture(hidden_size=30))
