"""What watches over a tuning: how well it forecasts, and whether routers still choose."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from timer_forecaster.arrays import FloatArray
from timer_forecaster.finetuning.objective import Windows, window_losses, window_pass
from timer_forecaster.models.timer_s1 import TimerS1Network

DIVERGED = 1.5
"""Validated loss, in that of the start, from which on a tuning is given up."""

COLLAPSED = 1 / 3
"""Share of the `choice` of before, below which routers have collapsed."""

MOST_NOT_FINITE = 3
"""Steps without a finite loss and gradient after which a tuning is given up."""


_SOME_CHOICE = 0.25  # experts


class TuningWarning(UserWarning):
    """A tuning has changed nothing, for a reason that the warning gives."""


class NothingToTune(ValueError):
    """The data do not show what could be trained on, or validated by."""


class Check(NamedTuple):
    """A network as the windows that validate see it."""

    losses: FloatArray  # (windows,)
    shares: FloatArray  # (blocks, experts) of the routing choices

    @property
    def loss(self) -> float:
        """Mean of the windows."""
        return float(self.losses.mean())


@torch.no_grad()
def check(network: TimerS1Network, batches: Sequence[Windows]) -> Check:
    """Forecast the windows that validate, and count where their patches are sent."""
    losses, counts = [], []
    for windows in batches:
        quantiles, logits = window_pass(network, windows)
        losses.append(window_losses(network, quantiles, windows).double().cpu().numpy())
        counts.append(_choices(network, windows, logits))
    totals = np.sum(counts, axis=0)
    return Check(np.concatenate(losses), totals / totals.sum(axis=-1, keepdims=True))


def _choices(network: TimerS1Network, windows: Windows, logits: Sequence[Tensor]) -> FloatArray:
    """Count the routing choices of the contexts' patches, (blocks, experts)."""
    config, n_tokens = network.config, windows.patches.shape[1]
    real = torch.arange(n_tokens, device=windows.last_token.device) <= windows.last_token[:, None]
    chosen = torch.stack([part[real.flatten()] for part in logits])
    chosen = chosen.topk(config.num_experts_per_token).indices.flatten(1)  # (blocks, choices)
    counts = torch.zeros(len(logits), config.num_experts, device=chosen.device)
    counts = counts.scatter_add(1, chosen, torch.ones_like(chosen, dtype=counts.dtype))
    found: FloatArray = counts.double().cpu().numpy()
    return found


def choice(shares: FloatArray, top_k: int) -> float:
    """Measure how much routers choose, the mean of the blocks.

    Parameters
    ----------
    shares : ndarray, shape (blocks, experts)
        Of the routing choices.
    top_k : int
        Experts that every token is sent to.

    Returns
    -------
    float
        The effective number of experts, which is the exponential of the entropy of their shares,
        beyond those that have to be used.
    """
    logs = np.log(shares, where=shares > 0, out=np.zeros_like(shares))
    effective = np.exp(-(shares * logs).sum(axis=-1))
    return float(effective.mean()) - top_k


def has_collapsed(before: Check, after: Check, top_k: int) -> bool:
    """Tell whether routers chose between experts and hardly do any longer."""
    chosen = choice(before.shares, top_k)
    return chosen > _SOME_CHOICE and choice(after.shares, top_k) < COLLAPSED * chosen
