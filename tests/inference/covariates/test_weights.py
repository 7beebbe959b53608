"""Weights from the rolling check."""

import numpy as np
import pytest

from timer_forecaster.inference.covariates.weights import checked_weights

LEVELS = np.linspace(0.1, 0.9, 9)
SPREAD = np.linspace(-1, 1, 9)


def forecasts(errors, windows=8, steps=6, seed=0):
    """Actual values, and forecasts that miss them by noise of these sizes."""
    random = np.random.default_rng(seed)
    actual = random.normal(size=(windows, steps)) * 5
    found = [
        actual[..., None] + error * random.normal(size=(windows, steps, 1)) + error * SPREAD
        for error in errors
    ]
    return actual, np.stack(found)


def test_a_better_model_takes_over_and_a_worse_one_takes_nothing():
    better = checked_weights(*forecasts([1.0, 0.2, 3.0]), LEVELS, always=False)
    assert better.weights[1] > 0.8 and better.t > 2 and better.gain > 0.5
    worse = checked_weights(*forecasts([1.0, 4.0, 4.0]), LEVELS, always=False)
    assert worse.weights[0] > 0.9
    np.testing.assert_allclose([better.weights.sum(), worse.weights.sum()], 1)


def test_the_unit_of_the_values_does_not_matter():
    actual, quantiles = forecasts([1.0, 0.5])
    expected = checked_weights(actual, quantiles, LEVELS, always=False)
    for factor in (1e-200, 1e200):
        found = checked_weights(actual * factor, quantiles * factor, LEVELS, always=False)
        np.testing.assert_allclose(found.weights, expected.weights, rtol=1e-4)


@pytest.mark.parametrize("windows", [0, 1])
def test_too_few_windows_leave_the_plain_forecast_unless_models_are_always_used(windows):
    few = forecasts([1.0, 0.1], windows)
    auto = checked_weights(*few, LEVELS, always=False)
    assert auto.weights.tolist() == [1, 0] and np.isnan(auto.t)
    assert checked_weights(*few, LEVELS, always=True).weights.tolist() == [0.5, 0.5]


def test_missing_values_are_left_out():
    actual, quantiles = forecasts([1.0, 0.2])
    actual[0] = np.nan
    actual[3, 2:] = np.nan
    found = checked_weights(actual, quantiles, LEVELS, always=False)
    assert found.windows == 7 and found.weights[1] > 0.5


def test_perfect_forecasts_are_no_division_by_zero():
    actual, quantiles = forecasts([0.0, 0.0])
    found = checked_weights(actual, quantiles, LEVELS, always=False)
    assert np.isfinite(found.weights).all() and found.weights[0] == 1
