"""Paths that extend a context beyond one pass, and the mixture of the forecasts after them.

Shapes in comments: B rows, R paths of each row, Q levels, F steps of one pass.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from timer_forecaster.inference import quantiles as quantile_function
from timer_forecaster.models.timer_s1.generation import middle_quantile

N_PATHS = 9
"""Number of paths that a quantile roll-out carries."""

_PARTS = 36  # equally probable values that represent the forecast of one path in a mixture
_MIXED_AT_ONCE = 2**24  # values


def paths_of(rollout: str) -> int:
    """Return the number of paths of a roll-out, ``"quantile"`` or ``"median"``."""
    return N_PATHS if rollout == "quantile" else 1


def continuations(levels: Sequence[float], forecast: Tensor, n_paths: int) -> Tensor:
    """Return paths that continue rows: the median, or equally probable quantiles.

    Parameters
    ----------
    levels : sequence of float
    forecast : Tensor, shape (B, Q, F)
        Quantiles.
    n_paths : int

    Returns
    -------
    Tensor, shape (B, n_paths, F)
    """
    if n_paths == 1:
        return middle_quantile(forecast)[:, None]
    return _equal_parts(levels, forecast, n_paths)


def mixed(levels: Sequence[float], forecast: Tensor, n_paths: int) -> Tensor:
    """Return quantiles (B, Q, F) of the mixture of the forecasts of paths (B R, Q, F)."""
    rows = max(1, _MIXED_AT_ONCE // (n_paths * _PARTS * forecast.shape[-1]))
    chunks = forecast.split(rows * n_paths)
    return torch.cat([_mixed_rows(levels, chunk, n_paths) for chunk in chunks])


def _equal_parts(levels: Sequence[float], forecast: Tensor, n: int) -> Tensor:
    """Return the middles (B, n, F) of n equally probable parts of quantiles (B, Q, F)."""
    middles = (np.arange(n) + 0.5) / n
    # The quantile function is linear in the known quantiles. It is evaluated for step functions,
    # which ascend as quantiles do; the weight of a quantile is the difference between the values
    # for a step at it and for a step at the next one.
    steps = quantile_function.evaluate(np.triu(np.ones((len(levels),) * 2)), levels, middles)
    weights = -np.diff(steps, axis=0, append=0.0)  # (Q, n)
    weights_tensor = torch.tensor(weights, dtype=forecast.dtype, device=forecast.device)
    return torch.einsum("bqf,qn->bnf", forecast.sort(dim=1).values, weights_tensor)


def _mixed_rows(levels: Sequence[float], forecast: Tensor, n_paths: int) -> Tensor:
    parts = _equal_parts(levels, forecast, _PARTS)  # (B * paths, parts, F)
    pooled = parts.unflatten(0, (-1, n_paths)).flatten(1, 2).sort(dim=1).values
    n = pooled.shape[1]
    at = torch.tensor(levels, dtype=pooled.dtype, device=pooled.device)
    position = (at * n - 0.5).clamp(0, n - 1)
    low = position.floor().long()
    weight = (position - low)[:, None]
    return torch.lerp(pooled[:, low], pooled[:, (low + 1).clamp_max(n - 1)], weight)
