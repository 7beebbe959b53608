"""Known columns beside the contexts of a TinyTimeMixer, without gaps.

Shapes in comments: B rows, E columns, T context length, N steps of all passes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from timer_forecaster.arrays import FloatArray
from timer_forecaster.inference.scaling import filled
from timer_forecaster.models.ttm import TTMNetwork


class KnownSteps(NamedTuple):
    """Columns over the steps of contexts and of all passes after them."""

    values: Tensor  # (B, E, T + N)
    seen: Tensor  # (B, E, T + N) bool


def pad_known(network: TTMNetwork, rows: Sequence[FloatArray], ahead: int) -> KnownSteps:
    """Return columns as the network reads them.

    Missing values take the line between their neighbors, in the context and after it apart: a
    future that fills a gap of the context would be far outside the values that were seen there.
    The mean of the context goes before short rows. The last value goes after the horizon, to the
    end of the last pass.

    Parameters
    ----------
    network : TTMNetwork
    rows : sequence of ndarray, each of shape (E, steps + ahead)
        Standardized columns, aligned at their end; NaN where missing.
    ahead : int
        Steps after the context.
    """
    length, steps = network.config.max_context_length, network.pass_length
    passes = -(-ahead // steps) * steps
    double = network.dtype == torch.float64
    shape = len(rows), len(rows[0]), length + passes
    values = np.zeros(shape, dtype=np.float64 if double else np.float32)
    seen = np.zeros(shape, dtype=bool)
    for row, columns in enumerate(rows):
        for column, own in enumerate(columns):
            past, future = own[: len(own) - ahead][-length:], own[len(own) - ahead :]
            first = length - len(past)
            seen[row, column, first:length] = np.isfinite(past)
            seen[row, column, length:] = True
            context = _filled(past)
            values[row, column, :first] = context.mean() if len(context) else 0.0
            values[row, column, first:length] = context
            after = _filled(np.concatenate([context[-1:], future]))[len(context[-1:]) :]
            values[row, column, length : length + ahead] = after
            values[row, column, length + ahead :] = after[-1]
    there = torch.from_numpy(values).to(network.device, network.dtype)
    return KnownSteps(there, torch.from_numpy(seen).to(network.device))


def _filled(values: FloatArray) -> FloatArray:
    """Return values with lines in their gaps; zeros, the mean of a column, if none is there."""
    return filled(values) if np.isfinite(values).any() else np.zeros_like(values)
