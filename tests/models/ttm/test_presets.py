"""Presets have the sizes that they are named for."""

import pytest
import torch

from timer_forecaster.models.ttm.network import TTMNetwork
from timer_forecaster.models.ttm.presets import PRESETS, preset


@pytest.mark.parametrize(
    ("size", "parameters"), [("tiny", 807_007), ("small", 4_903_135), ("base", 14_892_191)]
)
def test_presets_have_their_numbers_of_parameters(size, parameters):
    with torch.device("meta"):
        network = TTMNetwork(preset(size))
    assert sum(p.numel() for p in network.parameters()) == parameters


@pytest.mark.parametrize("size", PRESETS)
def test_presets_are_released_plain_networks_with_quantiles_around_the_point_forecast(size):
    architecture = preset(size)
    assert architecture.class_name == "TinyTimeMixerForPrediction"
    assert (architecture.context_length, architecture.pass_length) == (512, 96)
    assert len(architecture.levels) == 9 and architecture.mq_q50_type == "mean"
    assert not architecture.fixed_channels and not architecture.resolution_prefix_tuning


def test_what_is_given_wins_over_the_preset():
    changed = preset("tiny", d_model=64, num_layers=4, patch_length=32)
    assert (changed.d_model, changed.num_layers, changed.patch_stride) == (64, 4, 32)
    assert changed.decoder_d_model == preset("tiny").decoder_d_model


def test_an_unknown_size_is_refused():
    with pytest.raises(ValueError, match=r"size='huge' is unknown; use one of .*'tiny'"):
        preset("huge")
    with pytest.raises(TypeError, match="n_heads"):
        preset("tiny", n_heads=8)
