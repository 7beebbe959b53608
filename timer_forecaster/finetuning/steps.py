"""What a training loop that is not `timer_forecaster.finetuning.finetune` needs of one step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from timer_forecaster.arrays import FloatArray
from timer_forecaster.finetuning.objective import Windows, make_windows, window_losses, window_pass
from timer_forecaster.inference.forecast import Forecast
from timer_forecaster.inference.scaling import standardise
from timer_forecaster.models.timer_s1 import TimerS1Network


class Step(NamedTuple):
    """A batch of windows as the network sees it."""

    loss: Tensor  # scalar: the mean of the windows that count
    n_windows: int  # that count: their contexts vary, and something is observed after them
    quantiles: Tensor  # (B, Q, steps), in the normalised units of each window


def window_step(
    network: TimerS1Network,
    contexts: Sequence[FloatArray],
    targets: FloatArray,
    weights: FloatArray | None = None,
) -> Step:
    """Forecast windows in one pass, and compare with what follows them.

    Parameters
    ----------
    network : TimerS1Network
    contexts : sequence of ndarray, each (steps,)
        As for `timer_forecaster.finetuning.objective.make_windows`.
    targets : ndarray, shape (B, H)
        NaN where missing. Of more steps than one pass gives, the first ones count.
    weights : ndarray, shape (B, H), optional
        How much each step counts. Default: one.

    Returns
    -------
    Step
    """
    windows = make_windows(network, contexts, targets)
    quantiles = window_pass(network, windows).quantiles
    losses = _losses(network, quantiles, windows, weights)
    counted = windows.observed[:, : quantiles.shape[-1]].any(-1)
    return Step(losses.sum() / counted.sum().clamp_min(1), int(counted.sum()), quantiles)


def _losses(
    network: TimerS1Network, quantiles: Tensor, windows: Windows, weights: FloatArray | None
) -> Tensor:
    """Losses of the windows (B,), the errors of each step times its weight."""
    if weights is None:
        return window_losses(network, quantiles, windows)
    observed = windows.observed[:, : quantiles.shape[-1]]
    weight = torch.from_numpy(weights[:, : quantiles.shape[-1]]).to(quantiles)
    weight = weight.where(observed, 0.0)
    # The loss of a window is relative to its weights: their shares go in, their mean comes after.
    shares = weight / weight.amax(-1, keepdim=True).clamp_min(torch.finfo(weight.dtype).tiny)
    losses = window_losses(network, quantiles, windows._replace(observed=shares))
    return losses * weight.sum(-1) / observed.sum(-1).clamp_min(1)


def in_units(
    network: TimerS1Network, contexts: Sequence[FloatArray], quantiles: Tensor
) -> Forecast:
    """Give the quantiles of a `Step` in the units of its contexts."""
    config = network.config
    rows = [
        standardise(values, f"contexts[{i}]", config.max_context_length, config.interior_masks)
        for i, values in enumerate(contexts)
    ]
    location, scale = (
        np.array([getattr(row, name) for row in rows])[:, None, None]
        for name in ("location", "scale")
    )
    ascending = quantiles.detach().sort(dim=1).values.transpose(1, 2).double().cpu().numpy()
    return Forecast(location + scale * ascending, config.quantiles)
