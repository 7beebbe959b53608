"""Experts in forms that a device computes faster."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from timer_forecaster.locks import RenewedLock
from timer_forecaster.models.timer_s1.experts import Expert, combine, sort_by_expert
from timer_forecaster.models.timer_s1.layouts.linears import PackedLinear, pad_to_grid


class FusedExpert(nn.Module):
    """An expert that computes its first two products as one: the form for 8 bits.

    The input of both products is then rounded once. The activation and the gate are computed
    after the product, because an 8-bit kernel cannot include them; `PackedExpert` is the form for
    kernels that can. Both forms take any number of tokens, also none, and pad it by `pad_to_grid`.

    Parameters
    ----------
    gate_up_proj : nn.Module
        Maps the hidden size to twice the expert size: first the half of gate, then the half of up.
    down_proj : nn.Module
        Maps the expert size to the hidden size.
    """

    def __init__(self, gate_up_proj: nn.Module, down_proj: nn.Module) -> None:
        super().__init__()
        self.gate_up_proj = gate_up_proj
        self.down_proj = down_proj

    def forward(self, hidden_states: Tensor) -> Tensor:
        """Map (tokens, hidden size) to the same shape."""
        if not len(hidden_states):
            return hidden_states
        rows = pad_to_grid(hidden_states)
        gate, up = self.gate_up_proj(rows).chunk(2, dim=-1)
        return self.down_proj(F.silu(gate) * up)[: len(hidden_states)]


class PackedExpert(nn.Module):
    """An `Expert` of `PackedLinear` layers: the form for float32 and bfloat16.

    Kernels of these types apply the activation and multiply by the gate while the sums are in
    registers. Gate and up therefore stay two products. `FusedExpert` is the form for 8 bits.

    Parameters
    ----------
    expert : Expert
        An expert on the CPU. Its weights are copied.
    """

    def __init__(self, expert: Expert) -> None:
        super().__init__()
        self.gate_proj = PackedLinear(expert.gate_proj)
        self.up_proj = PackedLinear(expert.up_proj)
        self.down_proj = PackedLinear(expert.down_proj)

    def forward(self, hidden_states: Tensor) -> Tensor:
        """Map (tokens, hidden size) to the same shape."""
        if not len(hidden_states):
            return hidden_states
        rows = pad_to_grid(hidden_states)
        gate = self.gate_proj(rows, "swish")
        return self.down_proj(self.up_proj.times(rows, gate))[: len(hidden_states)]


class DeferredExpert(nn.Module):
    """An expert that is made when the first token comes to it.

    Parameters
    ----------
    make : callable
        Returns the expert: a module that maps (tokens, hidden size) to the same shape. It is
        called once, in the first thread that needs the expert.
    """

    def __init__(self, make: Callable[[], nn.Module]) -> None:
        super().__init__()
        self._make: Callable[[], nn.Module] | None = make
        self._making = RenewedLock()
        # Registered from the start: other threads may iterate over the modules meanwhile.
        self.expert: nn.Module
        self.register_module("expert", None)

    def forward(self, hidden_states: Tensor) -> Tensor:
        """Map (tokens, hidden size) to the same shape."""
        return self.made()(hidden_states) if len(hidden_states) else hidden_states

    def made(self) -> nn.Module:
        """Return the expert, and make it the first time."""
        if self._make is not None:
            with self._making:
                if self._make is not None:  # no other thread has made it meanwhile
                    with torch.inference_mode(False):  # the weights outlive the caller's mode
                        self.expert = self._make()
                    self._make = None
        return self.expert


class StackedExperts(nn.Module):
    """All experts of a block in two stacks of weights, each multiplied in one grouped product.

    This is the form for GPUs: there is one launch for all experts, and the program does not wait
    for the number of tokens of each.

    Parameters
    ----------
    experts : sequence of Expert
        Their weights are copied.
    """

    def __init__(self, experts: Sequence[Expert]) -> None:
        super().__init__()
        gate_up = [torch.cat([e.gate_proj.weight, e.up_proj.weight]) for e in experts]
        self.gate_up_proj = nn.Parameter(torch.stack(gate_up))  # (experts, 2 sizes, hidden size)
        self.down_proj = nn.Parameter(torch.stack([e.down_proj.weight for e in experts]))

    def forward(
        self, hidden_states: Tensor, routing_weights: Tensor, expert_indices: Tensor
    ) -> Tensor:
        """Compute the result of a strategy with these experts."""
        rows, order = sort_by_expert(hidden_states, expert_indices)
        chosen = expert_indices.flatten()
        counts = chosen.new_zeros(len(self.down_proj)).scatter_add(
            0, chosen, torch.ones_like(chosen)
        )
        ends = counts.cumsum(0, dtype=torch.int32)
        gate, up = F.grouped_mm(rows, self.gate_up_proj.mT, offs=ends).chunk(2, dim=-1)
        outputs = F.grouped_mm(F.silu(gate) * up, self.down_proj.mT, offs=ends)
        return combine(outputs, order, routing_weights)
