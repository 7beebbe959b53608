"""Low-rank adapters (LoRA) in the format of the peft library, which need not be installed.

peft multiplies the product of two low-rank matrices by a factor. In an `Adapter` the factor is
part of the second matrix.
"""

from __future__ import annotations

import math
import os
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from timer_forecaster.adapters.base import Base
from timer_forecaster.adapters.folder import find_files, write_for_others
from timer_forecaster.broken import read_object
from timer_forecaster.checkpoints.tensors import opened
from timer_forecaster.models.timer_s1.targets import HEAD_PATTERN, replaced_by
from timer_forecaster.models.weights import LORA_NAME, check_weights

CONFIG_FILE, WEIGHTS_FILE = "adapter_config.json", "adapter_model.safetensors"
_PREFIX = "base_model.model."  # peft puts it before the names of a network
_SIGNATURE = "timer_forecaster_base"  # key in the metadata of the weights
_ALPHA = 8  # default of peft

_READ = {  # settings that change the weights that are read
    "alpha_pattern",
    "auto_mapping",
    "init_lora_weights",
    "lora_alpha",
    "peft_type",
    "use_rslora",
}
_WITHOUT_EFFECT = {  # settings without effect on forecasts, given the matrices and their names
    "base_model_name_or_path",
    "corda_config",
    "ensure_weight_tying",
    "eva_config",
    "exclude_modules",
    "inference_mode",
    "layers_pattern",
    "layers_to_transform",
    "lora_dropout",
    "lora_ga_config",
    "megatron_core",
    "modules_to_save",
    "peft_version",
    "qalora_group_size",
    "r",
    "rank_pattern",
    "revision",
    "runtime_config",
    "target_modules",
    "task_type",
}
_INITIAL = (True, False, "gaussian", "eva", "orthogonal")  # other values change the base too


class PeftAdapter(NamedTuple):
    """The contents of a folder in the format of peft."""

    weights: dict[str, Tensor]  # with the names of an `Adapter`
    settings: dict[str, Any]  # settings of peft, without the name of the base
    base: Base | None  # None if peft wrote the folder


def write(weights: Mapping[str, Tensor], base: Base, folder: Path) -> Path:
    """Write the weights of an adapter; `Adapter.to_peft` explains more."""
    ranks, modules = _contents(weights)
    usual = Counter(ranks.values()).most_common(1)[0][0]
    others = {layer: rank for layer, rank in ranks.items() if rank != usual}
    config = {
        "peft_type": "LORA",
        "task_type": None,
        "base_model_name_or_path": base.name,
        "revision": base.revision,
        "inference_mode": True,
        "r": usual,
        "lora_alpha": usual,
        "rank_pattern": others,
        "alpha_pattern": others,
        "target_modules": list(ranks),
        "modules_to_save": modules or None,
    }
    stored = {f"{_PREFIX}{name}": value for name, value in weights.items()}
    metadata = {"format": "pt", _SIGNATURE: base.signature}
    write_for_others(
        folder,
        stored,
        config,
        weights_file=WEIGHTS_FILE,
        description_file=CONFIG_FILE,
        metadata=metadata,
    )
    return folder


def _contents(weights: Mapping[str, Tensor]) -> tuple[dict[str, int], list[str]]:
    """Return the ranks of the layers with low-rank matrices, and the modules that are replaced.

    Raises
    ------
    ValueError
        If peft cannot read these weights.
    """
    ranks: dict[str, int] = {}
    modules: dict[str, set[str]] = {}
    for name, value in weights.items():
        matrix = LORA_NAME.fullmatch(name)
        if matrix and matrix["side"] == "lora_A":
            ranks[matrix["layer"]] = value.shape[0]
        elif not matrix:
            module, _, own = name.rpartition(".")
            modules.setdefault(module, set()).add(own)
    for module, names in modules.items():
        whole = {"weight", "bias"} if re.match(HEAD_PATTERN, module) else {"weight"}
        if names != whole or not _can_be_replaced(f"{module}.weight"):
            raise ValueError(
                f"peft replaces whole modules, here routers, layers of the head and norms, and not "
                f"{sorted(names)} of {module!r}; save the adapter with Adapter.save"
            )
    if not ranks:
        raise ValueError(
            "the adapter has no low-rank matrices, without which peft reads none; save it with "
            "Adapter.save, or finetune with target='lora'"
        )
    return ranks, list(modules)


