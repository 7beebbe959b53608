"""The weights of a TinyTimeMixer that each target of finetuning changes, by their names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from timer_forecaster.models.ttm.architecture import DECILES

TARGETS = ("decoder+head", "head", "quantile-head", "channels", "norms", "lora", "full")
"""Targets of finetuning; see `replaced_by` and `widened_by_lora`."""

DEFAULT = "decoder+head"
"""The target without another choice: the backbone stays as it is."""

QUANTILE_HEAD: Mapping[str, Any] = MappingProxyType(
    {
        "multi_quantile_head": True,
        "quantile_levels": DECILES,
        "mq_hidden": 8,
        "mq_kernel_size": 3,
        "mq_use_decoder_pool": True,
        "mq_q50_type": "mean",
        "mq_cond_path": "flatten",
        "mq_cond_mode": "concat",
        "mq_decoder_d_model": 8,
    }
)
"""Fields of an architecture that give a checkpoint of point forecasts the quantile head of R3.

The median stays the forecast that there was.
"""

_BRANCH = r"(?:(?:trend|residual)_forecaster\.)?"  # of a decomposed network
_QUANTILE_HEAD = rf"{_BRANCH}multi_quantile_head_block\."
_HEAD = rf"{_BRANCH}(?:head|multi_quantile_head_block)\."
_MIXING = re.compile(r"head\.fcm_block\.")
_FEATURES = re.compile(
    rf"{_BRANCH}(?:backbone|decoder)\..*\bfeature_mixer\.(?:mlp\.fc[12]|gating_block\.attn_layer)"
)
_REPLACED = {
    "decoder+head": rf"{_HEAD}|{_BRANCH}decoder\.",
    "head": _HEAD,
    "quantile-head": _QUANTILE_HEAD,
    "channels": rf"{_HEAD}|{_BRANCH}decoder\.",
    "norms": r".*\b(?:norm|norm_attn|base_norm|batchnorm|inorm)\.(?:weight|bias)$",
    "full": "",
}


def replaced_by(target: str, names: Iterable[str]) -> list[str]:
    """Return the names of the weights that a target replaces.

    ``"head"`` replaces the layer that makes the forecast and, where there is one, the quantile
    head; ``"decoder+head"`` the decoder too; ``"quantile-head"`` the quantile head alone;
    ``"channels"`` decoder and head of a network that mixes forecasts over channels; ``"norms"`` the
    weights and biases of all norms, and ``"full"`` all weights. ``"lora"`` replaces nothing; see
    `widened_by_lora`.

    Parameters
    ----------
    target : str
        One of `TARGETS`.
    names : iterable of str
        Names of the parameters of a network.
    """
    if target == "lora":
        return []
    pattern, names = re.compile(_REPLACED[target]), list(names)
    if target == "channels" and not any(_MIXING.match(name) for name in names):
        return []
    return [name for name in names if pattern.match(name)]


def widened_by_lora(
    names: Iterable[str], hot_experts: Mapping[str, Any] | None = None
) -> list[str]:
    """Return the names of the layers that low-rank matrices are added to: those along features.

    Layers along the tokens are too small for them.

    Parameters
    ----------
    names : iterable of str
        Names of the parameters of a network.
    hot_experts : mapping, optional
        Without effect: a mixer has no experts.
    """
    layers = (name.removesuffix(".weight") for name in names if name.endswith(".weight"))
    return [layer for layer in layers if _FEATURES.fullmatch(layer)]
