"""The smooth trend of series, without parameters.

Shapes in comments: B batch, T steps, C channels.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

SHARE = 0.15  # of the steps, in the window
LEAST = 5  # steps of the window
ROUNDS = 2  # of weights that are robust against outliers
_SMALL = 1e-8


def smooth_trend(series: Tensor) -> Tensor:
    """Return the trend of series (B, T, C): means in a Gaussian window, robust against outliers.

    Steps far from the first trend get less weight, in two rounds (Tukey's biweight of the
    residuals, in six median deviations). The mean over time is the mean of the series.
    """
    rows = series.transpose(1, 2)  # (B, C, T)
    kernel = window(rows.shape[-1]).to(rows)
    trend = _level(_weighted(rows, torch.ones_like(rows), kernel), rows)
    for _ in range(ROUNDS):
        residuals = rows - trend
        residuals = residuals - residuals.median(-1, keepdim=True).values
        deviation = residuals.abs().median(-1, keepdim=True).values + _SMALL
        weights = (1 - (residuals / (6 * deviation)).square().clamp_max(1)).square()
        trend = _level(_weighted(rows, weights, kernel), rows)
    return trend.transpose(1, 2)


def window(n_steps: int) -> Tensor:
    """Return the Gaussian window for series of so many steps; its sum is 1."""
    width = max(LEAST, round(SHARE * n_steps)) | 1
    if width > n_steps:
        width = n_steps - 1 + n_steps % 2
    steps = torch.arange(width, dtype=torch.float64) - width // 2
    kernel = torch.exp(-0.5 * (steps / (width / 4)).square())
    return kernel / kernel.sum()


def _weighted(rows: Tensor, weights: Tensor, kernel: Tensor) -> Tensor:
    """Return weighted means in the window."""
    both = torch.cat([rows * weights, weights]).flatten(0, 1).unsqueeze(1)
    padded = F.pad(both, (len(kernel) // 2,) * 2, mode="reflect")
    total, weight = F.conv1d(padded, kernel[None, None]).view(2, *rows.shape)
    return total / (weight + _SMALL)


def _level(trend: Tensor, rows: Tensor) -> Tensor:
    """Shift a trend to the mean of its series."""
    return trend + (rows.mean(-1, keepdim=True) - trend.mean(-1, keepdim=True))
