"""Rows as Timer-S1 reads them: padded batches of patches in, quantiles or embeddings out.

Shapes in comments: B rows, N tokens, P patch length, O origins, Q levels.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import torch
from torch import Tensor

from timer_forecaster.arrays import FloatArray
from timer_forecaster.inference.engine.batching import fill_in_batches, token_batches
from timer_forecaster.inference.engine.rollout import roll_out, rows_to_roll_out
from timer_forecaster.inference.outcome import room_for
from timer_forecaster.models.timer_s1 import TimerS1Network
from timer_forecaster.models.timer_s1.patches import patchify

# From this hidden size on, a single expert is large enough to be handed to another thread.
SHARES_EXPERTS_FROM = 512


def forecast_rows(
    network: TimerS1Network,
    rows: Sequence[FloatArray],
    horizon: int,
    rollout: str,
    batch_size: int | None,
    on_batch: Callable[[int], None],
) -> FloatArray:
    """Forecast standardized rows.

    Parameters
    ----------
    network : TimerS1Network
        In evaluation mode.
    rows : sequence of ndarray, each (steps,)
        Standardized series, NaN where missing.
    horizon : int
        Steps to forecast.
    rollout : {"quantile", "median"}
        How to continue beyond one pass.
    batch_size : int, optional
        Most rows that enter the network at once. Default: by a budget of tokens.
    on_batch : callable
        Called with the number of rows after each batch.

    Returns
    -------
    ndarray, shape (n_rows, horizon, Q)
        Quantiles, not decreasing along the levels.

    Raises
    ------
    ValueError
        If the horizon is so long that the quantiles cannot be held.
    """

    def run(patches: Tensor, last_token: Tensor) -> Tensor:
        quantiles = roll_out(network, patches, last_token, horizon, rollout)
        return quantiles.sort(dim=1).values.transpose(1, 2)

    result = room_for(len(rows), horizon, len(network.config.quantiles))
    at_once = partial(rows_to_roll_out, network, horizon, rollout)
    _fill(result, network, rows, run, at_once, batch_size, on_batch)
    return result


def forecast_origins(
    network: TimerS1Network,
    rows: Sequence[FloatArray],
    steps_back: Sequence[Sequence[int]],
    horizon: int,
) -> list[FloatArray]:
    """Forecast standardized rows from several of their tokens in one pass: attention is causal.

    Parameters
    ----------
    network : TimerS1Network
        In evaluation mode.
    rows : sequence of ndarray, each (steps,)
        Standardized series, NaN where missing.
    steps_back : sequence of sequence of int
        For each row, numbers of newest steps that the forecasts do not see. Each is a multiple of
        the patch length.
    horizon : int
        Steps to forecast, at most one pass.

    Returns
    -------
    list of ndarray, each of shape (origins, horizon, Q)
        Quantiles, not decreasing along the levels.
    """
    if not rows:
        return []
    config = network.config
    length = config.input_token_len
    n_patches = -(-horizon // length)
    n_tokens = [-(-len(row) // length) for row in rows]
    most = max(map(len, steps_back))
    token = np.zeros((len(rows), most), dtype=np.int64)  # filled up with token 0
    for i, back in enumerate(steps_back):
        token[i, : len(back)] = [max(0, n_tokens[i] - 1 - step // length) for step in back]
    result = np.empty((len(rows), most, horizon, len(config.quantiles)))

    def run(batch: list[int]) -> FloatArray:
        patches = pad_batch(network, [rows[i] for i in batch])
        at = torch.from_numpy(token[batch]).to(network.device)[..., None]  # (B, O, 1)
        outputs = []
        for stage in network.stages(patches, n_patches - 1):
            hidden = stage.hidden_states
            picked = hidden.gather(1, at.expand(-1, -1, hidden.shape[-1])).flatten(0, 1)
            outputs.append(network.predict_patch(picked))
        quantiles = torch.cat(outputs, dim=-1)[:, :, :horizon].sort(dim=1).values
        quantiles = quantiles.unflatten(0, at.shape[:2])  # (B, O, Q, horizon)
        return quantiles.transpose(2, 3).cpu().double().numpy()

    at_once = partial(network.rows_at_once, horizon=1, n_paths=1)
    batches = [*token_batches(n_tokens, at_once, None)]
    batches.reverse()  # the longest first, as in a forecast
    fill_in_batches(
        result,
        run,
        batches,
        device=network.device,
        share_experts=config.hidden_size >= SHARES_EXPERTS_FROM,
    )
    return [result[i, : len(back)] for i, back in enumerate(steps_back)]


def embed_rows(network: TimerS1Network, rows: Sequence[FloatArray]) -> FloatArray:
    """Return the output of the main blocks at the newest token of each row, (n_rows, hidden size).

    Rows are standardized.
    """

    def run(patches: Tensor, last_token: Tensor) -> Tensor:
        return next(network.stages(patches, 0, last_token)).hidden_states[:, 0]

    result = np.empty((len(rows), network.config.hidden_size))
    _fill(result, network, rows, run)
    return result


def route_rows(network: TimerS1Network, rows: Sequence[FloatArray]) -> FloatArray:
    """Return the share of each expert in the routing of standardized rows.

    Returns
    -------
    ndarray, shape (n_rows, blocks, experts)
    """
    config = network.config

    def run(patches: Tensor, last_token: Tensor) -> Tensor:
        parts = [part for stage in network.stages(patches) for part in stage.router_logits]
        logits = torch.stack(parts)
        chosen = logits.topk(config.num_experts_per_token).indices
        counts = torch.nn.functional.one_hot(chosen, config.num_experts).sum(-2)
        counts = counts.unflatten(1, patches.shape[:2])  # (blocks, B, N, experts)
        real = torch.arange(patches.shape[1], device=patches.device) <= last_token[:, None]
        totals = (counts * real[..., None]).sum(2).transpose(0, 1).cpu()  # (B, blocks, experts)
        broken = ~logits.isfinite().all(-1).unflatten(1, patches.shape[:2]) & real
        shares = totals.double() / totals.sum(-1, keepdim=True)
        return shares.masked_fill(broken.any(-1).T.cpu()[..., None], torch.nan)

    n_blocks = config.num_hidden_layers + config.num_mtp_tokens
    result = np.empty((len(rows), n_blocks, config.num_experts))
    _fill(result, network, rows, run)
    return result


def _fill(
    result: FloatArray,
    network: TimerS1Network,
    rows: Sequence[FloatArray],
    run: Callable[[Tensor, Tensor], Tensor],
    rows_at_once: Callable[[int], int] | None = None,
    batch_size: int | None = None,
    on_batch: Callable[[int], None] | None = None,
) -> None:
    """Write the output (B, ...) of a function for batches of rows.

    The function is called in several threads, with patches (B, N, 2 P) and the newest token of
    each row (B,). By default a batch has as many rows as one pass of the network takes. The rows
    of a batch do not depend on the number of threads.
    """
    length = network.config.input_token_len
    n_tokens = [-(-len(row) // length) for row in rows]
    rows_at_once = rows_at_once or partial(network.rows_at_once, horizon=1, n_paths=1)
    batches = [*token_batches(n_tokens, rows_at_once, batch_size)]
    batches.reverse()  # the longest first: other threads would wait for a long one at the end

    def run_rows(batch: list[int]) -> FloatArray:
        last_token = torch.tensor([n_tokens[i] - 1 for i in batch], device=network.device)
        patches = pad_batch(network, [rows[i] for i in batch])
        return run(patches, last_token).cpu().double().numpy()

    share_experts = network.config.hidden_size >= SHARES_EXPERTS_FROM
    fill_in_batches(
        result,
        run_rows,
        batches,
        device=network.device,
        share_experts=share_experts,
        on_batch=on_batch,
    )


def pad_batch(network: TimerS1Network, rows: Sequence[FloatArray]) -> Tensor:
    """Return patches (B, N, 2 P); filler, which attention never sees, *follows* shorter rows."""
    length = network.config.input_token_len
    steps = max(-(-len(row) // length) for row in rows) * length
    double = network.dtype == torch.float64
    padded = np.full((len(rows), steps), np.nan, dtype=np.float64 if double else np.float32)
    for i, row in enumerate(rows):
        start = -len(row) % length
        padded[i, start : start + len(row)] = row
    values = torch.from_numpy(padded).to(network.device)
    return patchify(values, ~values.isnan(), length).to(network.dtype)
