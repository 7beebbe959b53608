r"""A mixture of Gaussian copulas for the steps of a path.

A path has a persistent level and a first-order autoregression. With a share :math:`a` of the level
and a persistence :math:`\rho`, normal scores of steps at lag :math:`d` have the correlation

.. math:: r(d) = a + (1 - a) \rho^d.

Each pair :math:`(a, \rho)` is an atom. A path draws one, by the weights of a mixture. Windows of a
series differ so much that a mixture tells more than a single fitted pair.
"""

from __future__ import annotations

import numpy as np

from timer_forecaster.arrays import FloatArray

ATOMS = np.array(
    [
        (0.0, 0.0),
        (0.0, 0.3),
        (0.0, 0.7),
        (0.0, 0.9),
        (0.0, 0.97),
        (0.3, 0.3),
        (0.3, 0.8),
        (0.3, 0.95),
        (0.7, 0.5),
        (0.7, 0.95),
    ]
)
"""Pairs of the share of a persistent level and the persistence of the rest."""

PRIOR_WINDOWS = 4.0
"""Windows of a series that the learned weights count as."""

LEAST_OBSERVED = 0.5
"""Share of the steps of a window that are needed to learn from it."""


def correlations(weights: FloatArray, lags: FloatArray) -> FloatArray:
    """Return the correlations of normal scores at some lags, in the mean over a mixture.

    Parameters
    ----------
    weights : ndarray, shape (K,)
        Of the atoms, of sum 1.
    lags : ndarray, shape (D,)

    Returns
    -------
    ndarray, shape (D,)
    """
    level, persistence = ATOMS.T
    of_atoms = level + (1 - level) * persistence ** np.asarray(lags)[:, None]
    return of_atoms @ weights


def normal_paths(
    n: int, horizon: int, weights: FloatArray, generator: np.random.Generator
) -> FloatArray:
    r"""Draw paths of normal scores.

    With independent normal :math:`g, e_t`,

    .. math:: x_1 = e_1, \quad x_t = \rho x_{t-1} + \sqrt{1 - \rho^2} e_t, \quad
        z_t = \sqrt{a} g + \sqrt{1 - a} x_t.

    Atoms are taken in proportion to their weights, and then in a random order, so that any part of
    the paths is a fair sample.

    Parameters
    ----------
    n : int
        Number of paths.
    horizon : int
    weights : ndarray, shape (K,)
        Of the atoms, of sum 1.
    generator : numpy Generator

    Returns
    -------
    ndarray, shape (horizon, n)
    """
    places = (np.arange(n) + generator.uniform()) / n
    chosen = np.minimum(np.searchsorted(np.cumsum(weights), places), len(weights) - 1)
    level, persistence = ATOMS[generator.permutation(chosen)].T
    scores = generator.standard_normal((horizon, n))
    news = np.sqrt(1 - persistence**2)
    for step in range(1, horizon):
        scores[step] *= news
        scores[step] += persistence * scores[step - 1]
    scores *= np.sqrt(1 - level)
    scores += np.sqrt(level) * generator.standard_normal(n)
    return scores


def log_likelihood(scores: FloatArray) -> FloatArray:
    r"""Return the log densities of windows of normal scores under each atom.

    The autoregression is Markov also across gaps: at a gap :math:`d`, an observed score follows the
    one before with :math:`f = \rho^d` and the variance :math:`v = (1 - a)(1 - f^2)`. With the
    innovations :math:`i = z_t - f z` and :math:`b = 1 - f`, the level enters by the formula of
    Sherman and Morrison,

    .. math:: -2 \log L = q_1 - a q_2^2 / G + \sum \log v + \log G + m \log 2 \pi, \quad
        G = 1 + a q_3,

    where :math:`q_1, q_2, q_3` are the sums of :math:`i^2 / v`, :math:`i b / v` and
    :math:`b^2 / v` over the :math:`m` observed steps.

    Parameters
    ----------
    scores : ndarray, shape (W, steps)
        NaN where missing.

    Returns
    -------
    ndarray, shape (W, K)
    """
    n_windows, level = len(scores), ATOMS[:, 0]
    sums = _Sums(n_windows)
    last, gap = np.full(n_windows, np.nan), np.zeros(n_windows)
    for score in scores.T:
        gap += 1
        sums.add(score, last, gap)
        seen = np.isfinite(score)
        last, gap = np.where(seen, score, last), np.where(seen, 0.0, gap)
    spread = 1 + level * sums.of_level
    quadratic = sums.of_scores - level * sums.of_both**2 / spread
    constant = np.isfinite(scores).sum(axis=1)[:, None] * np.log(2 * np.pi)
    return -(quadratic + sums.of_logs + np.log(spread) + constant) / 2


class _Sums:
    """The sums of `log_likelihood`, each of shape (W, K)."""

    def __init__(self, n_windows: int) -> None:
        zeros = np.zeros((4, n_windows, len(ATOMS)))
        self.of_scores, self.of_both, self.of_level, self.of_logs = zeros

    def add(self, score: FloatArray, last: FloatArray, gap: FloatArray) -> None:
        """Add the terms of a step where it is observed."""
        level, persistence = ATOMS.T
        follows = np.isfinite(last)[:, None]
        factor = np.where(follows, persistence ** gap[:, None], 0.0)
        variance = (1 - level) * (1 - factor**2)
        news = score[:, None] - factor * np.nan_to_num(last)[:, None]
        fresh = 1 - factor
        terms = news**2 / variance, news * fresh / variance, fresh**2 / variance, np.log(variance)
        sums = self.of_scores, self.of_both, self.of_level, self.of_logs
        for total, term in zip(sums, terms, strict=True):
            total += np.where(np.isfinite(score)[:, None], term, 0.0)


def shares(scores: FloatArray, weights: FloatArray) -> FloatArray:
    """Return the probabilities of the atoms for each window, after it was seen.

    Parameters
    ----------
    scores : ndarray, shape (W, steps)
    weights : ndarray, shape (K,)
        Probabilities before.

    Returns
    -------
    ndarray, shape (W, K)
    """
    with np.errstate(divide="ignore"):  # an atom without weight
        logs = log_likelihood(scores) + np.log(weights)
    found = np.exp(logs - logs.max(axis=1, keepdims=True))
    return np.asarray(found / found.sum(axis=1, keepdims=True))


def updated(weights: FloatArray, scores: FloatArray) -> FloatArray:
    """Return the weights of a series after its past windows.

    The learned weights count as `PRIOR_WINDOWS` windows. Windows of which less than
    `LEAST_OBSERVED` is observed say nothing.

    Parameters
    ----------
    weights : ndarray, shape (K,)
    scores : ndarray, shape (W, steps)
        Normal scores of past windows, NaN where missing.

    Returns
    -------
    ndarray, shape (K,)
    """
    scores = scores[np.isfinite(scores).mean(axis=1) >= LEAST_OBSERVED]
    if not len(scores):
        return weights
    seen = shares(scores, weights).sum(axis=0)
    return (PRIOR_WINDOWS * weights + seen) / (PRIOR_WINDOWS + len(scores))
