"""The layout and the type in which the network of a key computes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple, cast

import torch

from timer_forecaster.checkpoints.key import NetworkKey
from timer_forecaster.checkpoints.quantization import INT8
from timer_forecaster.models.network import Architecture, Network
from timer_forecaster.models.timer_s1 import TimerS1Architecture
from timer_forecaster.models.timer_s1.layouts.choice import WIDE, fast_in_bfloat16, packs, stacks
from timer_forecaster.models.timer_s1.layouts.experts import PackedExpert
from timer_forecaster.models.timer_s1.layouts.packing import (
    Pack,
    join_experts,
    pack,
    packing,
    restoring,
    stack,
)
from timer_forecaster.models.tuning import parameter_shapes

# Parameters from which on dtype="auto" keeps the stored type and a copy is worth a warning.
_LARGE = 1_000_000_000


class Layout(NamedTuple):
    """The two steps that lay out a network: each expert as it is read, then the whole network."""

    pack: Pack | None  # returns the form of an expert that computes; None if it stays as it is
    finish: Callable[[Network], Network]
    deferred: bool | None = None  # as in `timer_forecaster.checkpoints.files.fill`


def layout_for(
    config: Architecture,
    device: str,
    dtype: torch.dtype,
    quantization: str | None,
    in_8_bits: bool = False,
) -> Layout:
    """Return the layout in which a network forecasts fastest.

    Parameters
    ----------
    config : Architecture
        Sizes of the network.
    device : str
        Device that computes.
    dtype : torch.dtype
        Type to compute in.
    quantization : {"int8"}, optional
        Whether experts compute in 8 bits. None if they do not.
    in_8_bits : bool
        Whether experts are stored in 8 bits.
    """
    if not isinstance(config, TimerS1Architecture):  # other families have one layout
        return plain_layout(device, dtype)

    def finish(network: Network) -> Network:
        if quantization == INT8:
            join_experts(network)
        return _fastest(network, config, device, dtype)

    if quantization == INT8:
        return Layout(packing(dtype), finish)
    if in_8_bits:
        return Layout(restoring(dtype), finish, deferred=False)
    if packs(config, torch.device(device), dtype):
        return Layout(lambda expert: PackedExpert(expert.to(dtype)), finish)
    return Layout(None, finish)


def plain_layout(device: str, dtype: torch.dtype, in_8_bits: bool = False) -> Layout:
    """Return the layout of a network with plain experts; `layout_for` explains the arguments."""
    finish = partial(_placed, device=device, dtype=dtype)
    return Layout(restoring(dtype) if in_8_bits else None, finish, deferred=False)


def _placed(network: Network, device: str, dtype: torch.dtype) -> Network:
    return network.to(device, dtype).requires_grad_(False).eval()


def _fastest(
    network: Network, config: TimerS1Architecture, device: str, dtype: torch.dtype
) -> Network:
    """Move a network to its device and type, in the form that the device computes fastest."""
    network = _placed(network, device, dtype)
    if packs(config, network.device, dtype):
        pack(network)
    elif stacks(config, network.device, dtype):
        stack(network)
    return network


def type_to_compute_in(network: Network, key: NetworkKey, stored: torch.dtype) -> torch.dtype:
    """Return the type that a key asks for; ``"auto"`` depends on the size and on the device."""
    if key.dtype != "auto":
        return cast("torch.dtype", getattr(torch, key.dtype))
    if is_large(network):
        return stored
    wide = network.config.hidden_size >= WIDE
    bfloat16 = stored == torch.bfloat16 and wide and fast_in_bfloat16(torch.device(key.device))
    return torch.bfloat16 if bfloat16 else torch.float32


def is_large(network: Network) -> bool:
    """Whether a network is so large that memory hardly has room for two."""
    return n_parameters(network) >= _LARGE


def is_large_in(config: Architecture) -> bool:
    """Whether a network of an architecture is so large; none is made."""
    return sum(shape.numel() for shape in parameter_shapes(config).values()) >= _LARGE


def n_parameters(network: Network) -> int:
    """Return the number of parameters of a network."""
    return sum(parameter.numel() for parameter in network.parameters())
