"""The quantization that an argument asks for, and the quantization that a folder holds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from timer_forecaster.broken import read_object
from timer_forecaster.models.families import TTM
from timer_forecaster.models.timer_s1.layouts.int8_kernel import activation_steps

INT8 = "int8"

EXPERTS_PATTERN = r"re:.*\.experts\.\d+\.(gate|up|down)_proj$"
"""The layers that are stored in 8 bits, in the notation of compressed-tensors."""

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
"""The ``quantization_config`` of a checkpoint that `convert_checkpoint` writes."""


def canonical_quantization(config: Any) -> str | None:
    """Return a quantization of transformers as text; equal ones have the same text."""
    if config is None:
        return None
    if not isinstance(config, Mapping) and not hasattr(config, "to_dict"):
        raise TypeError(
            f"quantization_config={config!r} must be a configuration of transformers' quantizers, "
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
    """Return the contents of the ``config.json`` of a folder.

    Raises
    ------
    ValueError
        If it cannot be read, or if its ``quantization_config`` is none.
    """
    values = read_object(folder / "config.json")
    if values.get("quantization_config") is None:
        values.pop("quantization_config", None)
    elif not isinstance(values["quantization_config"], Mapping):
        raise ValueError(
            f"{folder / 'config.json'} has quantization_config="
            f"{values['quantization_config']!r}, which must be an object of JSON; take config.json "
            "from the place of the weights"
        )
    return values


def check_int8(quantization: Any, device: torch.device, device_argument: str) -> None:
    """Check that a quantization is ``"int8"``, and that this machine can compute it.

    Raises
    ------
    ValueError
        If it is another one, or if the device is not a CPU.
    ImportError
        If this build of torch lacks the kernels.
    """
    if quantization != INT8:
        raise ValueError(
            f"quantization={quantization!r} is unknown; use 'int8', for CPUs, or None. Libraries "
            "have other quantizations, to 4 bits for instance, by quantization_config"
        )
    if device.type != "cpu":
        raise ValueError(
            f"quantization='int8' is for CPUs, and the device is {str(device)!r}: give "
            f"{device_argument}='cpu' or 'auto', or let a library quantize for that device, as by "
            "quantization_config=BitsAndBytesConfig(load_in_8bit=True) of transformers"
        )
    activation_steps()


def check_family(model_type: Any, quantized: str | None, name: str) -> None:
    """Refuse to quantize a TinyTimeMixer, whose layers are too small to gain from it.

    Parameters
    ----------
    model_type : str
    quantized : str, optional
        The quantization. None if there is none.
    name : str
        The network in the error.

    Raises
    ------
    ValueError
    """
    if quantized is None or model_type != TTM:
        return
    if quantized == INT8:
        raise ValueError(
            f"quantization='int8' is for the experts of Timer-S1, and {name} is a TinyTimeMixer, "
            "which has none: 8 bits in all its layers saved a fifth of the time at best, mostly "
            "less than nothing, and changed forecasts by 3 to 5 %; leave quantization out"
        )
    raise ValueError(
        f"quantization_config={quantized} is for Timer-S1, and {name} is a TinyTimeMixer, of a few "
        "megabytes; leave quantization_config out, or name the checkpoint that is not quantized"
    )


def is_int8(config: Mapping[str, Any]) -> bool:
    """Whether a ``config.json`` belongs to a checkpoint that `convert_checkpoint` wrote."""
    return config.get("quantization_config") == STORED_FORM


def is_quantized_otherwise(config: Mapping[str, Any]) -> bool:
    """Whether a ``config.json`` belongs to a checkpoint that a library quantized."""
    return "quantization_config" in config and not is_int8(config)
