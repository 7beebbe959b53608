"""Replace the layers and experts of a network by forms that a device computes faster."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import torch
from torch import nn

from timer_forecaster.models.timer_s1.experts import Expert, MixtureOfExperts
from timer_forecaster.models.timer_s1.layouts.experts import PackedExpert, StackedExperts
from timer_forecaster.models.timer_s1.layouts.int8 import Int8Experts
from timer_forecaster.models.timer_s1.layouts.int8_weights import Int8Expert
from timer_forecaster.models.timer_s1.layouts.linears import PackedLinear

Pack = Callable[[Any], nn.Module]
"""Returns another form of an expert, faster or smaller."""


def pack(module: nn.Module) -> None:
    """Pack the linear layers within a module for a CPU.

    Routers stay as they are: they are too narrow to become faster. Afterwards the module can
    forecast, with the same numbers up to rounding. It can no longer be trained, moved or converted.
    """
    for name, child in module.named_children():
        if isinstance(child, Expert):
            setattr(module, name, PackedExpert(child))
        elif isinstance(child, nn.Linear):
            if not isinstance(module, MixtureOfExperts):
                setattr(module, name, PackedLinear(child))
        else:
            pack(child)


def stack(module: nn.Module) -> None:
    """Stack the experts of each block within a module for a GPU, block by block."""
    for part in module.modules():
        if isinstance(part, MixtureOfExperts):
            part.experts = StackedExperts(cast("Sequence[Expert]", part.experts))


def packing(dtype: torch.dtype) -> Pack:
    """Return a function that packs an expert, stored or plain, into 8 bits.

    Parameters
    ----------
    dtype : torch.dtype
        Type of the outputs of the packed expert.
    """

    def pack(expert: Any) -> nn.Module:
        rounded = expert if isinstance(expert, Int8Expert) else Int8Expert(expert)
        return rounded.packed(dtype)

    return pack


def restoring(dtype: torch.dtype) -> Pack:
    """Return a function that makes a plain expert, of this type, from a stored one."""
    return lambda expert: expert.restored(dtype)


def join_experts(network: nn.Module) -> None:
    """Join the 8-bit experts of each block, so that they share the steps between their products."""
    for part in network.modules():
        if isinstance(part, MixtureOfExperts):
            part.experts = Int8Experts(part.experts.children())


def replace_experts(network: nn.Module, pack: Pack) -> None:
    """Replace the experts of a network, whether it has weights or is on the meta device."""
    for name in unpacked_experts(network):
        network.set_submodule(name, pack(network.get_submodule(name)))


def unpacked_experts(network: nn.Module) -> list[str]:
    """Return the names of the experts of a network that are not packed yet."""
    kinds = (Expert, Int8Expert)
    return [name for name, module in network.named_modules() if isinstance(module, kinds)]
