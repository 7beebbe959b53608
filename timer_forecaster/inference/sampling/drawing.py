r"""Values of paths: normal scores become levels, and levels become quantiles.

The scores of a step are replaced by their ranks. Of n paths the k-th gets a level in
:math:`[(k - 1) / n, k / n)`, so that the values of a step are spread evenly over its distribution:
the share of paths up to any quantile is its level, to within 1 / n.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from timer_forecaster.arrays import FloatArray
from timer_forecaster.inference import quantiles as quantile_function
from timer_forecaster.inference.sampling.copula import normal_paths

_OUTERMOST = 1e-12  # level; the end of the support is infinite


def draw_paths(
    quantiles: FloatArray,
    levels: Sequence[float],
    n: int,
    weights: FloatArray,
    generator: np.random.Generator,
    floor: FloatArray | float = quantile_function.NO_FLOOR,
) -> FloatArray:
    """Draw paths of one series.

    Parameters
    ----------
    quantiles : ndarray, shape (horizon, Q)
        Values at the known levels, NaN at all if there is no forecast.
    levels : sequence of float, length Q
    n : int
        Number of paths. The scores of a single one are not replaced by ranks.
    weights : ndarray, shape (K,)
        Of the atoms of `timer_forecaster.inference.sampling.copula`.
    generator : numpy Generator
    floor : ndarray of shape (horizon,) or float
        Lowest possible values.

    Returns
    -------
    ndarray, shape (n, horizon)
        Infinite where the values go beyond the range of floats.
    """
    scores = normal_paths(n, len(quantiles), weights, generator)
    at = spread(scores, generator) if n > 1 else normal_levels(scores)
    at = np.clip(at, _OUTERMOST, 1 - _OUTERMOST)
    with np.errstate(over="ignore", invalid="ignore"):
        return quantile_function.evaluate(quantiles, levels, at, floor).T


def spread(scores: FloatArray, generator: np.random.Generator) -> FloatArray:
    """Return levels (steps, n) in the order of scores (steps, n), evenly spread at each step."""
    n = scores.shape[1]
    ascending = (np.arange(n) + generator.uniform(size=scores.shape)) / n
    at = np.empty_like(scores)
    np.put_along_axis(at, np.argsort(scores, axis=1), ascending, axis=1)
    return at


def normal_levels(scores: FloatArray) -> FloatArray:
    """Return the levels of normal scores."""
    return np.asarray(torch.special.ndtr(torch.from_numpy(scores)).numpy())


def normal_scores(levels: FloatArray) -> FloatArray:
    """Return the normal scores of levels; NaN stays."""
    return np.asarray(torch.special.ndtri(torch.from_numpy(levels)).numpy())
