"""Rows in, quantiles out: batches of tokens.

Shapes in comments: B rows, N tokens, P patch length.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from timer_forecaster.models.timer_s1 import TimerS1Network
from timer_forecaster.models.timer_s1.network import patchify

from .rollout import roll_out

FloatArray = NDArray[np.float64]

_NARROW = 256  # hidden size up to which a network's weights stay in the caches of a CPU


def _token_budget(network: TimerS1Network) -> int:
    """Most tokens in a batch: what fills the caches of a CPU, or a GPU.

    Wide networks need more of them on a CPU, to be worth reading an expert's weights for.
    """
    if network.device.type != "cpu":
        return 65536
    return 1536 if network.config.hidden_size <= _NARROW else 3072


def token_batches(
    n_tokens: Sequence[int], budget: int, batch_size: int | None
) -> Iterator[list[int]]:
    """Group rows of similar length under a budget of tokens.

    Parameters
    ----------
    n_tokens : sequence of int
        Tokens of each row.
    budget : int
        Most tokens in a batch; a longer row makes a batch of its own.
    batch_size : int, optional
        Most rows in a batch. Default: as many as the budget allows.

    Yields
    ------
    list of int
        Indices of the rows of a batch, shortest first.
    """
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
            quantiles = roll_out(
                network, patches, last_token, horizon, rollout, batch_size, _token_budget(network)
            )
        result[batch] = quantiles.sort(dim=1).values.transpose(1, 2).cpu().double().numpy()
        on_batch(len(batch))
    return result


@torch.inference_mode()
def embed_rows(network: TimerS1Network, rows: Sequence[FloatArray]) -> FloatArray:
    """Give the main blocks' output at the newest token of each row, (n_rows, hidden size)."""
    result = np.empty((len(rows), network.config.hidden_size))
    for batch, patches, last_token in _padded_batches(network, rows, None):
        with torch.autocast(patches.device.type, enabled=False):
            main = next(network.stages(patches, 0, last_token))
        result[batch] = main.hidden_states[:, 0].cpu().double().numpy()
    return result


@torch.inference_mode()
def route_rows(network: TimerS1Network, rows: Sequence[FloatArray]) -> FloatArray:
    """Share of each expert in the routing of standardised rows, (n_rows, blocks, experts)."""
    config = network.config
    n_blocks = config.num_hidden_layers + config.num_mtp_tokens
    result = np.empty((len(rows), n_blocks, config.num_experts))
    for batch, patches, last_token in _padded_batches(network, rows, None):
        with torch.autocast(patches.device.type, enabled=False):
            logits = [part for stage in network.stages(patches) for part in stage.router_logits]
        chosen = torch.stack(logits).topk(config.num_experts_per_token).indices
        counts = torch.nn.functional.one_hot(chosen, config.num_experts).sum(-2)
        counts = counts.unflatten(1, patches.shape[:2])  # (blocks, B, N, experts)
        real = torch.arange(patches.shape[1], device=patches.device) <= last_token[:, None]
        totals = (counts * real[..., None]).sum(2).cpu().double()  # (blocks, B, experts)
        result[batch] = (totals / totals.sum(-1, keepdim=True)).transpose(0, 1).numpy()
    return result


def _padded_batches(
    network: TimerS1Network, rows: Sequence[FloatArray], batch_size: int | None
) -> Iterator[tuple[list[int], Tensor, Tensor]]:
    """Yield a batch's row indices, its patches (B, N, 2 P) and each row's newest token (B,)."""
    length = network.config.input_token_len
    n_tokens = [-(-len(row) // length) for row in rows]
    device = network.device
    for batch in token_batches(n_tokens, _token_budget(network), batch_size):
        last_token = torch.tensor([n_tokens[i] - 1 for i in batch], device=device)
        yield batch, _pad_batch(network, [rows[i] for i in batch]), last_token


def _pad_batch(network: TimerS1Network, rows: Sequence[FloatArray]) -> Tensor:
    """Patches (B, N, 2 P); shorter rows are *followed* by filler, which attention never sees."""
    length = network.config.input_token_len
    steps = max(-(-len(row) // length) for row in rows) * length
    double = network.dtype == torch.float64
    padded = np.full((len(rows), steps), np.nan, dtype=np.float64 if double else np.float32)
    for i, row in enumerate(rows):
        start = -len(row) % length
        padded[i, start : start + len(row)] = row
    values = torch.from_numpy(padded).to(network.device)
    return patchify(values, ~values.isnan(), length).to(network.dtype)
