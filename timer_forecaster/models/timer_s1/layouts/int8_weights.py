"""Experts in 8-bit integers as they are stored; other forms are made from them.

Shapes in comments: D inputs, O outputs.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from timer_forecaster.models.timer_s1.experts import Expert
from timer_forecaster.models.timer_s1.layouts.experts import FusedExpert
from timer_forecaster.models.timer_s1.layouts.int8 import Int8Linear
from timer_forecaster.models.timer_s1.layouts.rounding import quantize_weight
from timer_forecaster.models.weightless import weightless


class Int8Weights(nn.Module):
    """Weights of a linear layer as a checkpoint of 8 bits stores them; they cannot compute.

    Buffers are ``weight``, of int8 and shape (O, D), and ``weight_scale``, of shape (O, 1).
    """

    weight: Tensor
    weight_scale: Tensor

    def __init__(self, weight: Tensor, weight_scale: Tensor) -> None:
        super().__init__()
        self.register_buffer("weight", weight)
        self.register_buffer("weight_scale", weight_scale)


class Int8Expert(nn.Module):
    """The weights of an expert, rounded to 8 bits.

    Parameters
    ----------
    expert : Expert
        The expert to round.
    rounded : callable
        Returns the integers (O, D) and the step sizes (O, 1) of a weight.
    """

    def __init__(
        self,
        expert: Expert,
        rounded: Callable[[Tensor], tuple[Tensor, Tensor]] = quantize_weight,
    ) -> None:
        super().__init__()
        self.gate_proj = Int8Weights(*rounded(expert.gate_proj.weight))
        self.up_proj = Int8Weights(*rounded(expert.up_proj.weight))
        self.down_proj = Int8Weights(*rounded(expert.down_proj.weight))

    @classmethod
    def unread(cls, expert: Expert) -> Int8Expert:
        """Return an expert of the same sizes whose weights are still to be read from a file."""
        return cls(expert, _room_for)

    def packed(self, dtype: torch.dtype) -> FusedExpert:
        """Return the expert that computes; between its products it computes in float32.

        Parameters
        ----------
        dtype : torch.dtype
            Type of the outputs.

        Raises
        ------
        ImportError
            If this build of torch has no such kernel.
        """
        gate, up, down = self.gate_proj, self.up_proj, self.down_proj
        gate_up = Int8Linear(
            torch.cat([gate.weight, up.weight]), torch.cat([gate.weight_scale, up.weight_scale])
        )
        return FusedExpert(gate_up, Int8Linear(down.weight, down.weight_scale, dtype))

    def restored(self, dtype: torch.dtype) -> Expert:
        """Return a plain expert of the rounded weights, for devices without 8-bit kernels."""
        inner, size = self.gate_proj.weight.shape
        with weightless():
            expert = Expert(size, inner)
        for name in ("gate_proj", "up_proj", "down_proj"):
            stored = getattr(self, name)
            weight = (stored.weight * stored.weight_scale).to(dtype)
            getattr(expert, name).load_state_dict({"weight": weight}, assign=True)
        return expert


def _room_for(weight: Tensor) -> tuple[Tensor, Tensor]:
    """Return tensors without values for the integers and the step sizes of a weight."""
    scale = torch.empty(len(weight), 1, dtype=torch.float32, device=weight.device)
    return torch.empty_like(weight, dtype=torch.int8, requires_grad=False), scale
