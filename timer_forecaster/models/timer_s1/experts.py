"""The sparse mixture of experts, and the strategies that execute it.

A strategy is a function of ``(hidden_states, routing_weights, expert_indices, experts)`` that
returns the weighted sum of the chosen experts' outputs for every token. All of them compute the
same numbers up to rounding; which one is fastest depends on the device and on the sizes.
"""

from __future__ import annotations

import operator
import threading
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from timer_forecaster.models.timer_s1.architecture import TimerS1Architecture
from timer_forecaster.models.timer_s1.linears import PackedLinear, pad_to_grid


class Expert(nn.Module):
    """A SwiGLU network without biases: ``down(silu(gate(x)) * up(x))``."""

    def __init__(self, hidden_size: int, expert_size: int) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(hidden_size, expert_size, bias=False)
        self.up_proj = nn.Linear(hidden_size, expert_size, bias=False)
        self.down_proj = nn.Linear(expert_size, hidden_size, bias=False)

    def forward(self, hidden_states: Tensor) -> Tensor:
        """Map (tokens, hidden size) to the same shape."""
        return self.down_proj(F.silu(self.gate_proj(hidden_states)) * self.up_proj(hidden_states))


class FusedExpert(nn.Module):
    """An expert whose first two products are one: the form for 8 bits.

    So their input is rounded once; and a kernel of 8 bits can do nothing more to its sums, so that
    nothing is lost by computing what lies between the products apart. `PackedExpert` is for kernels
    that can. Both take any number of tokens, none included, and multiply numbers `on_grid` alone.

    Parameters
    ----------
    gate_up_proj : nn.Module
        Maps the hidden size to twice the expert size: the gate's half, then that of up.
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

    Kernels of these types apply the activation, and multiply by the gate, while sums are in their
    registers, for which gate and up stay apart. See `FusedExpert` for the other form.

    Parameters
    ----------
    expert : Expert
        On the CPU. Its weights are copied.
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
        Gives the expert: a module that maps (tokens, hidden size) to the same shape. It is called
        once, from whichever thread comes first.
    """

    def __init__(self, make: Callable[[], nn.Module]) -> None:
        super().__init__()
        self._make: Callable[[], nn.Module] | None = make
        self._making = threading.Lock()
        # The slot is there from the start: others may go through the modules meanwhile.
        self.expert: nn.Module
        self.register_module("expert", None)

    def forward(self, hidden_states: Tensor) -> Tensor:
        """Map (tokens, hidden size) to the same shape."""
        return self.made()(hidden_states) if len(hidden_states) else hidden_states

    def made(self) -> nn.Module:
        """Give the expert, making it the first time."""
        if self._make is not None:
            with self._making:
                if self._make is not None:  # another thread may have been faster
                    with torch.inference_mode(False):  # the weights outlive the caller's mode
                        self.expert = self._make()
                    self._make = None
        return self.expert


class StackedExperts(nn.Module):
    """All experts of a block in two stacks of weights, each multiplied in one grouped product.

    For GPUs: nothing is launched expert by expert, and no count of tokens is waited for.

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
        """Run a strategy's computation on these experts."""
        rows, order = sort_by_expert(hidden_states, expert_indices)
        chosen = expert_indices.flatten()
        counts = chosen.new_zeros(len(self.down_proj)).scatter_add(
            0, chosen, torch.ones_like(chosen)
        )
        ends = counts.cumsum(0, dtype=torch.int32)
        gate, up = F.grouped_mm(rows, self.gate_up_proj.mT, offs=ends).chunk(2, dim=-1)
        outputs = F.grouped_mm(F.silu(gate) * up, self.down_proj.mT, offs=ends)
        return combine(outputs, order, routing_weights)


def sort_by_expert(hidden_states: Tensor, expert_indices: Tensor) -> tuple[Tensor, Tensor]:
    """Repeat each token for its experts, sorted by expert: (tokens * top k, hidden size).

    Also gives the order: what number, of all first choices, then all second ones, …, comes where.
    """
    chosen = expert_indices.T.flatten()
    order = chosen.argsort(stable=True)
    return hidden_states.index_select(0, order % hidden_states.shape[0]), order


