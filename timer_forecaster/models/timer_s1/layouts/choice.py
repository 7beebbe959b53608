"""The layout and the type that suit a device."""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F

from timer_forecaster.models.timer_s1.architecture import TimerS1Architecture
from timer_forecaster.models.timer_s1.layouts.linears import can_pack

WIDE = 256
"""Hidden size from which on a network is packed or stacked, and computed in bfloat16 by default.

From this size on, matrix products take most of the time of a forecast.
"""


def fast_in_bfloat16(device: torch.device) -> bool:
    """Whether a device has its own instructions for bfloat16, and does not convert to float32."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    # Older versions of torch lack the function.
    capabilities: Mapping[str, bool] = getattr(torch.cpu, "get_capabilities", dict)()
    on_cpu = any(capabilities.get(name) for name in ("avx512_bf16", "amx_bf16", "arm_bf16"))
    return device.type == "cpu" and on_cpu


def packs(config: TimerS1Architecture, device: torch.device, dtype: torch.dtype) -> bool:
    """Whether `timer_forecaster.models.timer_s1.layouts.packing.pack` makes a network faster."""
    return config.hidden_size >= WIDE and can_pack(device, dtype)


def stacks(config: TimerS1Architecture, device: torch.device, dtype: torch.dtype) -> bool:
    """Whether `timer_forecaster.models.timer_s1.layouts.packing.stack` makes a network faster.

    Grouped products need bfloat16, compute capability 8.0, and rows that begin at multiples of
    16 bytes.
    """
    sizes = config.hidden_size, config.intermediate_size // config.num_experts_per_token
    aligned = all(size % 8 == 0 for size in sizes)
    if config.hidden_size < WIDE or not aligned:
        return False
    if device.type != "cuda" or dtype != torch.bfloat16:
        return False
    return hasattr(F, "grouped_mm") and torch.cuda.get_device_capability(device) >= (8, 0)
