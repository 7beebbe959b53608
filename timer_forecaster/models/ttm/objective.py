"""The objective of pre-training: pinball loss of normalized series, blind to unknown targets."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from timer_forecaster.models.ttm.loss import pinball


class QuantileTerms(NamedTuple):
    """The training loss, and the part of it that is the median's; scalars."""

    loss: Tensor
    point: Tensor


def quantile_terms(
    quantiles: Tensor, targets: Tensor, known: Tensor, levels: Tensor
) -> QuantileTerms:
    """Return twice the mean pinball loss after asinh of both sides, of all levels and of 0.5.

    A monotone map does not move the optimal quantiles, and asinh keeps a few far-off targets from
    dominating the gradient.

    Parameters
    ----------
    quantiles : Tensor, shape (B, Q, H)
        On the scale of the normalized contexts.
    targets, known : Tensor, shape (B, H)
        Targets, which are finite also where they are not known, and whether they count (bool).
    levels : Tensor, shape (Q,)
        An odd number of levels, 0.5 in the middle.

    Returns
    -------
    QuantileTerms
        Zeros if nothing is known.
    """
    error = torch.asinh(targets).unsqueeze(1) - torch.asinh(quantiles)
    weight = known.to(error.dtype)
    losses = 2 * pinball(error, levels[:, None]) * weight.unsqueeze(1)  # (B, Q, H)
    by_level = losses.sum((0, 2)) / weight.sum().clamp_min(1)
    return QuantileTerms(by_level.mean(), by_level[len(levels) // 2])


def quantile_distance(quantiles: Tensor, taught: Tensor, known: Tensor) -> Tensor:
    """Return the mean distance to the quantiles of a teacher after asinh of both sides, a scalar.

    Parameters
    ----------
    quantiles, taught : Tensor, shape (B, Q, H)
        On the scale of the normalized contexts.
    known : Tensor, shape (B, H)
        The steps that count (bool).
    """
    weight = known.to(quantiles.dtype)
    distances = (torch.asinh(taught) - torch.asinh(quantiles)).abs().mean(1) * weight
    return distances.sum() / weight.sum().clamp_min(1)
