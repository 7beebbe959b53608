"""Arguments of a forward pass that cannot be used are named."""

import numpy as np
import pytest
import torch
from ttm import MIXING, tiny_ttm, walks

from timer_forecaster.models.ttm.arguments import check_inputs

PAST, FUTURE = walks(2, 48, 4), walks(2, 12, 4)
CATEGORIES = {
    "num_input_channels": 4,
    "decoder_mode": "mix_channel",
    "categorical_vocab_size_list": (3, 5),
}
PREFIX = {"resolution_prefix_tuning": True, "frequency_token_vocab_size": 8}
BAD = [
    ({}, {"past_values": PAST[0]}, "past_values has shape"),
    ({}, {"past_values": PAST[:0]}, "past_values has shape"),
    ({}, {"past_observed_mask": PAST[:, :40]}, "past_observed_mask has shape"),
    ({}, {"future_values": FUTURE[:1]}, "future_values has shape"),
    ({}, {"future_values": FUTURE[:, :11]}, "future_values has shape .* at least 12 steps"),
    ({}, {"future_values": FUTURE[..., :2]}, "future_values has shape"),
    ({}, {"future_values": FUTURE, "future_observed_mask": FUTURE[0]}, "future_observed_mask"),
    ({"mode": "mix_channel", "num_input_channels": 3}, {}, "past_values has 4 channels.*=3"),
    (MIXING, {}, "future_values is missing"),
    (PREFIX, {}, "freq_token is missing"),
    (PREFIX, {"freq_token": torch.tensor([0, 8])}, "freq_token has numbers from 0 to 8.* below 8"),
    (PREFIX, {"freq_token": torch.tensor([-1, 0])}, "freq_token has numbers"),
    (PREFIX, {"freq_token": torch.tensor([[0], [1]])}, "freq_token has shape"),
    (PREFIX, {"freq_token": torch.tensor([0.5, 1])}, "freq_token must have whole numbers"),
    (CATEGORIES, {}, "static_categorical_values is missing"),
    (
        CATEGORIES,
        {"static_categorical_values": torch.tensor([[0, 0], [3, 0]])},
        "static_categorical_values has numbers",
    ),
    (CATEGORIES, {"static_categorical_values": torch.zeros(2, 3)}, "static_categorical_values"),
]


@pytest.mark.parametrize(("changes", "arguments", "error"), BAD)
def test_values_that_cannot_be_used(changes, arguments, error):
    with pytest.raises(ValueError, match=error):
        check_inputs(tiny_ttm(**changes), **({"past_values": PAST} | arguments))


@pytest.mark.parametrize("name", ["past_values", "future_values", "past_observed_mask"])
def test_only_tensors_are_taken(name):
    with pytest.raises(TypeError, match=f"{name} is of type ndarray"):
        check_inputs(tiny_ttm(), **({"past_values": PAST} | {name: np.zeros((2, 48, 4))}))


@pytest.mark.parametrize(
    ("given", "used"),
    [
        (torch.float64, torch.float64),
        (torch.float32, torch.float32),
        (torch.bfloat16, torch.float32),
        (torch.int64, torch.float32),
    ],
)
def test_no_digits_are_lost_before_the_scaling(given, used):
    past = PAST.to(given)
    mask = torch.ones(past.shape, dtype=torch.bool)
    inputs = check_inputs(tiny_ttm(), past, past_observed_mask=mask)
    assert inputs.past.dtype == inputs.past_mask.dtype == used


def test_tokens_that_the_network_does_not_read_are_left_out():
    inputs = check_inputs(tiny_ttm(), PAST, freq_token=torch.tensor([100, 200]))
    assert inputs.frequency is None
