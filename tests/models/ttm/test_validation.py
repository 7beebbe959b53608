"""Fields that do not fit are named in the error."""

import numpy as np
import pytest
from ttm import MIXING, R3, tiny_ttm

from timer_forecaster.models.ttm import TTMArchitecture

BAD = [
    ({"patch_stride": 4}, "patch_stride=4 must be patch_length=8"),
    ({"context_length": 8}, "context_length=8 must be above patch_length=8"),
    ({"context_length": 7}, "context_length=7 must be above"),
    ({"context_length": 0}, "context_length=0"),
    ({"d_model": 0}, "d_model=0"),
    ({"d_model": 2**25}, "d_model=33554432 must be at most"),
    ({"d_model": 15, "adaptive_patching_levels": 2}, "d_model=15 must be divisible by 2"),
    ({"d_model": 22, "adaptive_patching_levels": 3}, "d_model=22 must be divisible by 4"),
    ({"decoder_d_model": 11, "decoder_adaptive_patching_levels": 2}, "decoder_d_model=11"),
    ({"self_attn": True, "self_attn_heads": 3}, "self_attn_heads=3"),
    ({"mode": "flatten"}, "mode='flatten'"),
    ({"decoder_mode": None}, "decoder_mode=None"),
    ({"gate_mode": "tanh"}, "gate_mode='tanh'"),
    ({"loss": "nll"}, "loss='nll'"),
    ({"dropout": 1.0}, "dropout=1.0"),
    ({"head_dropout": -0.1}, "head_dropout=-0.1"),
    ({"quantile": 1.0}, "quantile=1.0"),
    ({"huber_delta": 0}, "huber_delta=0"),
    ({"prediction_filter_length": 13}, "prediction_filter_length=13"),
    ({"prediction_channel_indices": [0]}, None),
    ({"prediction_channel_indices": [1]}, r"prediction_channel_indices=\[1\]"),
    ({"prediction_channel_indices": [-1]}, "prediction_channel_indices=-1"),
    ({"prediction_channel_indices": []}, "prediction_channel_indices"),
    ({"num_input_channels": 3, "prediction_channel_indices": [1, 1]}, "distinct"),
    ({"num_input_channels": 3, "exogenous_channel_indices": [1]}, "enable_forecast_channel"),
    (MIXING | {"exogenous_channel_indices": [0, 1, 2, 3]}, "no channel is left"),
    (MIXING | {"prediction_channel_indices": [1, 2]}, r"both have \[1\]"),
    (MIXING | {"fcm_context_length": 0}, "fcm_use_mixer=True"),
    (
        MIXING | {"fcm_context_length": 0, "fcm_use_mixer": False, "fcm_gated_attn": False},
        "fcm_context_length=0 needs fcm_gated_attn",
    ),
    (MIXING | {"fcm_context_length": 40, "fcm_prepend_past_offset": 9}, "fcm_context_length=40"),
    ({"resolution_prefix_tuning": True, "frequency_token_vocab_size": 0}, "vocab_size=0"),
    ({"categorical_vocab_size_list": [3]}, "categorical_vocab_size_list=.* decoder_mode"),
    ({"categorical_vocab_size_list": [], "decoder_mode": "mix_channel"}, "categorical"),
    ({"categorical_vocab_size_list": [0], "decoder_mode": "mix_channel"}, "categorical"),
    ({"fft_length": 26}, "fft_length=26 must be at most 25"),
    ({"fft_length": 25, "fft_ignore_dc": True}, "fft_length=25 must be at most 24"),
    ({"multi_scale": True, "context_length": 51}, None),
    ({"multi_scale": True, "context_length": 33}, None),
    ({"multi_scale": True, "context_length": 95, "patch_length": 12, "patch_stride": 12}, None),
    ({"decoder_raw_residual": True, "register_tokens": 1}, "decoder_raw_residual=True"),
    ({"decoder_raw_residual": True, "multi_scale": True}, "decoder_raw_residual=True"),
    (R3 | {"quantile_levels": [0.1, 0.9]}, "quantile_levels=.* odd"),
    (R3 | {"quantile_levels": [0.1, 0.2, 0.5]}, "quantile_levels=.* 0.5 in the middle"),
    (R3 | {"quantile_levels": [0.1, 0.4, 0.9]}, "quantile_levels=.* 0.5 in the middle"),
    (R3 | {"quantile_levels": [0.9, 0.5, 0.1]}, "quantile_levels=.* ascending"),
    (R3 | {"quantile_levels": [0.0, 0.5, 1.0]}, "quantile_levels=.* inside"),
    (R3 | {"quantile_levels": []}, "quantile_levels"),
    (R3 | {"quantile_levels": [0.5], "penalize_large_width_ratio": 0.1}, "penalize_large"),
    (R3 | {"prediction_filter_length": 1}, "multi_quantile_head"),
    (R3 | {"num_input_channels": 2, "prediction_channel_indices": [0]}, None),
    ({"decompose": True, "residual_context_length": 49}, "residual_context_length=49"),
    ({"decompose": True, "trend_patch_length": 12}, "of the trend: patch_stride=8"),
    ({"decompose": True, "residual_context_length": 8}, "of the residual: context_length=8"),
    ({"decompose": True} | MIXING, "decompose=True does not go with"),
    ({"trend_head_d_model": 8}, "trend_head_d_model=8"),
    ({"extras": {"use_register_context_gating": True}}, "use_register_context_gating=True"),
    ({"extras": {"mq_use_positional": True}}, "mq_use_positional=True"),
    ({"minimum_scale": 0}, "minimum_scale=0"),
]


@pytest.mark.parametrize(("changes", "error"), BAD)
def test_values_that_do_not_fit_are_named(changes, error):
    if error is None:
        tiny_ttm(**changes)
        return
    with pytest.raises(ValueError, match=error):
        tiny_ttm(**changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"context_length": "48"},
        {"context_length": 48.0},
        {"num_layers": True},
        {"gated_attn": 1},
        {"dropout": "0.1"},
        {"norm_mlp": None},
        {"prediction_channel_indices": 1},
        {"prediction_channel_indices": [0.5]},
        {"quantile_levels": "0.1"},
    ],
)
def test_values_of_another_type_are_named(changes):
    with pytest.raises(TypeError, match=next(iter(changes))):
        tiny_ttm(**changes)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"preferred_rollout": "bogus"}, "preferred_rollout='bogus'"),
        ({"preferred_rollout": None}, "preferred_rollout=None"),
        ({"transforms_series": "false"}, "transforms_series='false'"),
    ],
)
def test_entries_that_say_how_forecasts_are_made_are_checked(entry, message):
    with pytest.raises((TypeError, ValueError), match=message):
        TTMArchitecture.from_dict(tiny_ttm().to_dict() | entry)


def test_scalars_of_numpy_are_numbers():
    assert tiny_ttm(context_length=np.int64(48), dropout=np.float32(0.2)) == tiny_ttm()
