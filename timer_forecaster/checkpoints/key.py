"""The key of a network: the arguments that name it, checked once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch

from timer_forecaster.checkpoints.quantization import (
    INT8,
    canonical_quantization,
    check_family,
    check_int8,
    is_int8,
    read_config,
)
from timer_forecaster.checkpoints.registry import canonical_name, find_checkpoint
from timer_forecaster.models.families import as_architecture, to_items
from timer_forecaster.models.timer_s1.architecture import DTYPES
from timer_forecaster.models.timer_s1.layouts.int8_kernel import activation_steps

Device = str | int | torch.device | Mapping[str, Any]


class NetworkKey(NamedTuple):
    """The key of a network: of a checkpoint, or of random weights in an architecture."""

    name: str
    revision: str | None
    device: str
    dtype: str
    config: tuple[tuple[str, Any], ...] | None = None  # names and values of an architecture
    quantization: str | None = None  # "int8", or a quantization of transformers as JSON

    @classmethod
    def resolve(
        cls,
        name: str | Path | None,
        revision: str | None,
        device: Device,
        dtype: str | torch.dtype | None,
        config: Any = None,
        quantization_config: Any = None,
        quantization: str | None = None,
        *,
        device_argument: str = "device",
    ) -> NetworkKey:
        """Check arguments without loading a network, and return their key.

        Parameters
        ----------
        name : str or Path, optional
            A name of `timer_forecaster.list_checkpoints`, a folder, or a hub id. None makes a
            network of random weights.
        revision : str, optional
            Branch, tag or commit of a hub id.
        device : str, int, torch.device or mapping
            Device of the network. ``"auto"`` is the GPU if there is one, and the CPU with
            ``quantization="int8"``.
        dtype : str or torch.dtype, optional
            Type to compute in. Default: ``"auto"``.
        config : TimerS1Architecture, TTMArchitecture, their configurations or mapping, optional
            Sizes of a network of random weights.
        quantization_config : object or mapping, optional
            A quantization of transformers.
        quantization : {"int8"}, optional
            Quantization by this package.
        device_argument : str
            Name of the argument ``device`` in errors.

        Returns
        -------
        NetworkKey

        Raises
        ------
        ValueError, TypeError
            If an argument cannot be used; the error names it.
        ImportError
            If 8 bits are asked for and this build of torch cannot compute in them.
        """
        gpu = quantization != INT8 and torch.cuda.is_available()
        place = _resolve_device(device, device_argument, "cuda" if gpu else "cpu")
        dtype_name = _dtype_name(dtype)
        if quantization is not None:
            check_int8(quantization, place, device_argument)
        if name is None:
            _refuse_without_checkpoint(revision=revision, quantization_config=quantization_config)
            sizes = _canonical_config(config)
            check_family(dict(sizes)["model_type"], quantization, "the network of this config")
            return cls("untrained", None, str(place), dtype_name, sizes, quantization)
        if config is not None:
            raise ValueError(
                f"config makes a network of random weights, in place of checkpoint {str(name)!r}, "
                "which has its own configuration: leave config out, or give None as the checkpoint"
            )
        if quantization is not None and quantization_config is not None:
            raise ValueError(
                f"quantization={quantization!r} and quantization_config are two ways to quantize; "
                "give one of them"
            )
        name = canonical_name(name, revision)
        canonical = quantization or canonical_quantization(quantization_config)
        key = cls(name, revision, str(place), dtype_name, None, canonical)
        if Path(name).is_absolute():  # the folder is there, and says how it is stored
            key = key._replace(quantization=settled_quantization(key, read_config(Path(name))))
        return key


def _dtype_name(dtype: str | torch.dtype | None) -> str:
    name = "auto" if dtype is None else str(dtype).removeprefix("torch.")
    if name not in ("auto", *DTYPES):
        names = ", ".join(map(repr, ("auto", *DTYPES[:-1])))
        raise ValueError(f"dtype={dtype!r} is not supported; use {names} or {DTYPES[-1]!r}")
    return name


def _refuse_without_checkpoint(**arguments: Any) -> None:
    for name, value in arguments.items():
        if value is not None:
            raise ValueError(f"{name}={value!r} applies to a checkpoint, and none is named")


def _canonical_config(config: Any) -> tuple[tuple[str, Any], ...]:
    if config is None:
        raise ValueError(
            "neither a checkpoint nor a config is given; name a checkpoint such as "
            "'timer-s1-small', or give a config for a network of random weights"
        )
    return to_items(as_architecture(config))


def _resolve_device(device: Device, argument: str, automatic: str) -> torch.device:
    """Return the device of an argument; ``automatic`` is the device of ``"auto"``."""
    if isinstance(device, Mapping):
        return _resolve_device(_only_place(device, argument), argument, automatic)
    if isinstance(device, str) and device == "auto":
        device = automatic
    try:
        resolved = torch.device(device)
        torch.empty(1, device=resolved).item()  # the device "meta" has no values
    except (RuntimeError, TypeError, AssertionError):
        raise ValueError(
            f"{argument}={device!r} is not a device of this machine; use 'auto', 'cpu' or, where "
            "there is one, 'cuda', 'cuda:1', 1 or 'mps'"
        ) from None
    if resolved.type == "cuda" and resolved.index is None and torch.cuda.is_available():
        return torch.device("cuda", torch.cuda.current_device())  # one key for one GPU
    return resolved


def _only_place(device: Mapping[str, Any], argument: str) -> str | int | torch.device:
    places = {str(place): place for place in device.values()}
    if len(places) != 1:
        raise ValueError(
            f"{argument}={dict(device)!r} does not name one device; a network is not spread over "
            "several: use {'': device}, and dtype='bfloat16' or quantization_config where memory "
            "is short"
        )
    return places.popitem()[1]


def settled_quantization(key: NetworkKey, config: Mapping[str, Any]) -> str | None:
    """Return the quantization to compute with, from the key and from the stored checkpoint.

    Experts that are stored in 8 bits compute in 8 bits on a CPU. On other devices they become
    plain experts. On a CPU without the kernels they become plain experts too, unless the key asks
    for 8 bits.

    Raises
    ------
    ValueError
        If the quantizations of the key and of the checkpoint exclude each other.
    ImportError
        If the key asks for 8 bits, and this build of torch cannot compute in them.
    """
    stored = config.get("quantization_config")
    quantized = key.quantization or (None if stored is None else str(dict(stored)))
    check_family(config.get("model_type"), quantized, repr(key.name))
    if is_int8(config):
        if key.quantization not in (None, INT8):
            raise ValueError(
                f"quantization_config={key.quantization} cannot be applied to {key.name!r}, whose "
                "experts are stored in 8 bits; name the checkpoint that it was converted from"
            )
        return INT8 if torch.device(key.device).type == "cpu" and _has_int8(key) else None
    if key.quantization == INT8 and "quantization_config" in config:
        raise ValueError(
            f"quantization='int8' cannot be applied to {key.name!r}, which is quantized already; "
            "leave it out, or name the original checkpoint"
        )
    return key.quantization


def _has_int8(key: NetworkKey) -> bool:
    try:
        activation_steps()
    except ImportError:
        if key.quantization == INT8:
            raise
        return False
    return True


def quantization_of(key: NetworkKey) -> str | None:
    """Return the quantization to compute with, whether the key or the checkpoint asks for it."""
    if key.config is not None:
        return key.quantization
    return settled_quantization(
        key, read_config(find_checkpoint(key.name, key.revision, weights=False))
    )