def _can_be_replaced(name: str) -> bool:
    return bool(replaced_by("router+head", [name]) or replaced_by("norms", [name]))


def read(
    name: str | os.PathLike[str], shapes: Mapping[str, torch.Size], revision: str | None = None
) -> PeftAdapter:
    """Read a folder in the format of peft; `Adapter.from_peft` explains more.

    Parameters
    ----------
    name : str or path
        Folder, or hub id.
    shapes : mapping of str to torch.Size
        Shapes of the weights of the network.
    revision : str, optional
        Branch, tag or commit of a hub id.
    """
    folder = find_files(name, revision, (CONFIG_FILE, WEIGHTS_FILE))
    config = read_object(folder / CONFIG_FILE)
    with opened(folder / WEIGHTS_FILE) as stored:
        signature = (stored.metadata() or {}).get(_SIGNATURE)
        tensors = {key: stored.get_tensor(key) for key in stored.keys()}
    try:
        _check_config(config)
        weights = _own_weights(tensors, config)
        check_weights(shapes, weights)
    except (AttributeError, TypeError, ValueError, re.error) as error:
        raise ValueError(f"peft's adapter in {str(folder)!r} cannot be read: {error}") from error
    # Without the name of the base, which may be a private folder; the adapter has a base itself.
    settings = {key: value for key, value in config.items() if key != "base_model_name_or_path"}
    if signature is None:
        return PeftAdapter(weights, settings, None)
    name = str(config.get("base_model_name_or_path"))
    return PeftAdapter(weights, settings, Base(name, config.get("revision"), signature))


def _check_config(config: Any) -> None:
    """Refuse unsupported settings, and unknown ones, which might change the numbers."""
    if not isinstance(config, dict):
        raise ValueError(f"{CONFIG_FILE} holds no settings")
    if config.get("peft_type") != "LORA":
        raise ValueError(f"peft_type={config.get('peft_type')!r} is not 'LORA'")
    initial = config.get("init_lora_weights", True)
    if initial not in _INITIAL:
        raise ValueError(
            f"init_lora_weights={initial!r} changes the base; let peft convert the adapter to LoRA "
            "when it saves it (path_initial_model_for_weight_conversion)"
        )
    trained = (config.get("auto_mapping") or {}).get("base_model_class", "TimerS1ForPrediction")
    if trained != "TimerS1ForPrediction":
        raise ValueError(f"it belongs to a {trained}, not to a TimerS1ForPrediction")
    for key in sorted(config.keys() - _READ - _WITHOUT_EFFECT):
        if config[key] and config[key] != "none":
            raise ValueError(f"{key}={config[key]!r} is not supported")


def _own_weights(tensors: Mapping[str, Tensor], config: Mapping[str, Any]) -> dict[str, Tensor]:
    """Return tensors by their names in the network, with the factor in the second matrices."""
    named = {key.removeprefix(_PREFIX): value for key, value in tensors.items()}
    weights = {}
    for name, value in named.items():
        matrix = LORA_NAME.fullmatch(name)
        if matrix and matrix["side"] == "lora_B":
            weights[name] = value.float() * _factor(config, matrix["layer"], value.shape[1])
        elif matrix or _can_be_replaced(name):
            weights[name] = value
        else:
            raise ValueError(
                f"{name!r} is neither a low-rank matrix nor of a router, the head or a norm"
            )
    return weights


def _factor(config: Mapping[str, Any], layer: str, rank: int) -> float:
    """Return the factor by which peft multiplies the product of the matrices of a layer."""
    alpha: float = config.get("lora_alpha", _ALPHA)
    for pattern, own in (config.get("alpha_pattern") or {}).items():
        if re.match(rf"(.*\.)?({pattern})$", layer):
            alpha = own
            break
    return alpha / (math.sqrt(rank) if config.get("use_rslora") else rank)
