"""Rotary attention with a gate, and its kernels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from timer_forecaster.models.timer_s1.architecture import TimerS1Architecture
from timer_forecaster.models.timer_s1.key_values import KeyValueCache, Rotary

if TYPE_CHECKING:
    from collections.abc import Callable

_PART = 128  # tokens whose attention is computed at once


def rotary_tables(
    n_tokens: int, head_dim: int, theta: float, device: torch.device, dtype: torch.dtype
) -> Rotary:
    """Cosines and sines of the rotary embedding, each (N, head size), for positions 0 … N-1.

    The first half of the sines is negated, for `rotate`.

    Computed for each roll-out rather than kept in buffers: loading a checkpoint can leave buffers
    that are not saved with it uninitialised, and the tables cost next to nothing.
    """
    exponents = torch.arange(0, head_dim, 2, dtype=torch.float32, device=device) / head_dim
    positions = torch.arange(n_tokens, dtype=torch.float32, device=device)
    angles = torch.outer(positions, 1.0 / theta**exponents)
    cos, sin = angles.cos(), angles.sin()
    return torch.cat([cos, cos], dim=-1).to(dtype), torch.cat([-sin, sin], dim=-1).to(dtype)


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Apply the half-split rotary embedding to (B, H, N, head size)."""
    return torch.addcmul(x * cos, x.roll(x.shape[-1] // 2, dims=-1), sin)


def pick(hidden_states: Tensor, newest: Tensor | None) -> Tensor:
    """Choose one token of each row of (B, N, D), given by its index (B, 1, 1): (B, 1, D).

    Without an index, or where one token is left, nothing changes.
    """
    if newest is None or hidden_states.shape[1] == 1:
        return hidden_states
    return hidden_states.take_along_dim(newest, dim=1)


def _pick_positions(table: Tensor, newest: Tensor) -> Tensor:
    """Choose from a rotary table what belongs to one token of each row, (B, 1, 1, head size)."""
    return table[newest] if table.ndim == 2 else table.take_along_dim(newest.unsqueeze(1), dim=2)


def mask_filler(newest: Tensor, n_tokens: int) -> Tensor | None:
    """Tell the newest token of each row (B, 1, 1) which tokens to attend to, (B, 1, 1, N).

    None where no row has filler after it: attention is faster without a mask.
    """
    mask = torch.arange(n_tokens, device=newest.device) <= newest.unsqueeze(-1)
    return None if mask.all() else mask


def eager_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
) -> Tensor:
    """Attention from plain products, with the signature of torch's fused one.

    Forward and backward together, torch's fused kernel is three to four times slower than this
    on a CPU in bfloat16 at 64 to 128 tokens; in float32 it is the faster one.
    """
    scores = query @ key.transpose(-2, -1) * query.shape[-1] ** -0.5
    if is_causal:
        n_tokens = scores.shape[-1]
        future = torch.ones(n_tokens, n_tokens, dtype=torch.bool, device=scores.device).triu(1)
        scores = scores.masked_fill(future, -torch.inf)
    if attn_mask is not None:
        scores = scores.masked_fill(~attn_mask, -torch.inf)
    return F.dropout(scores.softmax(-1), dropout_p) @ value


def fastest_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
) -> Tensor:
    """Attend by torch's fused kernel, or by plain products where a forecast is faster with them.

    That is on a CPU in bfloat16: 0.6 to 0.75 of the time.
    """
    in_bfloat16 = key.dtype == torch.bfloat16 and key.device.type == "cpu"
    if not (in_bfloat16 and is_causal) or dropout_p or torch.is_grad_enabled():
        return F.scaled_dot_product_attention(query, key, value, attn_mask, dropout_p, is_causal)
    return _attend_in_parts(query, key, value)


def _attend_in_parts(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Attend causally by plain products, in parts that leave most of what is masked out."""
    batch_and_heads, n_tokens = query.shape[:2], query.shape[2]
    query, key, value = (part.flatten(0, 1) for part in (query, key, value))  # (B * H, N, d)
    attended = torch.empty_like(value)
    for start in range(0, n_tokens, _PART):
        stop = min(start + _PART, n_tokens)
        future = query.new_full((stop - start, stop), -torch.inf).triu(1 + start)
        known = key[:, :stop].transpose(-2, -1)
        scale = query.shape[-1] ** -0.5
        scores = torch.baddbmm(future, query[:, start:stop], known, alpha=scale)
        attended[:, start:stop] = scores.softmax(-1) @ value[:, :stop]
    return attended.unflatten(0, batch_and_heads)


ATTENTION_KERNELS: dict[str, Callable[..., Tensor]] = {
    "fastest": fastest_attention,
    "sdpa": F.scaled_dot_product_attention,
    "eager": eager_attention,
}


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
        """Attend causally over (B, N, D); see `TimeMoEBlock.forward` for the other arguments."""
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
        """Give queries (B, H, N', d), keys and values (B, H, N, d), and gates (B, N', D).

        Queries and keys are normalised already: a rotation does not change the norm, and here
        each head of a token is contiguous.
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
