"""The mixing of forecasts over channels."""

import pytest
import torch
from ttm import MIXING, tiny_ttm, walks

from timer_forecaster.models.ttm.channels import ForecastChannelMixing

PLAIN = MIXING | {"fcm_use_mixer": False, "fcm_gated_attn": False}


@pytest.fixture
def tensors():
    return walks(2, 12, 2, seed=1), walks(2, 48, 4, seed=2), walks(2, 12, 2, seed=3)


@pytest.mark.parametrize(
    "changes", [{}, {"fcm_prepend_past": False}, {"fcm_prepend_past_offset": 3}]
)
def test_windows_by_hand(tensors, changes):
    forecast, past, known = tensors
    part = ForecastChannelMixing(tiny_ttm(**PLAIN, **changes))
    found = part(forecast, past, known)
    offset = changes.get("fcm_prepend_past_offset", 0)
    before = past[:, 48 - 2 - offset : 48 - offset]
    before = torch.zeros_like(before) if "fcm_prepend_past" in changes else before
    after = torch.zeros(2, 2, 4)
    steps = torch.cat([before, torch.cat([forecast, known], -1), after], dim=1)
    for step in range(12):
        window = steps[:, step : step + 5].transpose(1, 2).flatten(1)
        expected = part.mlp(window) + forecast[:, step]
        torch.testing.assert_close(found[:, step], expected)


@pytest.mark.parametrize("changes", [{}, {"fcm_context_length": 0, "fcm_use_mixer": False}])
def test_the_future_of_other_channels_counts_and_inputs_stay(tensors, changes):
    before = [tensor.clone() for tensor in tensors]
    part = ForecastChannelMixing(tiny_ttm(**(MIXING | changes)))
    with torch.no_grad():
        found = part(*tensors)
        assert found.shape == (2, 12, 2)
        moved = part(tensors[0], tensors[1], tensors[2] + 1)
    assert (moved - found).abs().max() > 1e-3
    assert all(torch.equal(*pair) for pair in zip(before, tensors, strict=True))
