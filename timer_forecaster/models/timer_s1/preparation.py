"""Networks that only forecast, laid out for the device that they are on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
import torch.nn.functional as F
from torch import nn

from .experts import Expert, MixtureOfExperts, PackedExpert, StackedExperts
from .linears import PackedLinear, can_pack
from .network import TimerS1Layers

_WIDE = 256  # hidden size from which on laying weights out pays


def prepare(network: TimerS1Layers) -> None:
    """Replace modules of a network by faster ones with the same numbers up to rounding.

    On a CPU linear layers are packed; on a GPU the experts of each block are stacked. The network
    must not be trained, moved or converted afterwards. Narrow networks stay as they are: there
    neither pays.

    Parameters
    ----------
    network : TimerS1Network or TimerS1ForPrediction
        With all weights of one type on one device. Changed in place, block by block, so that
        no more than one block is held twice.
    """
    if network.config.hidden_size < _WIDE:
        return
    if can_pack(network.device, network.dtype):
        pack(cast("nn.Module", network))
    elif can_stack(network.device, network.dtype):
        stack(cast("nn.Module", network))


def pack(module: nn.Module) -> None:
    """Pack the linear layers within a module, but for routers, which are too narrow to gain."""
    for name, child in module.named_children():
        if isinstance(child, Expert):
            setattr(module, name, PackedExpert(child))
        elif isinstance(child, nn.Linear):
            if not isinstance(module, MixtureOfExperts):
                setattr(module, name, PackedLinear(child))
        else:
            pack(child)


def stack(module: nn.Module) -> None:
    """Stack the experts of each block within a module."""
    for part in module.modules():
        if isinstance(part, MixtureOfExperts):
            part.experts = StackedExperts(cast("Sequence[Expert]", part.experts))


def can_stack(device: torch.device, dtype: torch.dtype) -> bool:
    """Whether grouped products run on a GPU: in bfloat16, from compute capability 8.0 on."""
    if device.type != "cuda" or dtype != torch.bfloat16 or not hasattr(F, "grouped_mm"):
        return False
    return torch.cuda.get_device_capability(device) >= (8, 0)
