"""Kinds of errors, and what earlier steps tell of them."""

import math

import numpy as np
import pytest
from scipy import stats

from timer_forecaster.inference.anomalies.kinds import (
    FREEDOMS,
    KNOTS,
    SCALES,
    Kinds,
    chances_of,
    deviations_of,
    log_densities,
    surprise_at,
)

N_KINDS = len(SCALES) * len(FREEDOMS)
X = np.array([0.0, 0.3, 1.0, 2.5, 7.0])


def kind_of(scale, freedom):
    return SCALES.index(scale) * len(FREEDOMS) + FREEDOMS.index(freedom)


def depths_of(x):
    """Return depths of deviations: the inverse of `deviations_of`."""
    knots = np.geomspace(math.log(2), 1e5, 200_000)
    return np.interp(np.abs(x), deviations_of(knots), knots)


@pytest.mark.parametrize("freedom", FREEDOMS)
def test_chances_are_those_of_students_distribution(freedom):
    expected = 2 * stats.t.sf(X, freedom) if freedom < math.inf else 2 * stats.norm.sf(X)
    np.testing.assert_allclose(chances_of(X, freedom), expected, rtol=1e-9, atol=1e-15)


def test_densities_are_those_of_students_distribution():
    depths = np.array([0.7, 2.0, 5.0, 40.0])
    found = log_densities(depths)
    assert found.shape == (4, N_KINDS)
    x = deviations_of(depths)
    for scale in SCALES:
        for freedom in FREEDOMS:
            own = stats.norm if freedom == math.inf else stats.t(freedom)
            expected = own.logpdf(x / scale) - math.log(scale)
            np.testing.assert_allclose(found[:, kind_of(scale, freedom)], expected, rtol=1e-9)


def test_deviations_are_normal_between_the_outermost_quantiles():
    x = np.array([0.0, 0.5, 1.2, 1.28])
    np.testing.assert_allclose(deviations_of(-stats.norm.logsf(x)), x, atol=1e-9)
    step = np.diff(deviations_of(np.array([10.0, 11.0, 12.0])))
    np.testing.assert_allclose(step, step[0])
    assert deviations_of(np.array([0.0]))[0] == 0


@pytest.mark.parametrize("scale", [0.6, 1.4, 3.0])
@pytest.mark.parametrize("freedom", [2.0, math.inf])
def test_steps_tell_their_kind(scale, freedom):
    random = np.random.default_rng(0)
    own = random.normal(size=300) if freedom == math.inf else random.standard_t(freedom, 300)
    kinds = Kinds(np.full(N_KINDS, 1 / N_KINDS))
    for depth in depths_of(scale * own):
        kinds.add(float(depth))
    assert kinds.weights.sum() == pytest.approx(1)
    assert kinds.weights.min() > 0
    grid = kinds.weights.reshape(len(SCALES), len(FREEDOMS))
    assert SCALES[int(grid.sum(axis=1).argmax())] == pytest.approx(scale, rel=0.4)
    light = grid[:, FREEDOMS.index(8.0) :].sum()
    assert (light > 0.5) == (freedom == math.inf)


def test_surprises_grow_with_the_depth():
    kinds = Kinds(np.full(N_KINDS, 1 / N_KINDS))
    for _ in range(50):
        kinds.add(1.0)
    assert (np.diff(kinds.surprises) > 0).all()
    found = [surprise_at(depth, kinds) for depth in (0.0, KNOTS[0], 1.0, 30.0, 1e4, 1e6)]
    assert found[:2] == [0, 0]
    assert (np.diff(found[1:]) > 0).all()
