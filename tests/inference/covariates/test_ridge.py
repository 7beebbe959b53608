"""Ridge regressions from Gram matrices equal regressions from rows."""

import numpy as np

from timer_forecaster.inference.covariates.ridge import PENALTIES, Ridge, Span


def direct(design, target, penalty, n_covariates):
    nuisance = 1e-3 * len(design) + 1e-6
    diagonal = np.where(np.arange(design.shape[1]) < n_covariates, penalty, nuisance)
    return np.linalg.solve(design.T @ design + np.diag(diagonal), design.T @ target)


def test_coefficients_with_and_without_a_span_equal_direct_solutions():
    random = np.random.default_rng(0)
    design = random.normal(size=(200, 4))
    target = design @ [2.0, 0, -1, 0.5] + random.normal(size=200)
    target[50:60] = np.nan
    found = Ridge(design, 3, target[:, None]).coefficients([Span(100, 140)])[..., 0]
    seen = np.isfinite(target)
    rest = seen & ~np.isin(np.arange(200), range(100, 140))
    matches = [
        np.allclose(found[0], direct(design[seen], target[seen], penalty, 3))
        and np.allclose(found[1], direct(design[rest], target[rest], penalty, 3))
        for penalty in PENALTIES
    ]
    assert sum(matches) == 1


def test_noise_takes_the_largest_penalty_and_signal_a_small_one():
    random = np.random.default_rng(1)
    design = random.normal(size=(300, 2))
    noise, signal = random.normal(size=300), design @ [5.0, 5.0]
    found = Ridge(design, 2, np.stack([noise, signal], axis=1)).coefficients([])[0]
    assert np.abs(found[:, 0]).max() < 0.2
    np.testing.assert_allclose(found[:, 1], 5, rtol=1e-2)
