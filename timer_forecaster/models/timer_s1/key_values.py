"""Keys and values kept between the passes of a roll-out.

All blocks are causal and a row is normalized once. The keys and values of a token therefore hold
for the whole roll-out, and each pass enters only its new tokens. The paths that continue a row
share the context of the row, which is kept once.

Shapes in comments: B rows, R paths of each row, N tokens of the context, n new tokens of each path,
M tokens that a path has added so far, H heads, d head size.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

Rotary = tuple[Tensor, Tensor]
"""Cosines and sines, each (tokens, d), or (B * R, 1, tokens, d) where rows differ in position."""

_MOST_SCORES = 2**26  # attention scores computed at once


class KeyValueCache:
    """Keys and values of every block in a roll-out; for inference, without gradients.

    The passes of the roll-out fill the cache. The first passes enter the contexts, (B, N) tokens,
    all rows at once or some rows in each pass. Every later pass enters the new tokens of the
    paths of all rows, (B * R, n) tokens, with the paths of a row side by side.

    Parameters
    ----------
    last_token : Tensor of int, shape (B,)
        Index of the newest token of each context; the tokens after it are filler.
    n_tokens : int
        Tokens of the contexts, filler included.
    n_paths : int
        Paths that continue each row, R.
    capacity : int
        Most tokens that each path adds in the roll-out; memory for them is allocated once.

    Attributes
    ----------
    rotary : Rotary or None
        Tables of ``n_tokens + capacity`` positions. The network sets them in the first pass.
    """

    def __init__(self, last_token: Tensor, n_tokens: int, n_paths: int, capacity: int) -> None:
        self.n_tokens = n_tokens
        self.capacity = capacity
        self.rotary: Rotary | None = None
        filler = torch.arange(n_tokens, device=last_token.device) > last_token[:, None]
        self._filler = filler[:, None, None] if filler.any() else None  # (B, 1, 1, N)
        self._first_position = (last_token + 1).repeat_interleave(n_paths)[:, None]  # (B * R, 1)
        self._n_rows, self._n_paths = len(last_token), n_paths
        self._context: dict[nn.Module, Tensor] = {}  # keys and values (2, B, H, N, d)
        self._added: dict[nn.Module, Tensor] = {}  # keys and values (2, B, H, R, capacity, d)
        self._entered = slice(0, 0)  # rows whose contexts were entered last
        self._n_added = self._n_new = 0

    @property
    def continues(self) -> bool:
        """Whether the current pass enters new tokens of paths, and not contexts."""
        return self._n_added > 0

    def enter(self, n_rows: int, n_tokens: int) -> Rotary:
        """Reserve the places of the tokens of a pass, and return their rotary tables."""
        assert self.rotary is not None  # noqa: S101
        cos, sin = self.rotary
        if self._entered.stop < self._n_rows:
            self._entered = slice(self._entered.stop, self._entered.stop + n_rows)
            return cos[:n_tokens], sin[:n_tokens]
        positions = torch.arange(n_tokens, device=self._first_position.device)
        positions = self._first_position + self._n_added + positions  # (B * R, n)
        self._n_added, self._n_new = self._n_added + n_tokens, n_tokens
        return cos[positions].unsqueeze(1), sin[positions].unsqueeze(1)

    def keep_context(self, block: nn.Module, key: Tensor, value: Tensor) -> None:
        """Keep the keys and values of a block for the contexts of this pass, (rows, H, N, d)."""
        if block not in self._context:
            size = (2, self._n_rows, key.shape[1], self.n_tokens, key.shape[3])
            self._context[block] = key.new_empty(size)
        self._context[block][0, self._entered] = key
        self._context[block][1, self._entered] = value

    def attend(self, block: nn.Module, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """Attend to the context and, causally, to the tokens that each path has added.

        Attention is computed by plain products. For few queries and many keys on a CPU, torch's
        fused kernel is hardly faster in float32 and slower in bfloat16, and it needs a copy of
        the context for each path.

        Parameters
        ----------
        block : Module
            The attention that the keys and values belong to.
        query : Tensor, shape (B * R, H, n', d)
            Queries of all new tokens, n' = n, or of the newest only, n' = 1.
        key, value : Tensor, shape (B * R, H, n, d)
            Keys and values of the new tokens.

        Returns
        -------
        Tensor, shape (B * R, H, n', d)
        """
        context = self._context[block]
        by_row = (self._n_rows, self._n_paths)
        query, key, value = (
            part.unflatten(0, by_row).transpose(1, 2) for part in (query, key, value)
        )  # (B, H, R, n, d)
        if block not in self._added:
            size = (2, *key.shape[:3], self.capacity, key.shape[-1])
            self._added[block] = key.new_empty(size)
        added = self._added[block][..., : self._n_added, :]
        added[0, ..., -self._n_new :, :] = key
        added[1, ..., -self._n_new :, :] = value
        row_scores = query[0, ..., 0].numel() * (self.n_tokens + self._n_added)
        rows = max(1, _MOST_SCORES // row_scores)
        filler = () if self._filler is None else (self._filler,)
        turns = zip(*(part.split(rows) for part in (query, *context, *added, *filler)), strict=True)
        attended = torch.cat([_attend_jointly(*turn) for turn in turns])
        return attended.transpose(1, 2).flatten(0, 1)


def _attend_jointly(
    query: Tensor,
    context_key: Tensor,
    context_value: Tensor,
    added_key: Tensor,
    added_value: Tensor,
    filler: Tensor | None = None,
) -> Tensor:
    """Attend by one softmax over a context and the tokens that its paths added.

    Queries (B, H, R, n, d) are mapped to the same shape.
    """
    n_paths, n_queries, head_dim = query.shape[2:]
    query = query * head_dim**-0.5
    to_context = query.flatten(2, 3) @ context_key.transpose(-2, -1)  # (B, H, R n, N)
    if filler is not None:
        to_context.masked_fill_(filler, -torch.inf)
    to_added = query @ added_key.transpose(-2, -1)  # (B, H, R, n, M)
    if n_queries > 1:
        pairs = torch.ones(to_added.shape[-2:], dtype=torch.bool, device=query.device)
        to_added.masked_fill_(pairs.triu(1 + pairs.shape[1] - n_queries), -torch.inf)
    weights = torch.cat([to_context, to_added.flatten(2, 3)], dim=-1).softmax(-1)
    of_context, of_added = weights.tensor_split([to_context.shape[-1]], dim=-1)
    split = (n_paths, n_queries)
    attended = (of_context @ context_value).unflatten(2, split)
    return attended + of_added.unflatten(2, split) @ added_value
