"""The sparse mixture of experts, and the strategies that execute it.

A strategy is a function of ``(hidden_states, routing_weights, expert_indices, experts)`` that
returns the weighted sum of the chosen experts' outputs for every token. All of them compute the
same numbers up to rounding; which one is fastest depends on the device and on the sizes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .architecture import TimerS1Architecture


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
    """An expert whose first two products are one, of weights that are packed.

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
        gate, up = self.gate_up_proj(hidden_states).chunk(2, dim=-1)
        return self.down_proj(F.silu(gate) * up)


def run_sorted(
    hidden_states: Tensor,
    routing_weights: Tensor,
    expert_indices: Tensor,
    experts: Sequence[Expert],
) -> Tensor:
    """Sort the tokens by expert, so that each expert runs once on a contiguous slice.

    Computes only what the router asked for.
    """
    n_tokens, top_k = expert_indices.shape
    chosen = expert_indices.T.flatten()  # all first choices, then all second ones, …
    order = chosen.argsort(stable=True)
    counts = torch.bincount(chosen, minlength=len(experts)).tolist()
    slices = hidden_states.index_select(0, order % n_tokens).split(counts)
    outputs = torch.cat([expert(part) for expert, part in zip(experts, slices, strict=True)])
    unsorted = torch.empty_like(outputs).index_copy_(0, order, outputs)
    weighted = unsorted.view(top_k, n_tokens, -1) * routing_weights.T.unsqueeze(-1)
    return weighted.sum(dim=0)


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
        A key of `EXPERT_STRATEGIES`.
    """

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
        run = EXPERT_STRATEGIES[self.strategy]
        experts = cast("Sequence[Expert]", self.experts)
        output = run(tokens, weights.to(tokens.dtype), indices, experts)
        return output.view_as(hidden_states), router_logits
