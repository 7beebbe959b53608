"""Layers that take the place of a network's own where an adapter changes weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import torch.nn.functional as F
from torch import Tensor, nn

from timer_forecaster.models.timer_s1.layouts.experts import DeferredExpert, FusedExpert
from timer_forecaster.models.timer_s1.layouts.linears import pad_to_grid
from timer_forecaster.models.weightless import weightless


class OwnTypeLinear(nn.Linear):
    """A linear layer that computes in the type of its weight, whatever the type of its input.

    Tuned weights thus stay in float32 in networks of a smaller type.
    """

    @classmethod
    def of(cls, weight: nn.Parameter, bias: nn.Parameter | None) -> OwnTypeLinear:
        """Return a layer with these weights, which are not copied."""
        with weightless():
            layer = cls(weight.shape[1], weight.shape[0], bias is not None)
        layer.weight, layer.bias = weight, bias  # type: ignore[assignment]
        return layer

    def forward(self, x: Tensor) -> Tensor:
        """Map (..., in size) to (..., out size), in the type of the weight."""
        return super().forward(x.to(self.weight.dtype))


class InnerLinear(OwnTypeLinear):
    """An `OwnTypeLinear` whose outputs have the type of its inputs, for the layer after it."""

    def forward(self, x: Tensor) -> Tensor:
        """Map (..., in size) to (..., out size), in the type of the input."""
        return super().forward(x).to(x.dtype)


class ShiftedLinear(nn.Module):
    """A linear layer of any kind with another bias."""

    def __init__(self, base: nn.Module, bias: nn.Parameter) -> None:
        super().__init__()
        self.base, self.bias = base, bias

    def forward(self, x: Tensor) -> Tensor:
        """Map (..., in size) to (..., out size)."""
        output: Tensor = self.base(x)
        return (output + (self.bias - cast("Tensor", self.base.bias))).to(output.dtype)


class LowRank(nn.Module):
    """Two matrices whose product is added to the weight of a layer (LoRA: Hu et al., 2022).

    There is no separate factor: it is part of the second matrix.

    Parameters
    ----------
    lora_a : Parameter, shape (rank, in size)
    lora_b : Parameter, shape (out size, rank)
    """

    def __init__(self, lora_a: nn.Parameter, lora_b: nn.Parameter) -> None:
        super().__init__()
        self.lora_A, self.lora_B = OwnTypeLinear.of(lora_a, None), OwnTypeLinear.of(lora_b, None)

    def forward(self, x: Tensor, output: Tensor) -> Tensor:
        """Add the product of the matrices and the input x to the output of the layer."""
        return (output + self.lora_B(self.lora_A(x))).to(output.dtype)


class WidenedLinear(nn.Module):
    """A linear layer of any kind with a `LowRank` beside it."""

    def __init__(self, base: nn.Module, low_rank: LowRank) -> None:
        super().__init__()
        self.base, self.low_rank = base, low_rank

    def forward(self, x: Tensor) -> Tensor:
        """Map (..., in size) to (..., out size)."""
        return self.low_rank(x, self.base(x))


class AdaptedExpert(nn.Module):
    """An expert that is laid out for a device, with changes beside its projections.

    Parameters
    ----------
    base : nn.Module
        A `PackedExpert`, `FusedExpert` or `DeferredExpert`, which is shared.
    changes : mapping of str to nn.Module
        Changes by the name of the projection: a `LowRank` is added to it, a layer replaces it.
        Other projections stay as they are.
    """

    def __init__(self, base: nn.Module, changes: Mapping[str, nn.Module]) -> None:
        super().__init__()
        self.base = base
        self.changes = nn.ModuleDict(changes)

    def forward(self, hidden_states: Tensor) -> Tensor:
        """Map (tokens, hidden size) to the same shape."""
        if not len(hidden_states):
            return hidden_states
        base: Any = self.base.made() if isinstance(self.base, DeferredExpert) else self.base
        rows = pad_to_grid(hidden_states)
        if isinstance(base, FusedExpert):
            gate, up = base.gate_up_proj(rows).chunk(2, dim=-1)
        else:
            gate, up = base.gate_proj(rows), base.up_proj(rows)
        gate, up = self._changed("gate_proj", rows, gate), self._changed("up_proj", rows, up)
        inner = F.silu(gate) * up
        return self._changed("down_proj", inner, base.down_proj(inner))[: len(hidden_states)]

    def _changed(self, projection: str, x: Tensor, output: Tensor) -> Tensor:
        if projection not in self.changes:
            return output
        change = self.changes[projection]
        changed: Tensor = change(x, output) if isinstance(change, LowRank) else change(x)
        return changed.to(output.dtype)
