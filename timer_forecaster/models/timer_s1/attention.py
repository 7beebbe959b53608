"""Rotary attention with a gate.

Shapes in comments: B batch, N tokens, D hidden size, H heads, d head size.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from timer_forecaster.models.timer_s1.architecture import TimerS1Architecture
from timer_forecaster.models.timer_s1.attention_kernels import ATTENTION_KERNELS
from timer_forecaster.models.timer_s1.key_values import KeyValueCache, Rotary


def rotary_tables(
    n_tokens: int, head_dim: int, theta: float, device: torch.device, dtype: torch.dtype
) -> Rotary:
    """Return cosines and sines of the rotary embedding, each (N, d), for positions 0 to N - 1.

    The first half of the sines is negated, for `rotate`.

    The tables are computed for each roll-out and not kept in buffers: loading a checkpoint can
    leave buffers that it does not hold uninitialized, and the tables cost next to nothing.
    """
    exponents = torch.arange(0, head_dim, 2, dtype=torch.float32, device=device) / head_dim
    positions = torch.arange(n_tokens, dtype=torch.float32, device=device)
    angles = torch.outer(positions, 1.0 / theta**exponents)
    cos, sin = angles.cos(), angles.sin()
    return torch.cat([cos, cos], dim=-1).to(dtype), torch.cat([-sin, sin], dim=-1).to(dtype)


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Apply the half-split rotary embedding to (B, H, N, d)."""
    return torch.addcmul(x * cos, x.roll(x.shape[-1] // 2, dims=-1), sin)


def pick(hidden_states: Tensor, newest: Tensor | None) -> Tensor:
    """Return one token of each row of (B, N, D), chosen by its index (B, 1, 1): (B, 1, D).

    Without an index, or if a row has one token only, all tokens are returned.
    """
    if newest is None or hidden_states.shape[1] == 1:
        return hidden_states
    return hidden_states.take_along_dim(newest, dim=1)


def _pick_positions(table: Tensor, newest: Tensor) -> Tensor:
    """Return the entries of a rotary table for one token of each row, (B, 1, 1, d)."""
    return table[newest] if table.ndim == 2 else table.take_along_dim(newest.unsqueeze(1), dim=2)


def mask_filler(newest: Tensor, n_tokens: int) -> Tensor | None:
    """Return the mask of the tokens up to the newest token (B, 1, 1) of each row, (B, 1, 1, N).

    The result is None if no row has filler: attention is faster without a mask.
    """
    mask = torch.arange(n_tokens, device=newest.device) <= newest.unsqueeze(-1)
    return None if mask.all() else mask


def _unit_rms(x: Tensor) -> Tensor:
    """Divide the last dimension by its root mean square, in float32."""
    wide = x.float()
    mean_square = torch.linalg.vector_norm(wide, dim=-1, keepdim=True).square() / x.shape[-1]
    return (wide * torch.rsqrt(mean_square + 1e-6)).to(x.dtype)


class GatedAttention(nn.Module):
    """Causal attention with QK-norm after the rotary embedding and a sigmoid output gate.

    Attributes
    ----------
    kernel : str
        A key of `ATTENTION_KERNELS`.
    """

    def __init__(self, config: TimerS1Architecture) -> None:
        super().__init__()
        size = config.hidden_size
        self.num_heads = config.num_attention_heads
        self.head_dim = size // config.num_attention_heads
        self.dropout_rate = config.dropout_rate
        self.kernel = "fastest"
        self.q_proj = nn.Linear(size, size)
        self.k_proj = nn.Linear(size, size)
        self.v_proj = nn.Linear(size, size)
        self.gate_proj = nn.Linear(size, size)
        self.o_proj = nn.Linear(size, size, bias=False)
        self.q_scale = nn.Parameter(torch.ones(self.head_dim))
        self.k_scale = nn.Parameter(torch.ones(self.head_dim))

    def forward(
        self,
        hidden_states: Tensor,
        rotary: Rotary,
        newest: Tensor | None = None,
        cache: KeyValueCache | None = None,
    ) -> Tensor:
        """Attend causally over (B, N, D); `TimeMoEBlock.forward` explains the other arguments."""
        asking, query_rotary = hidden_states, rotary
        if newest is not None:
            asking = pick(hidden_states, newest)  # (B, 1, D)
            query_rotary = _pick_positions(rotary[0], newest), _pick_positions(rotary[1], newest)
        query, key, value, gate = self._project(asking, hidden_states)
        query = rotate(query, *(table * self.q_scale for table in query_rotary)).to(query.dtype)
        key = rotate(key, *(table * self.k_scale for table in rotary)).to(key.dtype)
        if cache is not None and cache.continues:
            attended = cache.attend(self, query, key, value)
        else:
            attended = self._attend(query, key, value, newest)
            if cache is not None:
                cache.keep_context(self, key, value)
        attended = attended.transpose(1, 2).flatten(-2)  # (B, N, D)
        return self.o_proj(attended * torch.sigmoid(gate))

    def _project(
        self, asking: Tensor, hidden_states: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return queries (B, H, N', d), keys and values (B, H, N, d), and gates (B, N', D).

        N' is the number of tokens that ask. Queries and keys are normalized here and not after
        the rotation: a rotation does not change the norm, and here the values of a head of a
        token are contiguous in memory.
        """
        split = (self.num_heads, self.head_dim)
        query = _unit_rms(self.q_proj(asking).unflatten(-1, split)).transpose(1, 2)
        key = _unit_rms(self.k_proj(hidden_states).unflatten(-1, split)).transpose(1, 2)
        value = self.v_proj(hidden_states).unflatten(-1, split).transpose(1, 2)
        return query, key, value, self.gate_proj(asking)

    def _attend(self, query: Tensor, key: Tensor, value: Tensor, newest: Tensor | None) -> Tensor:
        mask = None if newest is None else mask_filler(newest, key.shape[2])
        dropout = self.dropout_rate if self.training else 0.0
        attend = ATTENTION_KERNELS[self.kernel]
        return attend(query, key, value, mask, dropout, is_causal=newest is None)
