r"""A quantile function from a few predicted levels, with its moments, distribution and density.

Between predicted levels the function is linear. Beyond the outermost ones it has exponential
tails: with outer levels :math:`p_1 < p_2` and values :math:`v_1 \le v_2`,

.. math:: Q(p) = v_1 - b \ln(p_1 / p), \quad b = (v_2 - v_1) / \ln(p_2 / p_1), \quad p < p_1

and mirrored above. The rule meets the two outer levels exactly, gives a finite mean and keeps
the forecast equivariant to scale and shift. For a normal distribution its tails are slightly too
wide: from deciles, its 0.01 quantile lies at -2.74 standard deviations, the true one at -2.33.

The distribution is a mixture of Q + 1 pieces that lie one after another: an exponential tail,
uniform distributions between neighboring quantiles, and an exponential tail. Their weights are the
gaps between levels. Pieces between equal values are point masses. Moments are sums of terms that
do not cancel, made of differences of quantiles, so a small spread about a large level costs no
precision. Values beyond the range of floats are infinite.

A variable may have a floor c at or below its lowest quantile, such as 0 for counts. Its
distribution is then that of :math:`\max(X, c)`: what the lower tail has below the floor is a point
mass at it. Let :math:`r = (v_1 - c) / b` and :math:`a = e^{-r}`. The part of the lower tail
has an expected distance below :math:`v_1` of :math:`b (1 - a)`, its square
:math:`2 b^2 (1 - a (1 + r))`, and between two draws :math:`b (1 - a)^2`. Without a floor a is 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from timer_forecaster.arrays import FloatArray

NO_FLOOR = -np.inf
"""The floor of a variable of any values."""

_DEEPEST = 1e3  # scales; what an exponential tail has beyond is less than any float


def floor_of(nonnegative: ArrayLike) -> FloatArray:
    """Return the lowest possible values: zero, or none."""
    return np.where(nonnegative, 0.0, NO_FLOOR)


def evaluate(
    quantiles: FloatArray,
    levels: Sequence[float],
    at: FloatArray,
    floor: FloatArray | float = NO_FLOOR,
) -> FloatArray:
    """Evaluate quantile functions at any levels.

    Parameters
    ----------
    quantiles : ndarray, shape (..., Q)
        Values at the known levels, not decreasing along the last axis.
    levels : sequence of float, length Q >= 2
        Known levels, ascending.
    at : ndarray, shape (..., A)
        Levels to evaluate at; leading axes broadcast against the leading axes of ``quantiles``.
    floor : ndarray of shape (...) or float
        Lowest possible values, at most the lowest quantiles. Default: none.

    Returns
    -------
    ndarray, shape (..., A)
        The known values at known levels. At 0 and 1, the ends of the support, which are infinite
        unless the tail has no scale or a floor. NaN outside [0, 1].
    """
    known = np.asarray(levels)
    upper = np.clip(np.searchsorted(known, at), 1, len(known) - 1)
    shape = np.broadcast_shapes(quantiles.shape[:-1], at.shape[:-1])
    quantiles = np.broadcast_to(quantiles, (*shape, len(known)))
    upper_full = np.broadcast_to(upper, (*shape, at.shape[-1]))
    high = np.take_along_axis(quantiles, upper_full, axis=-1)
    low = np.take_along_axis(quantiles, upper_full - 1, axis=-1)
    weight = (at - known[upper - 1]) / (known[upper] - known[upper - 1])
    between = np.minimum(low + np.maximum(weight, 0.0) * (high - low), high)
    inside = np.where(weight < 1, between, high)
    lower_scale, upper_scale = tail_scales(quantiles, known)
    below = _reach(lower_scale[..., None], known[0], at)
    above = _reach(upper_scale[..., None], 1 - known[-1], 1 - at)
    found = np.maximum(inside - below + above, _column(floor))
    return np.where((at >= 0) & (at <= 1), found, np.nan)


def _reach(scale: FloatArray, mass: float, beyond: FloatArray) -> FloatArray:
    """Return the distance from the outer quantile beyond which a part of the tail's mass lies."""
    with np.errstate(divide="ignore", invalid="ignore"):
        reach = scale * np.log(np.maximum(1.0, mass / beyond))
    return np.where(scale > 0, reach, 0.0)


