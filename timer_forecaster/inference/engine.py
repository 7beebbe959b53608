"""Rows in, quantiles out: token batches, passes and roll-out beyond one pass.

Shapes in comments: B rows, N tokens, P patch length, Q levels, F steps of one pass.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from timer_forecaster.models.timer_s1 import TimerS1Network
from timer_forecaster.models.timer_s1.network import patchify

FloatArray = NDArray[np.float64]

ROLLOUTS = ("quantile", "median")
_TOKENS_PER_BATCH = {"cpu": 3072, "other": 65536}


def token_batches(
    n_tokens: Sequence[int], device: str, batch_size: int | None
) -> Iterator[list[int]]:
    """Group rows of similar length under a budget of tokens.

    Parameters
    ----------
    n_tokens : sequence of int
        Tokens of each row.
    device : str
        Type of the device, which sets the budget.
    batch_size : int, optional
        Most rows in a batch. Default: as many as the budget allows.

    Yields
    ------
    list of int
        Indices of the rows of a batch, shortest first.
    """
    budget = _TOKENS_PER_BATCH.get(device, _TOKENS_PER_BATCH["other"])
    batch: list[int] = []
    for index in sorted(range(len(n_tokens)), key=lambda i: n_tokens[i]):
        full = (len(batch) + 1) * n_tokens[index] > budget or len(batch) == batch_size
        if batch and full:
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch


def forecast_rows(
    network: TimerS1Network,
    rows: Sequence[FloatArray],
    horizon: int,
    rollout: str,
    batch_size: int | None,
    on_batch: Callable[[int], None],
) -> FloatArray:
    """Forecast standardised rows.

    Parameters
    ----------
    network : TimerS1Network
        In evaluation mode.
    rows : sequence of ndarray, each (steps,)
        Standardised series, NaN where missing.
    horizon : int
        Steps to forecast.
    rollout : {"quantile", "median"}
        How to go on beyond one pass.
    batch_size : int, optional
        Most rows that enter the network at once.
    on_batch : callable
        Told the number of rows after each batch.

    Returns
    -------
    ndarray, shape (n_rows, horizon, Q)
        Quantiles, not decreasing along the levels.
    """
    result = np.empty((len(rows), horizon, len(network.config.quantiles)))
    for batch, patches, last_token in _padded_batches(network, rows, batch_size):
        # The network's own type rules, whatever autocast the caller runs under.
        with torch.autocast(patches.device.type, enabled=False):
            quantiles = _roll_out(network, patches, last_token, horizon, rollout, batch_size)
        result[batch] = quantiles.sort(dim=1).values.transpose(1, 2).double().cpu().numpy()
        on_batch(len(batch))
    return result


@torch.inference_mode()
def embed_rows(network: TimerS1Network, rows: Sequence[FloatArray]) -> FloatArray:
    """Give the main blocks' output at the newest token of each row, (n_rows, hidden size)."""
    result = np.empty((len(rows), network.config.hidden_size))
    for batch, patches, last_token in _padded_batches(network, rows, None):
        hidden_states = next(network.stages(patches, 0)).hidden_states  # (B, N, D)
        newest = hidden_states[torch.arange(len(batch)), last_token]
        result[batch] = newest.double().cpu().numpy()
    return result


