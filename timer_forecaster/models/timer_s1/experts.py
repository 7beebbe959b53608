"""The sparse mixture of experts, and the strategies that execute it.

A strategy is a function of ``(hidden_states, routing_weights, expert_indices, experts)``. It
returns, for every token, the weighted sum of the outputs of the chosen experts. All strategies
compute the same numbers up to rounding. The fastest one depends on the device and on the sizes.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from timer_forecaster.models.timer_s1.architecture import TimerS1Architecture


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


def sort_by_expert(hidden_states: Tensor, expert_indices: Tensor) -> tuple[Tensor, Tensor]:
    """Repeat each token for its experts, and sort the copies by expert.

    Returns
    -------
    rows : Tensor, shape (tokens * top k, hidden size)
    order : Tensor of int, shape (tokens * top k,)
        For each row, its number among all first choices, then all second choices, and so on.
    """
    chosen = expert_indices.T.flatten()
    order = chosen.argsort(stable=True)
    return hidden_states.index_select(0, order % hidden_states.shape[0]), order


def combine(outputs: Tensor, order: Tensor, routing_weights: Tensor) -> Tensor:
    """Return the weighted sum of the sorted outputs for each token, in the order of the tokens."""
    n_tokens, top_k = routing_weights.shape
    unsorted = torch.empty_like(outputs).index_copy_(0, order, outputs)
    parts = unsorted.view(top_k, n_tokens, -1)
    weights = routing_weights.T.unsqueeze(-1)
    combined = parts[0] * weights[0]
    for part, weight in zip(parts[1:], weights[1:], strict=True):
        combined = torch.addcmul(combined, part, weight)
    return combined


expert_map: ContextVar[Callable[..., Iterator[Tensor]]] = ContextVar("expert_map", default=map)
"""The function that `run_sorted` uses in place of the built-in `map`; it may use threads."""


def run_sorted(
    hidden_states: Tensor,
    routing_weights: Tensor,
    expert_indices: Tensor,
    experts: Sequence[Expert],
) -> Tensor:
    """Sort the tokens by expert, so that each expert runs once on a contiguous slice.

    No expert computes tokens that the router did not send to it.
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

    This takes ``num_experts / num_experts_per_token`` times the arithmetic, but no gather and no
    synchronization with the device. It is the fastest strategy for few small experts, and the only
    one that can be exported. Experts whose layers another library has changed run one by one.
    """
    gates = routing_weights.new_zeros(hidden_states.shape[0], len(experts))
    gates = gates.scatter(1, expert_indices, routing_weights)
    if not all(_is_plain(expert) for expert in experts):
        outputs = torch.stack([expert(hidden_states) for expert in experts], dim=1)
        return (outputs * gates.to(outputs.dtype).unsqueeze(-1)).sum(1)
    gate_proj = torch.cat([expert.gate_proj.weight for expert in experts])
    up_proj = torch.cat([expert.up_proj.weight for expert in experts])
    down_proj = torch.cat([expert.down_proj.weight for expert in experts], dim=1)
    inner = F.silu(F.linear(hidden_states, gate_proj)) * F.linear(hidden_states, up_proj)
    per_expert = inner.unflatten(-1, (len(experts), -1)) * gates.to(inner.dtype).unsqueeze(-1)
    return F.linear(per_expert.flatten(-2), down_proj)


def _is_plain(expert: Expert) -> bool:
    """Whether the weights of an expert are all that it computes with.

    The peft library adds matrices beside a layer, and accelerate fetches its weights.
    """
    layers = (expert.gate_proj, expert.up_proj, expert.down_proj)
    return all(type(layer) is nn.Linear and not hasattr(layer, "_hf_hook") for layer in layers)


def _in_a_program() -> bool:
    """Whether torch is writing down a program, which cannot depend on the choices of routers."""
    # Older versions of torch do not tell an export from a compilation.
    exporting = getattr(torch.compiler, "is_exporting", torch.compiler.is_compiling)
    return bool(exporting() or torch._C._get_tracing_state())


ExpertStrategy = Callable[[Tensor, Tensor, Tensor, Sequence[Expert]], Tensor]

EXPERT_STRATEGIES: dict[str, ExpertStrategy] = {"sorted": run_sorted, "dense": run_dense}


class MixtureOfExperts(nn.Module):
    """Route each token to its top experts and sum their outputs.

    The routing weights are the softmax over *all* experts, in float32. They are not normalized
    again over the chosen experts (report, section 3.2; the released checkpoint does the same).

    Attributes
    ----------
    strategy : str
        A key of `EXPERT_STRATEGIES`. It applies if the experts are a list of modules, except in
        ``torch.export`` and ``torch.jit.trace``, which always use ``"dense"``.
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
        """Route the tokens, and run the experts.

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
            # The numbers of tokens of "sorted" would be written into the program as constants.
            strategy = "dense" if _in_a_program() else self.strategy
            output = EXPERT_STRATEGIES[strategy](tokens, weights, indices, experts)
        else:
            output = self.experts(tokens, weights, indices)
        return output.view_as(hidden_states), router_logits
