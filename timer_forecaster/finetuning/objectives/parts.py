"""Parts that the objectives of all families share.

Shapes in comments: B windows, Q levels, H steps ahead.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor

from timer_forecaster.arrays import FloatArray
from timer_forecaster.inference.scaling import Row, standardize
from timer_forecaster.models.network import Network
from timer_forecaster.models.normalizing import MAX_NORMALIZED


class Windows(Protocol):
    """Contexts and targets, standardized by the contexts as in a forecast."""

    @property
    def target(self) -> Tensor:
        """Steps after the contexts (B, H), finite."""

    @property
    def observed(self) -> Tensor:
        """Whether a step counts (B, H)."""


class Passed(NamedTuple):
    """Result of one pass over windows."""

    quantiles: Tensor  # (B, Q, H or the steps of one pass, if fewer), float32 or wider
    router_logits: list[Tensor]  # of each block that ran, (B·N, experts); empty without experts


class Terms(NamedTuple):
    """The objective of a step, and the part of it that is the loss of forecasts; both scalars."""

    loss: Tensor
    quantile: Tensor


class Standardized(NamedTuple):
    """Windows on the scale of their contexts."""

    rows: list[Row]
    target: Tensor  # (B, H), finite
    observed: Tensor  # (B, H) bool


def standardized(
    network: Network, contexts: Sequence[FloatArray], targets: FloatArray
) -> Standardized:
    """Standardize windows as `timer_forecaster.ForecastPipeline` does.

    Parameters
    ----------
    network : Network
    contexts : sequence of ndarray, each (steps,)
        NaN where missing, with at least one observed value. The targets of constant contexts do
        not count, because their forecast needs no network.
    targets : ndarray, shape (B, H)
        NaN where missing.
    """
    config, wide = network.config, torch.promote_types(torch.float32, network.dtype)
    rows = [
        standardize(values, f"contexts[{i}]", config.max_context_length, config.interior_masks)
        for i, values in enumerate(contexts)
    ]
    normalized = np.full(targets.shape, np.nan)
    for i, row in enumerate(rows):
        if row.scale > 0:
            normalized[i] = on_scale_of(row, targets[i])
    observed = np.isfinite(normalized) & (np.abs(normalized) <= MAX_NORMALIZED)
    target = torch.from_numpy(np.where(observed, normalized, 0.0))
    return Standardized(
        rows, target.to(network.device, wide), torch.from_numpy(observed).to(network.device)
    )


def on_scale_of(row: Row, values: FloatArray) -> FloatArray:
    """Return values on the scale of a row that varies."""
    # Divided by a power of two, which rounds nothing, differences stay in range.
    unit = math.ldexp(1.0, math.frexp(row.scale)[1] - 1)
    with np.errstate(over="ignore"):  # a value that is infinite here is far outside
        distance = values / unit - row.location / unit
    standard: FloatArray = distance / (row.scale / unit)
    return standard
