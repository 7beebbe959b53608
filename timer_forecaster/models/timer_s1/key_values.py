"""Keys and values kept between the passes of a roll-out.

All blocks are causal and a row is normalised once, so what a block computed of a token holds for
the whole roll-out: each pass enters its new tokens alone. The paths that continue a row share the
row's context, which is kept once.

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

    The passes that it is given to fill it: the first enters the contexts, (B, N) tokens, and every
    later one what their paths add, (B * R, n) tokens, with the paths of a row side by side.

    Parameters
    ----------
    n_paths : int
        Paths that continue each row, R.
    capacity : int
        Tokens that each path adds in the roll-out at most; room for them is made once.
    """

    def __init__(self, n_paths: int, capacity: int) -> None:
        self.n_paths = n_paths
        self.capacity = capacity
        self._context: dict[nn.Module, tuple[Tensor, Tensor]] = {}  # each (B, H, N, d)
        self._added: dict[nn.Module, Tensor] = {}  # keys and values (2, B, H, R, capacity, d)
        self._n_added = self._n_new = 0

    @property
    def is_empty(self) -> bool:
        """Whether no context has been kept yet."""
        return not self._context

    @property
    def continues(self) -> bool:
        """Whether the pass under way enters what paths add, rather than contexts."""
        return self._n_added > 0

    def start(self, last_token: Tensor, n_tokens: int, rotary: Rotary) -> None:
        """Tell where the contexts end.

        Parameters
        ----------
        last_token : Tensor of int, shape (B,)
            Each context's newest token; what follows it is filler.
        n_tokens : int
            Tokens of the contexts, filler included.
        rotary : Rotary
            Tables of at least ``n_tokens + capacity`` positions.
        """
        filler = torch.arange(n_tokens, device=last_token.device) > last_token[:, None]
        self._filler = filler[:, None, None] if filler.any() else None  # (B, 1, 1, N)
        self._first_position = (last_token + 1).repeat_interleave(self.n_paths)[:, None]
        self._rotary = rotary

    def enter(self, n_new: int) -> Rotary:
        """Make room for more tokens of each path, and give their rotary tables."""
        positions = torch.arange(self._n_added, self._n_added + n_new)
        positions = self._first_position + positions.to(self._first_position.device)
        self._n_added, self._n_new = self._n_added + n_new, n_new
        cos, sin = (table[positions].unsqueeze(1) for table in self._rotary)
        return cos, sin

    def keep_context(self, block: nn.Module, key: Tensor, value: Tensor) -> None:
        """Keep what a block computed of the contexts, (B, H, N, d).

        It is laid out for the products of later passes, each of which would copy it otherwise.
        """
        self._context[block] = key.contiguous(), value.contiguous()

    def attend(self, block: nn.Module, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """Attend to the context and, causally, to what each path has added.

        Plain products: on a CPU torch's fused kernel is little faster for few queries and many
        keys in float32, slower in bfloat16, and needs a copy of the context for each path.

        Parameters
        ----------
        block : Module
            What keeps the keys and values.
        query : Tensor, shape (B * R, H, n', d)
            Of all new tokens, n' = n, or of the newest alone, n' = 1.
        key, value : Tensor, shape (B * R, H, n, d)
            Of the new tokens.

        Returns
        -------
        Tensor, shape (B * R, H, n', d)
        """
        context = self._context[block]
        by_row = (len(context[0]), self.n_paths)
        query, key, value = (
            part.unflatten(0, by_row).transpose(1, 2) for part in (query, key, value)
        )  # (B, H, R, n, d)
        if block not in self._added:
            size = (2, *key.shape[:3], self.capacity, key.shape[-1])
            self._added[block] = key.new_empty(size)
        added = self._added[block][..., : self._n_added, :]
        added[0, ..., -self._n_new :, :] = key
        added[1, ..., -self._n_new :, :] = value
        row_scores = query[0, ..., 0].numel() * (context[0].shape[2] + self._n_added)
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
    """One softmax over a context and what its paths added, for the queries of the newest tokens.

    Maps (B, H, R, n, d) to the same shape.
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
