"""Correlations, likelihoods and weights of the mixture, against dense matrices."""

import numpy as np
import pytest

from timer_forecaster.inference.sampling import table
from timer_forecaster.inference.sampling.copula import (
    ATOMS,
    correlations,
    log_likelihood,
    normal_paths,
    shares,
    updated,
)

ROW = np.array(table.ROWS["timer-s1-mini"][table.SUB_DAILY])
ROW = ROW / ROW.sum()


def dense(steps, level, persistence):
    lags = np.abs(np.subtract.outer(np.arange(steps), np.arange(steps)))
    return level + (1 - level) * persistence ** lags.astype(float)


def dense_log_density(scores, matrix):
    seen = np.isfinite(scores)
    own, matrix = scores[seen], matrix[np.ix_(seen, seen)]
    _, determinant = np.linalg.slogdet(matrix)
    quadratic = own @ np.linalg.solve(matrix, own)
    return -(quadratic + determinant + len(own) * np.log(2 * np.pi)) / 2


@pytest.mark.parametrize("weights", [ROW, *np.eye(len(ATOMS))[[0, 3, 5, 9]]])
def test_normal_scores_have_the_correlations_of_the_mixture(weights):
    scores = normal_paths(20_000, 40, weights, np.random.default_rng(1))
    assert scores.shape == (40, 20_000)
    np.testing.assert_allclose(scores.mean(axis=1), 0, atol=0.03)
    np.testing.assert_allclose(scores.var(axis=1), 1, atol=0.05)
    for lag in (1, 2, 7, 24, 39):
        found = np.mean(scores[lag:] * scores[:-lag])
        assert found == pytest.approx(correlations(weights, [lag])[0], abs=0.03)
    first = np.corrcoef(scores)[0]  # the law holds from the first step on, not only in the mean
    np.testing.assert_allclose(first, correlations(weights, np.arange(40)), atol=0.03)


def test_any_part_of_the_paths_is_a_fair_sample():
    scores = normal_paths(20_000, 25, ROW, np.random.default_rng(2))
    for part in (scores[:, :10_000], scores[:, 10_000:], scores[:, ::2]):
        found = np.corrcoef(part)[0, 24]
        assert found == pytest.approx(correlations(ROW, [24])[0], abs=0.04)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_log_likelihoods_are_those_of_dense_matrices(share):
    random = np.random.default_rng(3)
    scores = random.normal(size=(20, 30))
    scores[random.uniform(size=scores.shape) < share] = np.nan
    expected = [[dense_log_density(one, dense(30, *atom)) for atom in ATOMS] for one in scores]
    np.testing.assert_allclose(log_likelihood(scores), expected, rtol=1e-9, atol=1e-9)


def test_a_window_without_values_tells_no_atom_apart():
    found = log_likelihood(np.full((1, 5), np.nan))
    np.testing.assert_array_equal(found, np.zeros((1, len(ATOMS))))
    np.testing.assert_allclose(shares(np.full((1, 5), np.nan), ROW), ROW[None])


def test_shares_are_bayes_rule():
    scores = np.random.default_rng(4).normal(size=(3, 20))
    density = np.exp(log_likelihood(scores)) * ROW
    expected = density / density.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(shares(scores, ROW), expected, atol=1e-12)


def test_shares_stay_finite_far_out_and_in_long_windows():
    found = shares(np.full((2, 5000), 3.09), ROW)
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found.sum(axis=1), 1)


def test_windows_move_the_weights_as_counts_beside_four():
    flat = np.full((2, 40), 1.5)
    seen = shares(flat, ROW).sum(axis=0)
    found = updated(ROW, flat)
    np.testing.assert_allclose(found, (4 * ROW + seen) / 6)
    level, persistence = ATOMS.T
    assert found @ (level + (1 - level) * persistence) > ROW @ (level + (1 - level) * persistence)


def test_windows_of_which_less_than_half_is_observed_say_nothing():
    window = np.full((1, 10), np.nan)
    window[0, :4] = 1.0
    np.testing.assert_array_equal(updated(ROW, window), ROW)
    np.testing.assert_array_equal(updated(ROW, np.empty((0, 10))), ROW)
    window[0, 4] = 1.0
    assert (updated(ROW, window) != ROW).any()
    both = np.concatenate([window, np.full((1, 10), np.nan)])
    np.testing.assert_array_equal(updated(ROW, both), updated(ROW, window))


def test_independent_windows_bring_the_lag_correlation_down():
    noise = np.random.default_rng(5).normal(size=(16, 30))
    before, after = (correlations(one, [1])[0] for one in (ROW, updated(ROW, noise)))
    assert after < before - 0.2
