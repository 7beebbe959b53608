"""The strategy of the experts and the kernel of attention are chosen for all blocks."""

import pytest
import torch

from timer_forecaster.models.timer_s1 import TimerS1Architecture, TimerS1Network
from timer_forecaster.models.timer_s1.attention_kernels import ATTENTION_KERNELS
from timer_forecaster.models.timer_s1.experts import EXPERT_STRATEGIES
from timer_forecaster.models.timer_s1.layouts.packing import stack


@pytest.fixture
def network():
    torch.manual_seed(0)
    sizes = TimerS1Architecture(
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=2,
        num_mtp_tokens=1,
        num_attention_heads=4,
        num_experts=4,
    )
    return TimerS1Network(sizes).eval()


def blocks(network):
    return [*network.model.layers, *(serial.layer for serial in network.mtp_modules)]


@pytest.mark.parametrize("name", EXPERT_STRATEGIES)
def test_every_block_gets_the_strategy(network, name):
    network.set_expert_strategy(name)
    assert [block.ffn_layer.strategy for block in blocks(network)] == [name] * 3


@pytest.mark.parametrize("name", ATTENTION_KERNELS)
def test_every_block_gets_the_kernel(network, name):
    network.set_attention_kernel(name)
    assert [block.self_attn.kernel for block in blocks(network)] == [name] * 3


def test_unknown_names_are_refused_and_change_nothing(network):
    with pytest.raises(
        ValueError, match=r"'magic' is unknown; choose one of \['dense', 'sorted'\]"
    ):
        network.set_expert_strategy("magic")
    with pytest.raises(ValueError, match=r"'magic' is unknown; choose one of.*'sdpa'"):
        network.set_attention_kernel("magic")
    assert {block.ffn_layer.strategy for block in blocks(network)} == {"sorted"}
    assert {block.self_attn.kernel for block in blocks(network)} == {"fastest"}


def test_experts_that_are_laid_out_leave_no_choice(network):
    stack(network.requires_grad_(False))
    with pytest.raises(ValueError, match=r"'sorted' needs plain experts.*load_plain_network"):
        network.set_expert_strategy("sorted")
