"""Losses on the normalised scale of each window, over all levels of the network.

Shapes in comments: B windows, N tokens, P patch length, Q levels, H steps ahead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from timer_forecaster.inference.scaling import standardise
from timer_forecaster.models.timer_s1 import TimerS1Network
from timer_forecaster.models.timer_s1.batches import MAX_NORMALISED, TrainingBatch
from timer_forecaster.models.timer_s1.experts import MixtureOfExperts
from timer_forecaster.models.timer_s1.network import patchify
from timer_forecaster.models.timer_s1.objective import load_balance_loss, patch_loss, stage_losses

FloatArray = NDArray[np.float64]


class Windows(NamedTuple):
    """Contexts and what follows them, standardised by the contexts as for a forecast."""

    patches: Tensor  # (B, N, 2 P), followed by filler where a context is shorter
    last_token: Tensor  # (B,)
    target: Tensor  # (B, H), finite
    observed: Tensor  # (B, H) bool: the target counts


def make_windows(
    network: TimerS1Network, contexts: Sequence[FloatArray], targets: FloatArray
) -> Windows:
    """Standardise windows as `timer_forecaster.ForecastPipeline` does.

    Parameters
    ----------
    network : TimerS1Network
    contexts : sequence of ndarray, each (steps,)
        NaN where missing, at least one value observed. Constant ones count for nothing, as their
        forecast needs no network.
    targets : ndarray, shape (B, H)
        NaN where missing.
    """
    config, wide = network.config, torch.promote_types(torch.float32, network.dtype)
    length = config.input_token_len
    rows = [
        standardise(values, f"contexts[{i}]", config.max_context_length, config.interior_masks)
        for i, values in enumerate(contexts)
    ]
    n_tokens = [-(-len(row.values) // length) for row in rows]
    padded = np.full((len(rows), max(n_tokens) * length), np.nan)
    normalised = np.full(targets.shape, np.nan)
    for i, row in enumerate(rows):
        start = -len(row.values) % length
        padded[i, start : start + len(row.values)] = row.values
        if row.scale > 0:
            normalised[i] = (targets[i] - row.location) / row.scale
    observed = np.isfinite(normalised) & (np.abs(normalised) <= MAX_NORMALISED)
    values = torch.from_numpy(padded).to(network.device, wide)
    target = torch.from_numpy(np.where(observed, normalised, 0.0))
    return Windows(
        patchify(values, ~values.isnan(), length).to(network.dtype),
        torch.tensor(n_tokens, device=network.device) - 1,
        target.to(network.device, wide),
        torch.from_numpy(observed).to(network.device),
    )


def forecast_quantiles(network: TimerS1Network, windows: Windows) -> Tensor:
    """Forecast what follows the contexts, as far as one pass goes: (B, Q, H or less)."""
    length = network.config.input_token_len
    horizon = min(windows.target.shape[-1], network.pass_length)
    n_patches = -(-horizon // length)
    passed = network.forecast_pass(windows.patches, n_patches, windows.last_token)
    return passed[..., :horizon].float() if passed.dtype != torch.float64 else passed[..., :horizon]


def window_losses(network: TimerS1Network, windows: Windows) -> Tensor:
    """Quantile loss of each window's forecast, as the network was trained by, (B,).

    Zero for windows without anything observed after them. See
    `timer_forecaster.models.timer_s1.objective.patch_loss`.
    """
    quantiles = forecast_quantiles(network, windows)
    horizon = quantiles.shape[-1]
    target, observed = windows.target[:, :horizon], windows.observed[:, :horizon]
    levels = torch.tensor(network.config.quantiles, device=quantiles.device, dtype=quantiles.dtype)
    losses = [
        patch_loss(*window, levels, network.config.training_loss)
        for window in zip(quantiles, target.to(quantiles.dtype), observed, strict=True)
    ]
    return torch.stack(losses)


class Terms(NamedTuple):
    """The objective and its parts, all scalars."""

    loss: Tensor
    quantile: Tensor
    balance: Tensor
    router_kl: Tensor


def dense_terms(
    network: TimerS1Network,
    batch: TrainingBatch,
    n_serial: int,
    balance_loss: float,
    router_kl: float,
    base_logits: Callable[[], list[Tensor]] | None,
) -> Terms:
    """Objective of densely supervised windows: every token predicts what its stages can."""
    config = network.config
    stages = list(network.stages(batch.inputs.to(network.dtype), n_serial))
    predictions = [network.predict_patch(stage.hidden_states) for stage in stages]
    levels = torch.tensor(config.quantiles, device=batch.targets.device)
    losses = stage_losses(
        predictions, batch.targets, batch.known, levels, config.training_loss, batch.supervised
    )
    quantile = torch.stack(losses).mean()
    zero = quantile.new_zeros(())
    if base_logits is None:
        return Terms(quantile, quantile, zero, zero)
    logits = [part for stage in stages for part in stage.router_logits]
    balance = load_balance_loss(logits, config.num_experts_per_token)
    divergence = routing_divergence(base_logits(), logits)
    loss = quantile + balance_loss * balance + router_kl * divergence
    return Terms(loss, quantile, balance, divergence)


def routing_divergence(base: Sequence[Tensor], tuned: Sequence[Tensor]) -> Tensor:
    """Kullback-Leibler divergence of the tuned routing from the base's, the mean of all tokens.

    Parameters
    ----------
    base, tuned : sequence of Tensor, each (tokens, experts)
        Router logits, block by block.
    """
    parts = [
        F.kl_div(
            F.log_softmax(ours.float(), -1), F.log_softmax(theirs.float(), -1),
            reduction="batchmean", log_target=True,
        )
        for theirs, ours in zip(base, tuned, strict=True)
    ]
    return torch.stack(parts).mean()


@contextmanager
def base_routing(
    network: TimerS1Network, frozen: TimerS1Network
) -> Iterator[Callable[[], list[Tensor]]]:
    """Record what each router is given, and tell what the base's would have made of it.

    Yields
    ------
    callable
        Gives the base's router logits for the latest inputs, block by block, and forgets these.
    """
    inputs: list[Tensor] = []
    gates = [part.gate for part in network.modules() if isinstance(part, MixtureOfExperts)]
    base = {
        id(part.gate): other.gate.weight.detach().float()
        for part, other in zip(_mixtures(network), _mixtures(frozen), strict=True)
    }
    order: list[int] = []

    def record(gate: torch.nn.Module, arguments: tuple[Tensor, ...], output: Tensor) -> None:
        inputs.append(arguments[0].detach())
        order.append(id(gate))

    def logits() -> list[Tensor]:
        made = [F.linear(x.float(), base[gate]) for x, gate in zip(inputs, order, strict=True)]
        inputs.clear()
        order.clear()
        return made

    handles = [gate.register_forward_hook(record) for gate in gates]
    try:
        yield logits
    finally:
        for handle in handles:
            handle.remove()


def _mixtures(network: TimerS1Network) -> list[MixtureOfExperts]:
    return [part for part in network.modules() if isinstance(part, MixtureOfExperts)]
