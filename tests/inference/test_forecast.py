"""Quantiles at any level, the mean and samples of a `Forecast`."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from timer_forecaster import Forecast
from timer_forecaster.inference import quantiles as quantile_function

LEVELS = tuple(round(0.1 * i, 1) for i in range(1, 10))


def normal_forecast(n_series=2, horizon=3):
    values = stats.norm.ppf(LEVELS)
    return Forecast(np.tile(values, (n_series, horizon, 1)), LEVELS)


sorted_values = arrays(float, 9, elements=st.floats(-1e3, 1e3, allow_subnormal=False)).map(np.sort)


@given(sorted_values, st.floats(0.001, 0.999))
def test_known_levels_are_met_and_others_lie_between_their_neighbors(values, level):
    forecast = Forecast(values[None, None], LEVELS)
    for known, value in zip(LEVELS, values, strict=True):
        assert forecast.quantile(known)[0, 0] == value
    at = forecast.quantile(level)[0, 0]
    below = [v for known, v in zip(LEVELS, values, strict=True) if known <= level]
    above = [v for known, v in zip(LEVELS, values, strict=True) if known >= level]
    tolerance = 1e-9 * np.abs(values).max()
    assert all(at >= v - tolerance for v in below) and all(at <= v + tolerance for v in above)


@given(sorted_values, st.lists(st.floats(0.0005, 0.9995), min_size=2, max_size=8))
def test_quantiles_never_cross(values, levels):
    forecast = Forecast(values[None, None], LEVELS)
    found = np.array([forecast.quantile(level)[0, 0] for level in sorted(levels)])
    assert (np.diff(found) >= -1e-9 * np.abs(values).max()).all()


def integration_rule():
    """Levels and weights of an integral over (0, 1): Gauss's rule between known levels.

    Where a tail is infinite, the levels are 0.1 u³ and 1 - 0.1 u³, which the rule integrates well.
    """
    nodes, weights = np.polynomial.legendre.leggauss(12)
    u = (nodes + 1) / 2
    tail, tail_weights = 0.1 * u**3, 0.15 * u**2 * weights
    nodes, weights = np.polynomial.legendre.leggauss(4)
    levels = [tail, *(low + 0.05 * (nodes + 1) for low in LEVELS[:-1]), 1 - tail]
    return np.concatenate(levels), np.concatenate(
        [tail_weights, *[0.05 * weights] * 8, tail_weights]
    )


@given(sorted_values)
def test_mean_is_the_integral_of_the_quantile_function(values):
    forecast = Forecast(values[None, None], LEVELS)
    levels, weights = integration_rule()
    integral = weights @ [forecast.quantile(level)[0, 0] for level in levels]
    np.testing.assert_allclose(
        forecast.mean[0, 0], integral, atol=1e-4 * (1 + np.abs(values).max())
    )


def test_the_integral_of_a_tail_is_exact():
    levels, weights = integration_rule()
    np.testing.assert_allclose(weights.sum(), 1, rtol=1e-12)
    np.testing.assert_allclose(weights @ np.log(levels), -1, rtol=1e-6)


@given(sorted_values)
def test_variance_is_that_of_the_quantile_function(values):
    levels = (np.arange(20_000) + 0.5) / 20_000
    forecast = Forecast(np.stack([values, values + 1e9])[:, None], LEVELS)
    draws = quantile_function.evaluate(values, LEVELS, levels)
    assert forecast.variance.shape == (2, 1)
    np.testing.assert_allclose(forecast.variance[0, 0], draws.var(), rtol=0.01, atol=1e-9)
    np.testing.assert_allclose(*forecast.variance, rtol=1e-6, atol=1e-6)


def test_constant_forecasts_are_certain():
    forecast = Forecast(np.full((1, 2, 9), 5.3), LEVELS)
    assert (forecast.mean == 5.3).all() and (forecast.variance == 0).all()


def test_tails_reach_beyond_the_outer_levels_and_are_not_clamped():
    forecast = normal_forecast()
    assert (forecast.quantile(0.01) < forecast.quantile(0.05)).all()
    assert (forecast.quantile(0.05) < forecast.quantile(0.1)).all()
    # The documented size of the rule on a normal distribution.
    np.testing.assert_allclose(forecast.quantile(0.01), -2.74, atol=0.01)


def test_tail_rule_is_exact_for_exponential_tails():
    laplace = stats.laplace.ppf(LEVELS)
    forecast = Forecast(laplace[None, None], LEVELS)
    for level in (0.001, 0.02, 0.97, 0.999):
        np.testing.assert_allclose(forecast.quantile(level), stats.laplace.ppf(level))


def test_interval_is_central():
    lower, upper = normal_forecast().interval(0.8)
    np.testing.assert_allclose(lower, stats.norm.ppf(0.1))
    np.testing.assert_allclose(upper, stats.norm.ppf(0.9))


def test_samples_follow_the_quantiles():
    draws = normal_forecast(1, 2).sample(40_000, random_state=0)
    assert draws.shape == (40_000, 1, 2)
    for level in (0.05, 0.25, 0.5, 0.8):
        expected = normal_forecast(1, 2).quantile(level)
        np.testing.assert_allclose(np.quantile(draws, level, axis=0), expected, atol=0.03)
    assert abs(np.corrcoef(draws[:, 0, 0], draws[:, 0, 1])[0, 1]) < 0.02


def test_results_are_copies():
    forecast = normal_forecast()
    forecast.median[:] = 0
    assert (forecast.quantile(0.9) > forecast.median + 1).all()


def test_samples_depend_on_the_seed_alone():
    state = np.random.get_state()[1].copy()
    first = normal_forecast().sample(5, random_state=3)
    np.testing.assert_array_equal(first, normal_forecast().sample(5, random_state=3))
    assert not np.array_equal(first, normal_forecast().sample(5, random_state=4))
    np.testing.assert_array_equal(np.random.get_state()[1], state)


def test_frame():
    frame = normal_forecast(2, 3).to_frame(levels=[0.05, 0.5])
    assert list(frame.columns) == ["series", "step", "mean", "q0.05", "q0.5"]
    assert len(frame) == 6 and frame["step"].tolist() == [1, 2, 3, 1, 2, 3]


@pytest.mark.parametrize("level", [0, 1, -0.1, 1.5, float("nan")])
def test_levels_outside_the_unit_interval_are_refused(level):
    with pytest.raises(ValueError, match="level="):
        normal_forecast().quantile(level)
    with pytest.raises(ValueError, match="coverage="):
        normal_forecast().interval(level)


def test_sample_size_is_checked():
    with pytest.raises(ValueError, match="n=0"):
        normal_forecast().sample(0)


def test_evaluate_broadcasts_levels_over_rows():
    values = np.tile(stats.norm.ppf(LEVELS), (4, 1))
    found = quantile_function.evaluate(values, LEVELS, np.array([0.15, 0.95]))
    assert found.shape == (4, 2)
