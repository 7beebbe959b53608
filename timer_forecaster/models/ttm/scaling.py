"""Contexts of one length, on the scale of the network.

Shapes in comments: B batch, T steps, C channels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

if TYPE_CHECKING:
    from timer_forecaster.models.ttm.architecture import TTMArchitecture

_VARIANCE = 1e-5  # added to the variance
_LEAST_MEAN = 1e-10


def fit_context(values: Tensor, mask: Tensor | None, length: int) -> tuple[Tensor, Tensor | None]:
    """Cut contexts (B, T, C) to their newest steps, or put zeros before them.

    The zeros are not observed if there is a mask. Without one they are, as in the released
    implementation, with which checkpoints were trained.
    """
    lacking = length - values.shape[1]
    if lacking <= 0:
        return values[:, -length:], None if mask is None else mask[:, -length:]
    padding = (0, 0, lacking, 0)
    return F.pad(values, padding), None if mask is None else F.pad(mask, padding)


def statistics(
    values: Tensor, mask: Tensor | None, config: TTMArchitecture
) -> tuple[Tensor, Tensor]:
    """Return location and scale of contexts (B, T, C), each (B, 1, C).

    Parameters
    ----------
    values : Tensor, shape (B, T, C)
    mask : Tensor of the same shape and type, optional
        1 where a value was observed, else 0. Default: all were.
    config : TTMArchitecture
        Its ``scaling`` says how.
    """
    kind = config.scaler
    if kind == "std":
        return _mean_and_deviation(values, mask, config.minimum_scale or _VARIANCE)
    if kind == "mean":
        return _mean_of_sizes(values, mask, config)
    shape = (len(values), 1, values.shape[-1])
    return values.new_zeros(shape), values.new_ones(shape)


def _mean_and_deviation(values: Tensor, mask: Tensor | None, added: float) -> tuple[Tensor, Tensor]:
    if mask is None:
        loc = values.mean(1, keepdim=True)
        variance = (values - loc).square().mean(1, keepdim=True)
    else:
        n = mask.sum(1, keepdim=True).clamp_min(1)
        loc = (values * mask).sum(1, keepdim=True) / n
        variance = ((values - loc) * mask).square().sum(1, keepdim=True) / n
    return loc, (variance + added).sqrt()


def _mean_of_sizes(
    values: Tensor, mask: Tensor | None, config: TTMArchitecture
) -> tuple[Tensor, Tensor]:
    """Return zero and the mean size; a channel never observed has the batch's, or the default."""
    mask = torch.ones_like(values) if mask is None else mask
    total = (values * mask).abs().sum(1, keepdim=True)
    n = mask.sum(1, keepdim=True)
    if config.default_scale is None:
        unseen = total.sum(0, keepdim=True) / n.sum(0, keepdim=True).clamp_min(1)
    else:
        unseen = torch.full_like(total, config.default_scale)
    scale = torch.where(n > 0, total / n.clamp_min(1), unseen)
    scale = scale.clamp_min(config.minimum_scale or _LEAST_MEAN)
    return torch.zeros_like(scale), scale
