import pytest
import torch
from torch import nn

from timer_forecaster.models.families import make_network
from timer_forecaster.models.timer_s1 import TimerS1Architecture
from timer_forecaster.models.ttm.architecture import TTMArchitecture
from timer_forecaster.models.weightless import weightless

SIZES = [
    TimerS1Architecture(
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=1,
        num_mtp_tokens=1,
        num_attention_heads=2,
        num_experts=2,
    ),
    TTMArchitecture(context_length=64, patch_length=16, patch_stride=16, d_model=8),
]


@pytest.mark.parametrize("sizes", SIZES)
def test_a_network_without_weights_has_the_shapes_of_one_with_weights(sizes):
    with weightless():
        network = make_network(sizes)
    assert {value.device.type for value in network.parameters()} == {"meta"}
    expected = make_network(sizes).state_dict()
    assert {name: (value.shape, value.dtype) for name, value in network.state_dict().items()} == {
        name: (value.shape, value.dtype) for name, value in expected.items()
    }


@pytest.mark.parametrize("draw", [nn.init.normal_, nn.init.uniform_, nn.init.kaiming_uniform_])
def test_nothing_is_drawn_within_and_something_after(draw):
    weight = torch.zeros(3, 2)
    with weightless():
        assert draw(weight) is weight
        assert nn.init.constant_(weight, val=2.0) is weight
    assert not weight.any()
    assert draw(weight).any()
    assert nn.Linear(2, 3).weight.device.type == "cpu"
