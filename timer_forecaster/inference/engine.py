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

from . import quantiles as quantile_function
from .backoff import halving
from .threads import crew

FloatArray = NDArray[np.float64]

N_PATHS = 9
"""Paths that a quantile roll-out carries."""

_PARTS = 36  # equally probable values that stand for one path's forecast in a mixture
_MIXED_AT_ONCE = 2**24  # values
_NARROW = 256  # hidden size up to which a network's weights stay in the caches of a CPU
_WIDE = 512  # hidden size from which on a single expert is worth handing to another thread


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

    def run(patches: Tensor, last_token: Tensor, most_rows: int | None) -> Tensor:
        quantiles = _roll_out(network, patches, last_token, horizon, rollout, most_rows)
        return quantiles.sort(dim=1).values.transpose(1, 2)

    result = np.empty((len(rows), horizon, len(network.config.quantiles)))
    _fill(result, network, rows, run, batch_size, on_batch)
    return result


def embed_rows(network: TimerS1Network, rows: Sequence[FloatArray]) -> FloatArray:
    """Give the main blocks' output at the newest token of each row, (n_rows, hidden size)."""

    def run(patches: Tensor, last_token: Tensor, _: int | None) -> Tensor:
        return next(network.stages(patches, 0, last_token)).hidden_states[:, 0]

    result = np.empty((len(rows), network.config.hidden_size))
    _fill(result, network, rows, run)
    return result


def route_rows(network: TimerS1Network, rows: Sequence[FloatArray]) -> FloatArray:
    """Share of each expert in the routing of standardised rows, (n_rows, blocks, experts)."""
    config = network.config

    def run(patches: Tensor, last_token: Tensor, _: int | None) -> Tensor:
        logits = [part for stage in network.stages(patches) for part in stage.router_logits]
        chosen = torch.stack(logits).topk(config.num_experts_per_token).indices
        counts = torch.nn.functional.one_hot(chosen, config.num_experts).sum(-2)
        counts = counts.unflatten(1, patches.shape[:2])  # (blocks, B, N, experts)
        real = torch.arange(patches.shape[1], device=patches.device) <= last_token[:, None]
        totals = (counts * real[..., None]).sum(2).transpose(0, 1).cpu()  # (B, blocks, experts)
        return totals.double() / totals.sum(-1, keepdim=True)

    n_blocks = config.num_hidden_layers + config.num_mtp_tokens
    result = np.empty((len(rows), n_blocks, config.num_experts))
    _fill(result, network, rows, run)
    return result


