"""Guards of finetuning: the validated loss, and whether the routers still choose experts."""

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
"""Ratio of the validated loss to the loss before, above which the training is stopped."""

COLLAPSED = 1 / 3
"""Ratio of `spare_experts` to its value before, below which the routers have collapsed."""

MOST_NOT_FINITE = 3
"""Number of steps without a finite loss and gradient after which the training is stopped."""


_SOME_SPARE = 0.25  # experts


class TuningWarning(UserWarning):
    """Finetuning has changed nothing. The message gives the reason."""


class NothingToTuneError(ValueError):
    """The data have nothing to train on, or nothing to validate by."""


class Validation(NamedTuple):
    """The losses of a network on the windows that validate, and its routing."""

    losses: FloatArray  # (windows,)
    shares: FloatArray  # (blocks, experts) of the routing choices

    @property
    def loss(self) -> float:
        """Mean loss of the windows."""
        return float(self.losses.mean())


@torch.no_grad()
def validate(network: TimerS1Network, batches: Sequence[Windows]) -> Validation:
    """Forecast the windows that validate, and count the experts that their patches are sent to."""
    losses, counts = [], []
    for windows in batches:
        quantiles, logits = window_pass(network, windows)
        losses.append(window_losses(network, quantiles, windows).double().cpu().numpy())
        counts.append(_choices(network, windows, logits))
    totals = np.sum(counts, axis=0)
    return Validation(np.concatenate(losses), totals / totals.sum(axis=-1, keepdims=True))


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


def spare_experts(shares: FloatArray, top_k: int) -> float:
    """Return the effective number of experts beyond the number that each token needs.

    The effective number of a block is the exponential of the entropy of the shares. The result is
    the mean over the blocks. Routers that always choose the same ``top_k`` experts have 0.

    Parameters
    ----------
    shares : ndarray, shape (blocks, experts)
        Shares of the routing choices.
    top_k : int
        Number of experts that each token is sent to.
    """
    logs = np.log(shares, where=shares > 0, out=np.zeros_like(shares))
    effective = np.exp(-(shares * logs).sum(axis=-1))
    return float(effective.mean()) - top_k


def has_collapsed(before: Validation, after: Validation, top_k: int) -> bool:
    """Whether routers that chose between experts before hardly do so after."""
    spare = spare_experts(before.shares, top_k)
    return spare > _SOME_SPARE and spare_experts(after.shares, top_k) < COLLAPSED * spare
