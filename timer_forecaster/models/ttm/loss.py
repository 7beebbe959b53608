"""Losses of training.

Shapes in comments: B batch, H horizon, C channels, Q levels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

if TYPE_CHECKING:
    from timer_forecaster.models.ttm.architecture import TTMArchitecture


def pinball(error: Tensor, level: Tensor | float) -> Tensor:
    """Return the pinball loss of targets minus forecasts, entry by entry."""
    return torch.maximum(level * error, (level - 1) * error)


def point_loss(
    config: TTMArchitecture, forecast: Tensor, target: Tensor, mask: Tensor | None = None
) -> Tensor | None:
    """Return the loss of a point forecast, over entries with a nonzero mask; None without a loss.

    Where nothing is observed it is 0.
    """
    if config.loss is None:
        return None
    if mask is not None:
        seen = mask.bool()
        if not seen.any():
            return forecast.sum() * 0
        forecast, target = forecast[seen], target[seen]
    if config.loss == "mse":
        return F.mse_loss(forecast, target)
    if config.loss == "mae":
        return F.l1_loss(forecast, target)
    if config.loss == "huber":
        return F.huber_loss(forecast, target, delta=config.huber_delta)
    return pinball(target - forecast, config.quantile).mean()


def quantile_loss(config: TTMArchitecture, quantiles: Tensor, target: Tensor) -> Tensor:
    """Return the loss of quantiles (B, Q, H, C) for targets (B, H, C).

    It is the mean pinball loss over the levels, plus ``point_extra_weight`` times the mean absolute
    error of the median, plus ``penalize_large_width_ratio`` times the mean width of the outermost
    interval ("boundary") or of all intervals ("wis").
    """
    levels = torch.tensor(config.quantile_levels, dtype=target.dtype, device=target.device)
    loss = pinball(target.unsqueeze(1) - quantiles, levels[:, None, None]).mean()
    half = len(levels) // 2
    if config.point_extra_weight:
        loss = loss + config.point_extra_weight * F.l1_loss(quantiles[:, half], target)
    if config.penalize_large_width_ratio:
        n_widths = 1 if config.width_penalty_mode == "boundary" else half
        widths = quantiles.flip(1)[:, :n_widths] - quantiles[:, :n_widths]
        loss = loss + config.penalize_large_width_ratio * widths.mean()
    return loss
