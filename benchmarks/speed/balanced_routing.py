"""Routers that use all experts equally often, for networks of random weights."""

from __future__ import annotations

from typing import Any

GATE_ROWS = 4099
"""Rows of the table of router logits: a prime, so that no batch shape repeats them in step."""


def balance(network: Any) -> None:
    """Replace every router of a network by a table of random logits.

    The network is the released one or ours. Routers of random weights send nearly all tokens to a
    few experts. The weights of these experts stay in the caches of the processor, which hides the
    cost of reading weights. With the table, the logits of a token depend on its row number in the
    call and not on its values.
    """
    serial = getattr(network, "mtp_modules", ())
    for block in [*network.model.layers, *(one.layer for one in serial)]:
        block.ffn_layer.gate = balanced_gate(network.config.num_experts).to(network.device)


def balanced_gate(n_experts: int) -> Any:
    """Return a module whose pseudo-random logits depend on the row numbers alone."""
    import torch

    class BalancedGate(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            generator = torch.Generator().manual_seed(n_experts)
            table = torch.randn(GATE_ROWS, n_experts, generator=generator)
            self.register_buffer("table", table, persistent=False)

        def forward(self, tokens: torch.Tensor) -> torch.Tensor:
            rows = torch.arange(tokens.shape[0], device=tokens.device) % GATE_ROWS
            return self.table[rows].to(tokens.dtype)

    return BalancedGate()