def tail_scales(quantiles: FloatArray, levels: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the scales b of the lower and the upper exponential tail, each of shape (...)."""
    lower = (quantiles[..., 1] - quantiles[..., 0]) / np.log(levels[1] / levels[0])
    upper = (quantiles[..., -1] - quantiles[..., -2]) / np.log((1 - levels[-2]) / (1 - levels[-1]))
    return lower, upper


class _Pieces(NamedTuple):
    """The pieces of the mixture, from the lowest to the highest."""

    weights: FloatArray  # (Q + 1,)
    spans: FloatArray  # (..., Q + 1), the scale of a tail, the width of a uniform distribution
    arms: FloatArray  # (..., Q + 1), the distance of the mean from the quantiles at the ends
    depth: FloatArray  # (...), of the floor below the lowest quantile, in scales of the lower tail

    @classmethod
    def of(
        cls, quantiles: FloatArray, levels: Sequence[float], floor: FloatArray | float
    ) -> _Pieces:
        lower, upper = tail_scales(quantiles, np.asarray(levels))
        widths = np.diff(quantiles, axis=-1)
        spans = np.concatenate([lower[..., None], widths, upper[..., None]], axis=-1)
        weights = np.diff(np.asarray(levels), prepend=0.0, append=1.0)
        depth = np.minimum(_divide(quantiles[..., 0] - floor, lower, np.inf), _DEEPEST)
        depth = np.where(np.isneginf(floor), _DEEPEST, depth)
        arms = spans * _factors(-np.expm1(-depth), 0.5, 1.0, len(weights))
        return cls(weights, spans, arms, depth)

    @property
    def mass_at_floor(self) -> FloatArray:
        """What the lower tail has at its floor, shape (...)."""
        return self.weights[0] * np.exp(-self.depth)

    def means(self, quantiles: FloatArray) -> FloatArray:
        """Return the means of the pieces less the middle quantile, shape (..., Q + 1)."""
        seen = quantiles - _middle(quantiles)[..., None]
        lowest, highest = seen[..., :1] - self.arms[..., :1], seen[..., -1:] + self.arms[..., -1:]
        return np.concatenate([lowest, seen[..., :-1] + self.arms[..., 1:-1], highest], axis=-1)


def _factors(lower: FloatArray | float, uniform: float, upper: float, n_pieces: int) -> FloatArray:
    """Return a factor for each piece (..., Q + 1): lower tails (...), uniform ones, upper tails."""
    factors = np.full((*np.shape(lower), n_pieces), uniform)
    factors[..., 0], factors[..., -1] = lower, upper
    return factors


def _column(floor: FloatArray | float) -> FloatArray:
    """Return floors (...) beside values (..., A)."""
    return np.asarray(floor)[..., None]


def _middle(quantiles: FloatArray) -> FloatArray:
    return quantiles[..., quantiles.shape[-1] // 2]


def mean(
    quantiles: FloatArray, levels: Sequence[float], floor: FloatArray | float = NO_FLOOR
) -> FloatArray:
    r"""Return means, the integrals of quantile functions over (0, 1), tails included.

    Parameters
    ----------
    quantiles : ndarray, shape (..., Q)
        Values at the known levels, not decreasing along the last axis.
    levels : sequence of float, length Q >= 2
        Known levels, ascending.
    floor : ndarray of shape (...) or float
        Lowest possible values, at most the lowest quantiles. Default: none.

    Returns
    -------
    ndarray, shape (...)
        :math:`\mu = \sum_s w_s \mu_s` with the weights and means of the pieces:
        :math:`v_1 - b (1 - a)` for the lower tail, :math:`v_Q + b` for the upper one, midpoints
        between.
    """
    pieces = _Pieces.of(quantiles, levels, floor)
    return _middle(quantiles) + (pieces.weights * pieces.means(quantiles)).sum(axis=-1)


def variance(
    quantiles: FloatArray, levels: Sequence[float], floor: FloatArray | float = NO_FLOOR
) -> FloatArray:
    r"""Return variances, tails included.

    .. math:: \operatorname{Var} X = \sum_s w_s \left[(\mu_s - \mu)^2 + \sigma_s^2\right],

    with :math:`\sigma_s^2 = b^2` for a tail, :math:`b^2 (1 - a^2 - 2 a r)` for one that ends at a
    floor, and :math:`(v_{k+1} - v_k)^2 / 12` between levels.

    Parameters
    ----------
    quantiles, levels, floor
        As in `mean`.

    Returns
    -------
    ndarray, shape (...)
    """
    pieces = _Pieces.of(quantiles, levels, floor)
    means, depth = pieces.means(quantiles), pieces.depth
    centered = means - (pieces.weights * means).sum(axis=-1, keepdims=True)
    lower = -np.expm1(-2 * depth) - 2 * depth * np.exp(-depth)
    within = _factors(lower, 1 / 12, 1.0, len(pieces.weights))
    with np.errstate(over="ignore"):
        return (pieces.weights * (centered**2 + within * pieces.spans**2)).sum(axis=-1)


def mean_difference(
    quantiles: FloatArray, levels: Sequence[float], floor: FloatArray | float = NO_FLOOR
) -> FloatArray:
    r"""Return expected distances between two independent draws: Gini's mean differences.

    .. math:: E|X - X'| = \sum_s w_s^2 d_s + 2 \sum_k p_k (1 - p_k) (\mu_{k+1} - \mu_k)

    The first sum is over two draws from one piece, with :math:`d_s = b` for a tail,
    :math:`b (1 - a)^2` for one that ends at a floor, and :math:`(v_{k+1} - v_k) / 3` between
    levels; the second is over neighboring pieces.

    Parameters
    ----------
    quantiles, levels, floor
        As in `mean`.

    Returns
    -------
    ndarray, shape (...)
    """
    weights, spans, arms, depth = _Pieces.of(quantiles, levels, floor)
    known, lower = np.asarray(levels), np.square(np.expm1(-depth))
    within = (weights**2 * _factors(lower, 1 / 3, 1.0, len(weights)) * spans).sum(axis=-1)
    between = (known * (1 - known) * (arms[..., :-1] + arms[..., 1:])).sum(axis=-1)
    return within + 2 * between


def absolute_deviation(
    quantiles: FloatArray,
    levels: Sequence[float],
    at: FloatArray,
    floor: FloatArray | float = NO_FLOOR,
) -> FloatArray:
    r"""Return expected distances from values.

    .. math:: E|X - y| = \sum_s w_s E_s|X - y|

    A uniform piece with midpoint m and half width h gives :math:`|y - m| + r^2 / 2h`, where
    :math:`r = \max(0, h - |y - m|)`. A tail gives :math:`|t| + b (2 e^{-\max(0, t) / b} - 1)`,
    where t is the distance of y outwards from the outer quantile. One that ends at a floor gives
    :math:`|t| + b (2 e^{-\min(\max(0, t) / b, r)} - 1 - a)`.

    This less half of `mean_difference` is the continuous ranked probability score [1]_.

    Parameters
    ----------
    quantiles : ndarray, shape (..., Q)
        Values at the known levels, not decreasing along the last axis.
    levels : sequence of float, length Q >= 2
        Known levels, ascending.
    at : ndarray, shape (..., A)
        The values; leading axes broadcast against the leading axes of ``quantiles``.
    floor : ndarray of shape (...) or float
        Lowest possible values, at most the lowest quantiles. Default: none.

    Returns
    -------
    ndarray, shape (..., A)

    References
    ----------
    .. [1] Gneiting and Raftery, Strictly Proper Scoring Rules, Prediction, and Estimation,
       Journal of the American Statistical Association 102, 2007, equation 21.
    """
    weights, spans, arms, floors = _Pieces.of(quantiles, levels, floor)
    spans, arms = spans[..., None, :], arms[..., None, :]
    over = at[..., :, None] - quantiles[..., None, :]  # (..., A, Q)

    distance = np.abs(over[..., :-1] - arms[..., 1:-1])
    room = np.maximum(arms[..., 1:-1] - distance, 0.0)
    uniform = distance + room * _divide(room, spans[..., 1:-1], 0.0)

    outwards = np.stack([-over[..., 0], over[..., -1]], axis=-1)
    scales = spans[..., [0, -1]]
    ends = np.stack([floors, np.full_like(floors, _DEEPEST)], axis=-1)[..., None, :]
    depth = np.minimum(_divide(np.maximum(outwards, 0.0), scales, np.inf), ends)
    tails = np.abs(outwards) + scales * (2 * np.exp(-depth) - 1 - np.exp(-ends))
    return (weights[1:-1] * uniform).sum(axis=-1) + (weights[[0, -1]] * tails).sum(axis=-1)


def cdf(
    quantiles: FloatArray,
    levels: Sequence[float],
    at: FloatArray,
    floor: FloatArray | float = NO_FLOOR,
) -> FloatArray:
    r"""Return distribution functions, the probabilities of at most a value.

    The generalized inverse of `evaluate`: :math:`Q(p) \le y` if and only if :math:`p \le F(y)`,
    to rounding, and exactly so at the known levels. Where :math:`v_k \le y < v_{k+1}`,

    .. math:: F(y) = p_k + (p_{k+1} - p_k) (y - v_k) / (v_{k+1} - v_k);

    below, :math:`F(y) = p_1 e^{-(v_1 - y) / b}`, and mirrored above; below a floor it is 0. It is
    right-continuous and jumps at point masses.

    Parameters
    ----------
    quantiles, levels, at, floor
        As in `absolute_deviation`.

    Returns
    -------
    ndarray, shape (..., A)
        NaN where ``at`` is.
    """
    piece, depth = _place(quantiles, levels, at)
    ends = np.concatenate([[0.0], levels, [1.0]])
    fade = np.exp(-np.abs(depth))
    share = np.select([piece == 0, piece == len(levels)], [fade, 1 - fade], depth)
    low, high = ends[piece], ends[piece + 1]
    return np.where(at < _column(floor), 0.0, np.minimum(low + share * (high - low), high))


def log_tails(
    quantiles: FloatArray,
    levels: Sequence[float],
    at: FloatArray,
    floor: FloatArray | float = NO_FLOOR,
) -> tuple[FloatArray, FloatArray]:
    r"""Return logarithms of the probabilities of at most, and of at least, a value.

    Both include the probability of exactly the value. Far in the tails, where a probability is less
    than any float, its logarithm is still exact: :math:`\ln p_1 - (v_1 - y) / b` below the lowest
    quantile, and mirrored above.

    Parameters
    ----------
    quantiles, levels, at, floor
        As in `absolute_deviation`.

    Returns
    -------
    lower, upper : ndarray, each of shape (..., A)
        Minus infinity outside the support, NaN where ``at`` is.

    Examples
    --------
    >>> import numpy as np
    >>> lower, upper = log_tails(np.array([0.0, 1.0, 2.0]), (0.1, 0.5, 0.9), np.array([1.0, 1e4]))
    >>> np.exp(lower).round(3).tolist(), upper.round().tolist()
    ([0.5, 1.0], [-1.0, -16093.0])
    """
    piece, depth = _place(quantiles, levels, at)
    reached = cdf(quantiles, levels, at, floor)
    mass = point_mass(quantiles, levels, at, floor)
    with np.errstate(divide="ignore"):
        lower, upper = np.log(reached), np.log(np.minimum(1 - reached + mass, 1.0))
    lower = np.where(piece == 0, np.log(levels[0]) - np.abs(depth), lower)
    lower = np.where(at < _column(floor), -np.inf, lower)
    in_tail = (piece == len(levels)) & (mass == 0)
    return lower, np.where(in_tail, np.log1p(-levels[-1]) - depth, upper)


def log_density(
    quantiles: FloatArray,
    levels: Sequence[float],
    at: FloatArray,
    floor: FloatArray | float = NO_FLOOR,
) -> FloatArray:
    r"""Return logarithms of densities.

    The density is the derivative of `cdf` to the right: the weight of a piece over its width
    between levels, and :math:`F(y) / b` or :math:`(1 - F(y)) / b` in the tails.

    Parameters
    ----------
    quantiles, levels, at, floor
        As in `absolute_deviation`.

    Returns
    -------
    ndarray, shape (..., A)
        Infinite at point masses, minus infinity outside the support, NaN where ``at`` is.
    """
    piece, depth = _place(quantiles, levels, at)
    weights, spans, *_ = _Pieces.of(quantiles, levels, floor)
    span = _pick(spans, piece)
    in_tail = (piece == 0) | (piece == len(levels))
    with np.errstate(divide="ignore", invalid="ignore"):
        density = np.log(weights[piece]) - np.log(span) - np.where(in_tail, np.abs(depth), 0.0)
    density = np.where(span > 0, density, -np.abs(depth))
    density = np.where(at < _column(floor), -np.inf, density)
    return np.where(point_mass(quantiles, levels, at, floor) > 0, np.inf, density)


def point_mass(
    quantiles: FloatArray,
    levels: Sequence[float],
    at: FloatArray,
    floor: FloatArray | float = NO_FLOOR,
) -> FloatArray:
    """Return probabilities of exactly a value: the weights of the pieces without width there.

    At a floor it is also what the lower tail has there.

    Parameters
    ----------
    quantiles, levels, at, floor
        As in `absolute_deviation`.

    Returns
    -------
    ndarray, shape (..., A)
    """
    pieces = _Pieces.of(quantiles, levels, floor)
    starts = np.concatenate([quantiles[..., :1], quantiles], axis=-1)
    masses = np.where(pieces.spans > 0, 0.0, pieces.weights)
    found = (masses[..., None, :] * (starts[..., None, :] == at[..., :, None])).sum(axis=-1)
    return found + np.where(at == _column(floor), pieces.mass_at_floor[..., None], 0.0)


def density_norm(
    quantiles: FloatArray,
    levels: Sequence[float],
    power: float,
    floor: FloatArray | float = NO_FLOOR,
) -> FloatArray:
    r"""Return integrals of a power of the density.

    .. math:: \int f(y)^a \, dy = \sum_s c_s w_s (w_s / h_s)^{a - 1},

    with :math:`c_s = 1 / a, h_s = b` for a tail and :math:`c_s = 1, h_s = v_{k+1} - v_k` between
    levels.

    Parameters
    ----------
    quantiles, levels
        As in `mean`.
    power : float
        The power :math:`a > 1`.
    floor : ndarray of shape (...) or float
        As in `mean`.

    Returns
    -------
    ndarray, shape (...)
        Infinite where there is a point mass.
    """
    pieces = _Pieces.of(quantiles, levels, floor)
    weights, tail = pieces.weights, 1 / power
    with np.errstate(over="ignore"):
        powers = _divide(weights, pieces.spans, np.inf) ** (power - 1)
        norm = (_factors(tail, 1.0, tail, len(weights)) * weights * powers).sum(axis=-1)
    return np.where(pieces.mass_at_floor > 0, np.inf, norm)


def _place(
    quantiles: FloatArray, levels: Sequence[float], at: FloatArray
) -> tuple[NDArray[np.intp], FloatArray]:
    """Return the piece of each value, and the depth of the value in it, in spans of the piece.

    Depths count from the lower end of a piece; in the lower tail, from its upper end.
    """
    over = at[..., :, None] - quantiles[..., None, :]
    piece = np.count_nonzero(over >= 0, axis=-1)
    span = _pick(_Pieces.of(quantiles, levels, NO_FLOOR).spans, piece)
    depth = _divide(
        np.take_along_axis(over, np.maximum(piece - 1, 0)[..., None], axis=-1)[..., 0],
        span,
        np.where(piece == 0, -np.inf, np.inf),
    )
    return piece, np.where(np.isnan(at), np.nan, depth)


def _pick(spans: FloatArray, piece: NDArray[np.intp]) -> FloatArray:
    """Return the spans (..., A) of pieces (..., A), from the spans (..., Q + 1) of all."""
    spans = np.broadcast_to(spans, (*piece.shape[:-1], spans.shape[-1]))
    return np.take_along_axis(spans, piece, axis=-1)


def _divide(
    numerator: FloatArray, denominator: FloatArray, otherwise: float | FloatArray
) -> FloatArray:
    """Divide; where the denominator is 0, the quotient is `otherwise`."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return np.where(denominator > 0, numerator / denominator, otherwise)
