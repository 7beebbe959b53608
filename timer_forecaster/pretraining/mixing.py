"""Mixtures of training windows."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from timer_forecaster.models.normalizing import masked_statistics


def mix_windows(windows: Tensor, share: float, generator: Generator) -> Tensor:
    """Replace a share of the windows by a convex mix with another window, both standardized.

    The mixes show more patterns than the few real series do (TSMixup of Ansari et al., 2024).

    Parameters
    ----------
    windows : Tensor, shape (rows, steps)
        Values, NaN where missing; a step of a mix is missing where it is missing in either.
    share : float
        Share of rows to replace.
    generator : torch.Generator
        Source of the random numbers, on the device of the windows.

    Returns
    -------
    Tensor, shape (rows, steps)
    """
    rows, device = len(windows), windows.device
    mean, std = masked_statistics(windows, ~windows.isnan())
    standard = (windows - mean) / std.clamp_min(1e-12)
    partner = standard[torch.randperm(rows, generator=generator, device=device)]
    weight = torch.rand(rows, 1, generator=generator, device=device) * 0.8 + 0.1
    mixed = weight * standard + (1 - weight) * partner
    chosen = torch.rand(rows, 1, generator=generator, device=device) < share
    enough = (~mixed.isnan()).float().mean(-1, keepdim=True) > 0.2
    return torch.where(chosen & enough, mixed, windows)
