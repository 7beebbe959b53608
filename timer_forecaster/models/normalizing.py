"""The scale of a training window: statistics of what the network sees of it."""

from __future__ import annotations

import torch
from torch import Tensor

MAX_NORMALIZED = 64.0
"""Largest normalized value of a target that is learned: the square root of 4096 steps."""


def masked_statistics(values: Tensor, seen: Tensor) -> tuple[Tensor, Tensor]:
    """Return the mean and the population standard deviation of what is seen in each row, (B, 1)."""
    count = seen.sum(-1, keepdim=True).clamp_min(1)
    mean = values.masked_fill(~seen, 0.0).sum(-1, keepdim=True) / count
    deviation = (values - mean).masked_fill(~seen, 0.0)
    return mean, (deviation.square().sum(-1, keepdim=True) / count).sqrt()


def normalized(values: Tensor, mean: Tensor, std: Tensor) -> tuple[Tensor, Tensor]:
    """Return rows (B, T) on the scale of their statistics, and whether a row varies, (B, 1)."""
    varies = std > 1e-5 * (mean.abs() + std) + 1e-30
    return (values - mean) / torch.where(varies, std, 1.0), varies
