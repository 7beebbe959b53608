"""Random weights are the same each time, and leave torch's own state alone."""

import torch

from timer_forecaster.models.ttm import TTMArchitecture, make_network

SIZES = TTMArchitecture(d_model=8, decoder_num_layers=1, register_tokens=2)


def test_weights_of_a_seed_are_equal_and_torchs_state_stays():
    first, second = make_network(SIZES), make_network(SIZES)
    state = torch.random.get_rng_state()
    for network in (first, second):
        network.reset_parameters(torch.Generator().manual_seed(3))
    assert (torch.random.get_rng_state() == state).all()
    for name, value in first.state_dict().items():
        assert (value == second.state_dict()[name]).all(), name
    second.reset_parameters(torch.Generator().manual_seed(4))
    assert (first.head.base_forecast_block.weight != second.head.base_forecast_block.weight).any()
