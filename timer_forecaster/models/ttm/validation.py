"""Checks of the fields of a TinyTimeMixer; each error names the field."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from timer_forecaster.checks import (
    check_choice,
    check_flag,
    check_integer,
    check_number,
    is_level,
    plain,
)
from timer_forecaster.models.timer_s1.architecture import ROLLOUTS
from timer_forecaster.models.ttm.levels import level_factors

if TYPE_CHECKING:
    from timer_forecaster.models.ttm.architecture import TTMArchitecture

MODES = ("common_channel", "mix_channel")
GATES = ("softmax", "sigmoid", "glu", "group_sigmoid")
LOSSES = ("mse", "mae", "huber", "pinball")
_MOST = 2**24  # the product of two sizes must be an integer of torch
_LEAST = {  # least values of integers
    "context_length": 2,
    "patch_length": 1,
    "patch_stride": 1,
    "num_input_channels": 1,
    "prediction_length": 1,
    "d_model": 1,
    "expansion_factor": 1,
    "num_layers": 1,
    "self_attn_heads": 1,
    "adaptive_patching_levels": 0,
    "frequency_token_vocab_size": 1,
    "decoder_num_layers": 1,
    "decoder_d_model": 1,
    "decoder_adaptive_patching_levels": 0,
    "fcm_context_length": 0,
    "fcm_mix_layers": 1,
    "register_tokens": 0,
    "fft_length": 0,
    "mq_hidden": 1,
    "mq_kernel_size": 1,
    "mq_decoder_d_model": 1,
    "gate_groups": 1,
    "fft_d_freq_min": 1,
    "fft_d_freq_max": 1,
}
_OPTIONAL = {  # of integers that may be None
    "prediction_filter_length": 1,
    "fcm_prepend_past_offset": 1,
    "residual_context_length": 2,
    "trend_patch_length": 1,
    "trend_patch_stride": 1,
    "trend_d_model": 1,
    "trend_decoder_d_model": 1,
    "trend_num_layers": 1,
    "trend_decoder_num_layers": 1,
    "trend_register_tokens": 0,
    "trend_fft_length": 0,
    "trend_adaptive_patching_levels": 0,
}
_FLAGS = (
    "gated_attn",
    "self_attn",
    "use_positional_encoding",
    "resolution_prefix_tuning",
    "decoder_raw_residual",
    "use_decoder",
    "enable_forecast_channel_mixing",
    "fcm_gated_attn",
    "fcm_use_mixer",
    "fcm_prepend_past",
    "multi_scale",
    "use_fft_embedding",
    "multi_quantile_head",
    "decompose",
    "light_mode",
    "mq_use_decoder_pool",
    "combine_quantiles_via_variance",
    "enable_base_norm_always",
    "get_one_freq_emb",
    "fft_ignore_dc",
)
_NUMBERS = (  # at least 0
    "norm_eps",
    "mq_eps",
    "point_extra_weight",
    "penalize_large_width_ratio",
    "trend_loss_weight",
    "residual_loss_weight",
    "joint_loss_weight",
)
_CHOICES = {
    "mode": MODES,
    "decoder_mode": MODES,
    "gate_mode": GATES,
    "positional_encoding_type": ("sincos", "random"),
    "mq_q50_type": ("median", "mean"),
    "mq_cond_path": ("pool", "flatten"),
    "mq_cond_mode": ("add", "concat"),
    "width_penalty_mode": ("boundary", "wis"),
}
ONLY_VALUES = {  # entries without a released checkpoint, and the only value that is computed
    "use_register_context_gating": False,
    "mq_use_positional": False,
    "patch_last": True,
    "scaling_dim": 1,
    "keepdim": True,
}


def as_plain(name: str, value: Any, several: bool) -> Any:
    """Return a field as a Python scalar or, if it holds several numbers, as a tuple of them."""
    if not several or value is None:
        return plain(value)
    if isinstance(value, (str, bytes)) or not hasattr(value, "__iter__"):
        raise TypeError(f"{name}={value!r} must be a list of numbers")
    return tuple(plain(one) for one in value)


def validate(config: TTMArchitecture) -> None:
    """Check that the fields of an architecture fit together.

    Raises
    ------
    TypeError, ValueError
        If a field does not fit; the error names the first.
    """
    _check_types(config)
    _check_unsupported(config)
    _check_readings(config)
    _check_context(config)
    if config.decompose:
        _check_branches(config)
        return
    _check_tokens(config)
    _check_widths(config)
    _check_channels(config)
    _check_mixing(config)
    _check_categories(config)
    _check_levels(config)


def _check_types(config: TTMArchitecture) -> None:
    for name, least in _LEAST.items():
        if check_integer(name, getattr(config, name), least) > _MOST:
            raise ValueError(f"{name}={getattr(config, name)} must be at most {_MOST}")
    for name, least in _OPTIONAL.items():
        if getattr(config, name) is not None:
            check_integer(name, getattr(config, name), least)
    for name in _FLAGS:
        check_flag(name, getattr(config, name))
    for name in _NUMBERS:
        check_number(name, getattr(config, name), 0)
    for name in ("dropout", "head_dropout"):
        if check_number(name, getattr(config, name), 0, 1) == 1:
            raise ValueError(f"{name}={getattr(config, name)} must be below 1")
    for name in ("minimum_scale", "default_scale"):
        if getattr(config, name) is not None:
            check_number(name, getattr(config, name), 0, above=True)
    check_number("huber_delta", config.huber_delta, 0, above=True)
    if not is_level(config.quantile):
        raise ValueError(f"quantile={config.quantile!r} must lie inside (0, 1)")
    for name, choices in _CHOICES.items():
        check_choice(name, getattr(config, name), choices)
    if config.loss is not None:
        check_choice("loss", config.loss, LOSSES)
    if not isinstance(config.norm_mlp, str):
        raise TypeError(f"norm_mlp={config.norm_mlp!r} must be a text")


def _check_unsupported(config: TTMArchitecture) -> None:
    for name, only in ONLY_VALUES.items():
        if config.extras.get(name, only) != only:
            raise ValueError(
                f"{name}={config.extras[name]!r} is not supported; it must be {only!r}"
            )
    if config.trend_head_d_model is not None:
        raise ValueError(
            f"trend_head_d_model={config.trend_head_d_model!r} is not supported; it must be None"
        )


def _check_readings(config: TTMArchitecture) -> None:
    """Check entries of this project, which say how forecasts are made."""
    if "preferred_rollout" in config.extras:
        check_choice("preferred_rollout", config.extras["preferred_rollout"], ROLLOUTS)
    if "transforms_series" in config.extras:
        check_flag("transforms_series", config.extras["transforms_series"])


def _check_context(config: TTMArchitecture) -> None:
    length = config.patch_length
    if config.patch_stride != length:
        raise ValueError(
            f"patch_stride={config.patch_stride} must be patch_length={length}: patches do not "
            "overlap"
        )
    if config.context_length <= length:
        raise ValueError(
            f"context_length={config.context_length} must be above patch_length={length}"
        )
    kept = config.prediction_filter_length
    if kept is not None and kept > config.prediction_length:
        raise ValueError(
            f"prediction_filter_length={kept} must be at most "
            f"prediction_length={config.prediction_length}"
        )


def _check_branches(config: TTMArchitecture) -> None:
    """Check both networks of a decomposed one."""
    if config.enable_forecast_channel_mixing or config.target_channels is not None:
        raise ValueError(
            "decompose=True does not go with prediction_channel_indices, exogenous_channel_indices "
            "or enable_forecast_channel_mixing: trend and rest are forecast for all channels"
        )
    length = config.residual_context_length
    if length is not None and length > config.context_length:
        raise ValueError(
            f"residual_context_length={length} must be at most "
            f"context_length={config.context_length}"
        )
    for part, branch in (("trend", config.trend), ("residual", config.residual)):
        try:
            branch()
        except (TypeError, ValueError) as error:
            raise type(error)(f"the network of the {part}: {error}") from error


def _check_tokens(config: TTMArchitecture) -> None:
    bins = config.context_length // 2 + 1 - config.fft_ignore_dc
    if config.fft_length > bins:
        raise ValueError(
            f"fft_length={config.fft_length} must be at most {bins}, the frequencies of "
            f"context_length={config.context_length}"
        )
    if config.fft_d_freq_min > config.fft_d_freq_max:
        raise ValueError(
            f"fft_d_freq_min={config.fft_d_freq_min} must be at most "
            f"fft_d_freq_max={config.fft_d_freq_max}"
        )
    others = config.num_patches - config.base_patches - config.resolution_prefix_tuning
    if config.use_decoder and config.decoder_raw_residual and others:
        raise ValueError(
            "decoder_raw_residual=True needs one token for each patch: it does not go with "
            "multi_scale, register_tokens or fft_length"
        )


def _check_widths(config: TTMArchitecture) -> None:
    _check_width(config, "d_model", "adaptive_patching_levels")
    if config.use_decoder:
        _check_width(config, "decoder_d_model", "decoder_adaptive_patching_levels")


def _check_width(config: TTMArchitecture, name: str, levels_name: str) -> None:
    width, levels = getattr(config, name), getattr(config, levels_name)
    heads = config.self_attn_heads if config.self_attn else 1
    for factor in level_factors(width, levels) or [1]:
        if width % factor:
            raise ValueError(
                f"{name}={width} must be divisible by {factor} for {levels_name}={levels}"
            )
        if (width // factor) % heads:
            raise ValueError(
                f"self_attn_heads={heads} must divide the width of tokens, {width // factor} "
                f"({name}={width}, {levels_name}={levels})"
            )


def _check_channels(config: TTMArchitecture) -> None:
    for name in ("prediction_channel_indices", "exogenous_channel_indices"):
        indices = getattr(config, name)
        if indices is None:
            continue
        for index in indices:
            if check_integer(name, index, 0) >= config.num_input_channels:
                raise ValueError(
                    f"{name}={list(indices)} must be below "
                    f"num_input_channels={config.num_input_channels}"
                )
        if len(set(indices)) < len(indices):
            raise ValueError(f"{name}={list(indices)} must be distinct")
    targets = config.target_channels
    if targets is not None and not targets:
        raise ValueError("prediction_channel_indices: no channel is left to forecast")
    both = set(targets or ()).intersection(config.exogenous_channels)
    if both:
        raise ValueError(
            f"prediction_channel_indices and exogenous_channel_indices both have {sorted(both)}; "
            "the future of a channel is forecast or known"
        )


def _check_mixing(config: TTMArchitecture) -> None:
    if config.exogenous_channels and not config.enable_forecast_channel_mixing:
        raise ValueError(
            f"exogenous_channel_indices={list(config.exogenous_channels)} need "
            "enable_forecast_channel_mixing=True: no other part reads the known future"
        )
    if not config.enable_forecast_channel_mixing:
        return
    context, offset = config.fcm_context_length, config.fcm_prepend_past_offset or 0
    if context == 0 and not config.fcm_gated_attn:
        raise ValueError("fcm_context_length=0 needs fcm_gated_attn=True")
    if context == 0 and config.fcm_use_mixer:
        raise ValueError("fcm_use_mixer=True needs fcm_context_length above 0")
    if config.fcm_prepend_past and context + offset > config.context_length:
        raise ValueError(
            f"fcm_context_length={context} with fcm_prepend_past_offset={offset} must be within "
            f"context_length={config.context_length}"
        )


def _check_categories(config: TTMArchitecture) -> None:
    sizes = config.categorical_vocab_size_list
    if sizes is None:
        return
    for size in sizes:
        check_integer("categorical_vocab_size_list", size, 1)
    if not sizes:
        raise ValueError("categorical_vocab_size_list=[] must be None or hold numbers")
    if not (config.use_decoder and config.decoder_mode == "mix_channel"):
        raise ValueError(
            f"categorical_vocab_size_list={list(sizes)} needs use_decoder=True and "
            "decoder_mode='mix_channel': categories are channels of the decoder"
        )


def _check_levels(config: TTMArchitecture) -> None:
    if not config.multi_quantile_head:
        return
    if config.pass_length < 2:
        raise ValueError(
            f"prediction_length={config.pass_length} must be above 1 with multi_quantile_head: its "
            "norm is taken over the steps"
        )
    levels = list(config.quantile_levels)
    if not all(is_level(level) for level in levels) or levels != sorted(set(levels)):
        raise ValueError(f"quantile_levels={levels} must be ascending, distinct and inside (0, 1)")
    half = len(levels) // 2
    if len(levels) % 2 == 0 or levels[half] != 0.5:
        raise ValueError(
            f"quantile_levels={levels} must be odd in number, with 0.5 in the middle and as many "
            "levels below it as above"
        )
    if config.penalize_large_width_ratio and len(levels) < 3:
        raise ValueError(
            f"penalize_large_width_ratio={config.penalize_large_width_ratio} needs three "
            f"quantile_levels or more; there is {levels}"
        )