def _padded_batches(
    network: TimerS1Network, rows: Sequence[FloatArray], batch_size: int | None
) -> Iterator[tuple[list[int], Tensor, Tensor]]:
    """Yield a batch's row indices, its patches (B, N, 2 P) and each row's newest token (B,)."""
    length = network.config.input_token_len
    n_tokens = [-(-len(row) // length) for row in rows]
    device = next(network.parameters()).device
    for batch in token_batches(n_tokens, device.type, batch_size):
        last_token = torch.tensor([n_tokens[i] - 1 for i in batch], device=device)
        yield batch, _pad_batch(network, [rows[i] for i in batch]), last_token


def _pad_batch(network: TimerS1Network, rows: Sequence[FloatArray]) -> Tensor:
    """Patches (B, N, 2 P); shorter rows are *followed* by filler, which attention never sees."""
    length = network.config.input_token_len
    steps = max(-(-len(row) // length) for row in rows) * length
    padded = np.full((len(rows), steps), np.nan, dtype=np.float32)
    for i, row in enumerate(rows):
        start = -len(row) % length
        padded[i, start : start + len(row)] = row
    weight = next(network.parameters())
    values = torch.from_numpy(padded).to(weight.device)
    return patchify(values, ~values.isnan(), length).to(weight.dtype)


@torch.inference_mode()
def _roll_out(
    network: TimerS1Network,
    patches: Tensor,
    last_token: Tensor,
    horizon: int,
    rollout: str,
    batch_size: int | None,
) -> Tensor:
    """Quantiles (B, Q, horizon), in as many passes as the horizon needs.

    After the first pass ``"quantile"`` carries one path per level: path q is the context followed
    by the q-quantile forecast. The Q * Q quantiles that the next pass predicts are pooled into
    the Q levels again, so that uncertainty about the past widens what comes after it.
    ``"median"`` carries the median alone, as the released implementation does.
    """
    length = network.config.input_token_len
    levels = torch.tensor(network.config.quantiles, dtype=torch.float32, device=patches.device)
    pieces: list[Tensor] = []
    remaining = horizon
    while remaining > 0:
        n_patches = -(-min(remaining, network.pass_length) // length)
        forecast = _forecast_chunks(network, patches, last_token, n_patches, batch_size)
        n_paths = len(patches) // (len(pieces[0]) if pieces else len(patches))
        if n_paths > 1:
            pooled = forecast.unflatten(0, (-1, n_paths)).flatten(1, 2)  # (B, paths * Q, F)
            forecast = torch.quantile(pooled, levels, dim=1).transpose(0, 1)  # (B, Q, F)
        pieces.append(forecast[..., :remaining])
        remaining -= forecast.shape[-1]
        if remaining <= 0:
            break
        if rollout == "median":
            paths = torch.quantile(forecast, 0.5, dim=1)  # (B, F)
        else:
            if n_paths == 1:
                patches = patches.repeat_interleave(len(levels), dim=0)
                last_token = last_token.repeat_interleave(len(levels), dim=0)
            paths = forecast.sort(dim=1).values.flatten(0, 1)  # (B * Q, F)
        patches, last_token = _append(network, patches, last_token, paths)
    return torch.cat(pieces, dim=-1)


def _forecast_chunks(
    network: TimerS1Network,
    patches: Tensor,
    last_token: Tensor,
    n_patches: int,
    batch_size: int | None,
) -> Tensor:
    """One pass over any number of rows, in chunks that keep to the token budget; float32."""
    device = patches.device.type
    budget = _TOKENS_PER_BATCH.get(device, _TOKENS_PER_BATCH["other"])
    rows = min(batch_size or len(patches), max(1, budget // patches.shape[1]))
    chunks = zip(patches.split(rows), last_token.split(rows), strict=True)
    return torch.cat(
        [network.forecast_pass(part, n_patches, last).float() for part, last in chunks]
    )


def _append(
    network: TimerS1Network, patches: Tensor, last_token: Tensor, values: Tensor
) -> tuple[Tensor, Tensor]:
    """Write forecasts (B, F) after each row's newest token, dropping its oldest if too long."""
    length = network.config.input_token_len
    new = patchify(values, None, length).to(patches.dtype)  # (B, F / P, 2 P)
    n_new = new.shape[1]
    longer = torch.cat([patches, torch.zeros_like(new)], dim=1)
    position = last_token[:, None] + 1 + torch.arange(n_new, device=patches.device)
    longer = longer.scatter(1, position.unsqueeze(-1).expand_as(new), new)
    last_token = last_token + n_new
    n_tokens = min(longer.shape[1], network.config.max_context_length // length)
    drop = (last_token + 1 - n_tokens).clamp_min(0)
    window = drop[:, None] + torch.arange(n_tokens, device=patches.device)
    kept = longer.gather(1, window.unsqueeze(-1).expand(-1, -1, longer.shape[-1]))
    return kept, last_token - drop
