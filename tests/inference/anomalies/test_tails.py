"""Depths of values in the tails of forecasts."""

import math

import numpy as np
import pytest
from scipy import stats

from timer_forecaster.inference import quantiles as quantile_function
from timer_forecaster.inference.anomalies.tails import (
    UsualSpread,
    depths,
    scales_of,
    stretched,
    values_at,
)

LEVELS = tuple(round(0.1 * i, 1) for i in range(1, 10))
QUANTILES = np.stack([stats.norm.ppf(LEVELS), stats.expon.ppf(LEVELS), np.arange(9.0)])
VALUES = np.array([-3.0, 40.0, 4.2])


def test_plain_depths_are_those_of_the_forecast():
    scales = scales_of(QUANTILES, LEVELS, steady=False)
    below, above = depths(QUANTILES, LEVELS, VALUES, scales)
    lower, upper = quantile_function.log_tails(QUANTILES, LEVELS, VALUES[:, None])
    np.testing.assert_allclose(below, -lower[:, 0], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(above, -upper[:, 0], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("steady", [True, False])
@pytest.mark.parametrize("depth", [0.8, 2.0, 2.4, 7.0, 2000.0])
def test_values_are_the_inverse_of_depths(steady, depth):
    scales = scales_of(QUANTILES, LEVELS, steady)
    ends = values_at(QUANTILES, LEVELS, np.full((2, 3), depth), scales)
    for side, end in enumerate(ends):
        found = depths(QUANTILES, LEVELS, end, scales)[side]
        np.testing.assert_allclose(found, depth, rtol=1e-9)


def test_steady_scales_have_a_lower_bound():
    quantiles = QUANTILES.copy()
    quantiles[:, 1] = quantiles[:, 0]
    scales = scales_of(quantiles, LEVELS, steady=True)
    spread = quantiles[:, -1] - quantiles[:, 0]
    np.testing.assert_allclose(scales[0], 0.8 * spread / (2 * math.log(5)))
    assert (scales_of(quantiles, LEVELS, steady=False)[0] == 0).all()


def test_a_forecast_without_spread_has_infinite_depths_around_it():
    point = np.full((3, 9), 5.0)
    scales = scales_of(point, LEVELS, steady=True)
    below, above = depths(point, LEVELS, np.array([4.0, 5.0, 6.0]), scales)
    assert below.tolist() == [math.inf, 0.0, 0.0]
    assert above.tolist() == [0.0, 0.0, math.inf]
    ends = values_at(point, LEVELS, np.full((2, 3), 9.0), scales)
    assert (np.array(ends) == 5).all()


def test_stretched_quantiles_keep_their_median():
    found = stretched(QUANTILES, LEVELS, 2.0)
    np.testing.assert_array_equal(found[:, 4], QUANTILES[:, 4])
    np.testing.assert_allclose(found - found[:, 4:5], 2 * (QUANTILES - QUANTILES[:, 4:5]))
    np.testing.assert_array_equal(stretched(QUANTILES, LEVELS, 1.0), QUANTILES)


def test_the_usual_spread_is_that_of_the_newest_forecasts():
    usual = UsualSpread()
    for spread in [1000.0] * 50 + [2.0] * 100:
        factor = usual.factor(spread)
    assert factor == pytest.approx(1)
    assert usual.factor(8.0) == pytest.approx(0.5)
    assert usual.factor(math.inf) == usual.factor(0.0) == 1