def _fill(
    result: FloatArray,
    network: TimerS1Network,
    rows: Sequence[FloatArray],
    run: Callable[[Tensor, Tensor, int | None], Tensor],
    batch_size: int | None = None,
    on_batch: Callable[[int], None] | None = None,
) -> None:
    """Write what a function gives for batches of rows; see `forecast_rows` for the other arguments.

    The function is called in several threads, with patches (B, N, 2 P), each row's newest token
    (B,) and how many rows may enter the network at once. Batches are the same whatever the threads.
    """
    length = network.config.input_token_len
    n_tokens = [-(-len(row) // length) for row in rows]
    batches = [*token_batches(n_tokens, _token_budget(network), batch_size)]
    batches.reverse()  # the longest first: a long one begun last would keep the others waiting

    def run_rows(batch: list[int], most_rows: int | None) -> FloatArray:
        last_token = torch.tensor([n_tokens[i] - 1 for i in batch], device=network.device)
        patches = _pad_batch(network, [rows[i] for i in batch])
        return run(patches, last_token, most_rows).cpu().double().numpy()

    wide = network.config.hidden_size >= _WIDE
    with crew(network.device, len(batches), share_experts=wide) as threads:
        outputs = threads.map(lambda batch: halving(run_rows, batch, batch_size), batches)
        for batch, output in zip(batches, outputs, strict=True):
            result[batch] = output
            if on_batch is not None:
                on_batch(len(batch))


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

    After each pass the context is extended by a path: the median for ``"median"``, as in the
    released implementation, or `N_PATHS` equally probable quantiles for ``"quantile"``. What the
    next pass forecasts after each of them is mixed with equal weights, so that uncertainty about
    the past widens what comes after it.
    """
    length = network.config.input_token_len
    n_paths = N_PATHS if rollout == "quantile" else 1
    pieces: list[Tensor] = []
    remaining = horizon
    while remaining > 0:
        n_patches = -(-min(remaining, network.pass_length) // length)
        forecast = _forecast_chunks(network, patches, last_token, n_patches, batch_size)
        if pieces and n_paths > 1:
            forecast = _mix(network, forecast, n_paths)  # (B, Q, F)
        pieces.append(forecast[..., :remaining])
        remaining -= forecast.shape[-1]
        if remaining <= 0:
            break
        if n_paths == 1:
            paths = torch.quantile(forecast, 0.5, dim=1)  # (B, F)
        else:
            paths = _spread(network, forecast, n_paths).flatten(0, 1)  # (B * paths, F)
        if len(pieces) == 1:
            patches = patches.repeat_interleave(n_paths, dim=0)
            last_token = last_token.repeat_interleave(n_paths, dim=0)
        patches, last_token = _append(network, patches, last_token, paths)
    return torch.cat(pieces, dim=-1)


def _spread(network: TimerS1Network, forecast: Tensor, n: int) -> Tensor:
    """Represent quantiles (B, Q, F) by the middles of n equally probable parts, (B, n, F)."""
    levels = network.config.quantiles
    middles = (np.arange(n) + 0.5) / n
    # The quantile function is linear in the known quantiles: the weight of each is what a step at
    # it gives beyond a step at the next, both of which ascend, as quantiles do.
    steps = quantile_function.evaluate(np.triu(np.ones((len(levels),) * 2)), levels, middles)
    weights = -np.diff(steps, axis=0, append=0.0)  # (Q, n)
    weights_tensor = torch.tensor(weights, dtype=forecast.dtype, device=forecast.device)
    return torch.einsum("bqf,qn->bnf", forecast.sort(dim=1).values, weights_tensor)


def _mix(network: TimerS1Network, forecast: Tensor, n_paths: int) -> Tensor:
    """Quantiles (B, Q, F) of the mixture of the paths' forecasts (B * paths, Q, F)."""
    rows = max(1, _MIXED_AT_ONCE // (n_paths * _PARTS * forecast.shape[-1]))
    chunks = forecast.split(rows * n_paths)
    return torch.cat([_mix_rows(network, chunk, n_paths) for chunk in chunks])


def _mix_rows(network: TimerS1Network, forecast: Tensor, n_paths: int) -> Tensor:
    parts = _spread(network, forecast, _PARTS)  # (B * paths, parts, F)
    pooled = parts.unflatten(0, (-1, n_paths)).flatten(1, 2).sort(dim=1).values
    n = pooled.shape[1]
    levels = torch.tensor(network.config.quantiles, dtype=pooled.dtype, device=pooled.device)
    position = (levels * n - 0.5).clamp(0, n - 1)
    low = position.floor().long()
    weight = (position - low)[:, None]
    return torch.lerp(pooled[:, low], pooled[:, (low + 1).clamp_max(n - 1)], weight)


def _forecast_chunks(
    network: TimerS1Network,
    patches: Tensor,
    last_token: Tensor,
    n_patches: int,
    batch_size: int | None,
) -> Tensor:
    """One pass over any number of rows, in chunks that keep to the token budget.

    In float32, or in float64 if the network computes in it.
    """
    budget = _token_budget(network)
    rows = min(batch_size or len(patches), max(1, budget // patches.shape[1]))
    chunks = zip(patches.split(rows), last_token.split(rows), strict=True)
    dtype = torch.promote_types(patches.dtype, torch.float32)
    return torch.cat(
        [network.forecast_pass(part, n_patches, last).to(dtype) for part, last in chunks]
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
