"""Networks that only forecast, laid out for the device that they are on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import nn

from timer_forecaster.models.timer_s1 import TimerS1Network
from timer_forecaster.models.timer_s1.architecture import TimerS1Architecture
from timer_forecaster.models.timer_s1.experts import Expert, MixtureOfExperts
from timer_forecaster.models.timer_s1.layouts.experts import PackedExpert, StackedExperts
from timer_forecaster.models.timer_s1.layouts.int8 import Int8Expert, Int8Experts
from timer_forecaster.models.timer_s1.layouts.linears import PackedLinear, can_pack

WIDE = 256
"""Hidden size from which on a network is packed or stacked, and computed in bfloat16 by default.

Products of matrices are then what a forecast costs, and not what lies between them.
"""


def fast_in_bfloat16(device: torch.device) -> bool:
    """Whether a device multiplies bfloat16 by itself, not by way of float32."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    # Older torch cannot tell.
    capabilities: Mapping[str, bool] = getattr(torch.cpu, "get_capabilities", dict)()
    on_cpu = any(capabilities.get(name) for name in ("avx512_bf16", "amx_bf16", "arm_bf16"))
    return device.type == "cpu" and on_cpu


def packs(config: TimerS1Architecture, device: torch.device, dtype: torch.dtype) -> bool:
    """Whether `pack` makes such a network faster, on its device and in its type."""
    return config.hidden_size >= WIDE and can_pack(device, dtype)


def stacks(config: TimerS1Architecture, device: torch.device, dtype: torch.dtype) -> bool:
    """Whether `stack` does: grouped products take bfloat16, from compute capability 8.0 on.

    Their rows begin at multiples of 16 bytes.
    """
    sizes = config.hidden_size, config.intermediate_size // config.num_experts_per_token
    aligned = all(size % 8 == 0 for size in sizes)
    if config.hidden_size < WIDE or not aligned:
        return False
    if device.type != "cuda" or dtype != torch.bfloat16:
        return False
    return hasattr(F, "grouped_mm") and torch.cuda.get_device_capability(device) >= (8, 0)


def pack(module: nn.Module) -> None:
    """Pack the linear layers within a module for a CPU.

    Routers are left out, as they are too narrow to gain. The module can forecast afterwards, with
    the same numbers up to rounding, but not be trained, moved or converted.
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
    """Return what packs experts, stored ones or full ones, into 8 bits with outputs of a type."""

    def pack(expert: Any) -> nn.Module:
        rounded = expert if isinstance(expert, Int8Expert) else Int8Expert(expert)
        return rounded.packed(dtype)

    return pack


def join_experts(network: TimerS1Network) -> None:
    """Let the packed experts of each block share what lies between their products."""
    for part in network.modules():
        if isinstance(part, MixtureOfExperts):
            part.experts = Int8Experts(part.experts.children())


def restoring(dtype: torch.dtype) -> Pack:
    """Return what makes plain experts of stored ones, of a type."""
    return lambda expert: expert.restored(dtype)


Pack = Callable[[Any], nn.Module]
"""Makes of an expert what takes its place: another form of its weights, faster or smaller."""


def replace_experts(network: nn.Module, pack: Pack) -> None:
    """Replace the experts of a network, whether it has its weights or is empty."""
    for name in unpacked_experts(network):
        network.set_submodule(name, pack(network.get_submodule(name)))


def unpacked_experts(network: nn.Module) -> list[str]:
    """Name the experts of a network that are not packed yet."""
    kinds = (Expert, Int8Expert)
    return [name for name, module in network.named_modules() if isinstance(module, kinds)]
