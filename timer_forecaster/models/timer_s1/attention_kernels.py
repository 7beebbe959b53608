"""Attention as a function of queries, keys and values, in several kernels.

Shapes in comments: B batch, N tokens, H heads, d head size.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

if TYPE_CHECKING:
    from collections.abc import Callable

_PART = 128  # queries in a part of `_attend_in_parts`


def eager_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
) -> Tensor:
    """Attend by plain products, with the signature of torch's fused kernel.

    On a CPU in bfloat16, torch's fused kernel takes three to four times as long for forward and
    backward together, at 64 to 128 tokens. In float32 the fused kernel is faster.
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

    Plain products are faster on a CPU in bfloat16: they take 0.6 to 0.75 of the time.
    """
    in_bfloat16 = key.dtype == torch.bfloat16 and key.device.type == "cpu"
    if not (in_bfloat16 and is_causal) or dropout_p or torch.is_grad_enabled():
        return F.scaled_dot_product_attention(query, key, value, attn_mask, dropout_p, is_causal)
    return _attend_in_parts(query, key, value)


def _attend_in_parts(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Attend causally by plain products, in parts that skip most of the masked scores."""
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
"""Kernels by name; all compute the same numbers up to rounding."""
