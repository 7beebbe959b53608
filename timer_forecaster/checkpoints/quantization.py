"""Quantization: the one an argument asks for and the one a folder holds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from timer_forecaster.models.timer_s1.layouts.int8 import activation_steps


def canonical_quantization(config: Any) -> str | None:
    """Write a quantisation of transformers as text, the same for equal ones."""
    if config is None:
        return None
    if not isinstance(config, Mapping) and not hasattr(config, "to_dict"):
        raise TypeError(
            f"quantization_config={config!r} must be a configuration of transformers' quantisers, "
            "such as TorchAoConfig, QuantoConfig or BitsAndBytesConfig, or its dict"
        )
    values = dict(config) if isinstance(config, Mapping) else config.to_dict()
    try:
        return json.dumps(values, sort_keys=True)
    except TypeError as error:
        raise TypeError(
            f"quantization_config={values} cannot be written as JSON: {error}"
        ) from None


def read_config(folder: Path) -> dict[str, Any]:
    """Read the ``config.json`` of a folder."""
    values: dict[str, Any] = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    return values


INT8 = "int8"


EXPERTS_PATTERN = r"re:.*\.experts\.\d+\.(gate|up|down)_proj$"


_EIGHT_BITS = {"num_bits": 8, "type": "int", "symmetric": True}


STORED_FORM: dict[str, Any] = {
    "quant_method": "compressed-tensors",
    "format": "int-quantized",
    "quantization_status": "compressed",
    "config_groups": {
        "experts": {
            "targets": [EXPERTS_PATTERN],
            "weights": {**_EIGHT_BITS, "strategy": "channel"},
            "input_activations": {**_EIGHT_BITS, "strategy": "token", "dynamic": True},
        }
    },
    "ignore": [],
}


def check_int8(quantization: Any, device: torch.device, device_argument: str) -> None:
    """Check that a quantisation is the one there is, and that it can be computed.

    Raises
    ------
    ValueError
        If it is another, or the device is not a CPU.
    ImportError
        If this build of torch lacks its kernels.
    """
    if quantization != INT8:
        raise ValueError(
            f"quantization={quantization!r} is unknown; use 'int8', for CPUs, or None. Libraries "
            "quantise otherwise, to 4 bits for instance, by quantization_config"
        )
    if device.type != "cpu":
        raise ValueError(
            f"quantization='int8' is for CPUs, and the device is {str(device)!r}: give "
            f"{device_argument}='cpu' or 'auto', or let a library quantise for that device, as by "
            "quantization_config=BitsAndBytesConfig(load_in_8bit=True) of transformers"
        )
    activation_steps()


def is_int8(config: Mapping[str, Any]) -> bool:
    """Tell whether a ``config.json`` is of a checkpoint that `convert_checkpoint` wrote."""
    return config.get("quantization_config") == STORED_FORM