def combine(outputs: Tensor, order: Tensor, routing_weights: Tensor) -> Tensor:
    """Bring the experts' outputs back into the order of the tokens and add up each token's."""
    n_tokens, top_k = routing_weights.shape
    unsorted = torch.empty_like(outputs).index_copy_(0, order, outputs)
    parts = unsorted.view(top_k, n_tokens, -1)
    weights = routing_weights.T.unsqueeze(-1)
    combined = parts[0] * weights[0]
    for part, weight in zip(parts[1:], weights[1:], strict=True):
        combined = torch.addcmul(combined, part, weight)
    return combined


expert_map: ContextVar[Callable[..., Iterator[Tensor]]] = ContextVar("expert_map", default=map)
"""What `run_sorted` calls its experts with, as with the built-in `map`; may do so in threads."""


def run_sorted(
    hidden_states: Tensor,
    routing_weights: Tensor,
    expert_indices: Tensor,
    experts: Sequence[Expert],
) -> Tensor:
    """Sort the tokens by expert, so that each expert runs once on a contiguous slice.

    Computes only what the router asked for.
    """
    rows, order = sort_by_expert(hidden_states, expert_indices)
    counts = torch.bincount(expert_indices.flatten(), minlength=len(experts)).tolist()
    slices = rows.split(counts)
    outputs = list(expert_map.get()(operator.call, experts, slices))
    return combine(torch.cat(outputs), order, routing_weights)


def run_dense(
    hidden_states: Tensor,
    routing_weights: Tensor,
    expert_indices: Tensor,
    experts: Sequence[Expert],
) -> Tensor:
    """Run every expert on every token as one wide product, gated by the routing weights.

    Does ``num_experts / num_experts_per_token`` times the arithmetic but needs no gather and no
    synchronisation with the device: the fastest choice for few small experts.
    """
    gates = routing_weights.new_zeros(hidden_states.shape[0], len(experts))
    gates = gates.scatter(1, expert_indices, routing_weights)
    gate_proj = torch.cat([expert.gate_proj.weight for expert in experts])
    up_proj = torch.cat([expert.up_proj.weight for expert in experts])
    down_proj = torch.cat([expert.down_proj.weight for expert in experts], dim=1)
    inner = F.silu(F.linear(hidden_states, gate_proj)) * F.linear(hidden_states, up_proj)
    per_expert = inner.unflatten(-1, (len(experts), -1)) * gates.to(inner.dtype).unsqueeze(-1)
    return F.linear(per_expert.flatten(-2), down_proj)


ExpertStrategy = Callable[[Tensor, Tensor, Tensor, Sequence[Expert]], Tensor]

EXPERT_STRATEGIES: dict[str, ExpertStrategy] = {"sorted": run_sorted, "dense": run_dense}


class MixtureOfExperts(nn.Module):
    """Route each token to its top experts and sum their outputs.

    The routing weights are the softmax over *all* experts, in float32, not renormalised over the
    chosen ones (report, section 3.2; the released checkpoint does the same).

    Attributes
    ----------
    strategy : str
        A key of `EXPERT_STRATEGIES`, for experts that are modules of their own.
    """

    experts: nn.Module

    def __init__(self, config: TimerS1Architecture) -> None:
        super().__init__()
        self.top_k = config.num_experts_per_token
        self.strategy = "sorted"
        expert_size = config.intermediate_size // config.num_experts_per_token
        self.gate = nn.Linear(config.hidden_size, config.num_experts, bias=False)
        self.experts = nn.ModuleList(
            Expert(config.hidden_size, expert_size) for _ in range(config.num_experts)
        )

    def forward(self, hidden_states: Tensor) -> tuple[Tensor, Tensor]:
        """Route and run.

        Parameters
        ----------
        hidden_states : Tensor, shape (batch, tokens, hidden size)

        Returns
        -------
        output : Tensor, shape (batch, tokens, hidden size)
        router_logits : Tensor, shape (batch * tokens, experts)
        """
        tokens = hidden_states.flatten(0, 1)  # (batch * tokens, hidden size)
        router_logits = self.gate(tokens)
        probabilities = F.softmax(router_logits, dim=-1, dtype=torch.float32)
        weights, indices = probabilities.topk(self.top_k, dim=-1)
        weights = weights.to(tokens.dtype)
        if isinstance(self.experts, nn.ModuleList):
            experts = cast("Sequence[Expert]", self.experts)
            output = EXPERT_STRATEGIES[self.strategy](tokens, weights, indices, experts)
        else:
            output = self.experts(tokens, weights, indices)
        return output.view_as(hidden_states), router_logits
