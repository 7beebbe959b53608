"""Architectures of three sizes, with quantiles, in the layout of the released plain checkpoints."""

from __future__ import annotations

from typing import Any

from timer_forecaster.models.ttm.architecture import TTMArchitecture

_COMMON: dict[str, Any] = {
    "context_length": 512,
    "prediction_length": 96,
    "patch_length": 64,
    "patch_stride": 64,
    "adaptive_patching_levels": 3,
    "dropout": 0.0,
    "head_dropout": 0.0,
    "multi_quantile_head": True,
    "mq_use_decoder_pool": True,
    "mq_q50_type": "mean",
    "mq_cond_path": "flatten",
    "mq_cond_mode": "concat",
}

PRESETS: dict[str, dict[str, Any]] = {
    "tiny": {
        "d_model": 192,
        "num_layers": 2,
        "decoder_d_model": 128,
        "decoder_num_layers": 2,
    },
    "small": {
        "d_model": 384,
        "num_layers": 4,
        "decoder_d_model": 256,
        "decoder_num_layers": 2,
    },
    "base": {
        "d_model": 512,
        "num_layers": 7,
        "decoder_d_model": 384,
        "decoder_num_layers": 3,
    },
}
"""Sizes by name: 0.81, 4.90 and 14.9 million parameters. The embedded ``ttm-mini`` is tiny."""


def preset(size: str, **changes: Any) -> TTMArchitecture:
    """Return the architecture of a size.

    Parameters
    ----------
    size : {"tiny", "small", "base"}
    **changes
        Fields of `TTMArchitecture` that differ from the preset. A ``patch_length`` sets the
        stride too.

    Raises
    ------
    TypeError, ValueError
        If the size or a field is unknown, or a value cannot be used.

    Examples
    --------
    >>> preset("tiny").num_patches
    8
    >>> preset("small", prediction_length=48).d_model
    384
    """
    if size not in PRESETS:
        raise ValueError(f"size={size!r} is unknown; use one of {tuple(PRESETS)}")
    if "patch_length" in changes:
        changes = {"patch_stride": changes["patch_length"]} | changes
    return TTMArchitecture(**(_COMMON | PRESETS[size] | changes))
