"""Seasonal Naive and Naive: values worked out by hand, laws, and batches of unequal lengths."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from timer_forecaster.evaluation import (
    Configuration,
    baselines,
    fill_missing,
    naive_forecaster,
    seasonal_naive,
    seasonal_naive_forecaster,
    seasonal_naive_quantiles,
)

NAN = math.nan
VALUES = st.floats(-1e3, 1e3).map(lambda value: round(value, 3))
FACTORS = st.floats(1e-3, 1e3)


@pytest.mark.parametrize(
    ("context", "seasonality", "expected"),
    [
        ([9, 1, 2, 3], 3, [1, 2, 3, 1, 2]),
        ([1, 2, 3], 3, [1, 2, 3, 1, 2]),
        ([1, 2], 3, [2, 2, 2, 2, 2]),  # shorter than a season: the last value
        ([9, 1, NAN, 3], 3, [1, 1, 3, 1, 1]),  # a gap takes the last observed value
        ([NAN, NAN, 4, 5], 4, [4, 4, 4, 5, 4]),  # a leading gap takes the first
        ([1, 2, NAN], 1, [2, 2, 2, 2, 2]),
        ([NAN, NAN], 1, [0, 0, 0, 0, 0]),  # nothing observed
    ],
)
def test_seasonal_naive(context, seasonality, expected):
    np.testing.assert_array_equal(seasonal_naive(context, 5, seasonality), expected)


def test_seasonal_naive_needs_a_context():
    with pytest.raises(ValueError, match="context is empty"):
        seasonal_naive([], 5, 1)


@given(arrays(float, 5, elements=VALUES), st.integers(5, 20), st.integers(1, 20))
def test_seasonal_naive_continues_a_periodic_series(season, length, horizon):
    series = np.resize(season, length + horizon)
    np.testing.assert_array_equal(seasonal_naive(series[:length], horizon, 5), series[length:])


def test_seasonal_naive_quantiles_widen_by_the_season():
    quantiles = seasonal_naive_quantiles([0.0, 0.0, 3.0, 4.0], 5, 2, [0.5, 0.9])
    sigma = math.sqrt((9 + 16) / 2)
    np.testing.assert_array_equal(quantiles[:, 0], [3, 4, 3, 4, 3])
    spread = 1.2815515655446004 * sigma * np.sqrt([1, 1, 2, 2, 3])
    np.testing.assert_allclose(quantiles[:, 1] - quantiles[:, 0], spread)


@pytest.mark.filterwarnings("error")
def test_seasonal_naive_quantiles_without_a_pair_have_no_spread():
    np.testing.assert_array_equal(seasonal_naive_quantiles([2.0], 3, 4), np.full((3, 9), 2.0))


@given(arrays(float, 12, elements=VALUES), FACTORS, st.floats(-1e3, 1e3))
def test_seasonal_naive_quantiles_move_with_the_series(context, factor, shift):
    np.testing.assert_allclose(
        seasonal_naive_quantiles(context * factor + shift, 7, 3),
        seasonal_naive_quantiles(context, 7, 3) * factor + shift,
        rtol=1e-6,
        atol=1e-6,
    )


@given(arrays(float, (4, 7), elements=st.one_of(VALUES, st.just(NAN), st.just(NAN))))
def test_filling_carries_the_last_observed_value_forward(block):
    filled = fill_missing(block)
    for row, own in zip(block, filled, strict=True):
        seen = row[~np.isnan(row)]
        current = seen[0] if seen.size else 0.0
        for given_value, value in zip(row, own, strict=True):
            current = current if math.isnan(given_value) else given_value
            assert value == current


def test_filling_leaves_its_input_alone():
    row = np.array([NAN, 1.0, NAN])
    fill_missing(row)
    np.testing.assert_array_equal(row, [NAN, 1.0, NAN])


def configuration_of(seasonality):
    return Configuration("toy/D/short", "D", 4, 1, seasonality, [np.arange(9.0)])


@pytest.mark.parametrize("block_values", [1, 30, 2**21])
def test_forecasters_treat_each_context_by_itself(monkeypatch, block_values):
    monkeypatch.setattr(baselines, "_BLOCK_VALUES", block_values)
    random = np.random.default_rng(0)
    contexts = [random.normal(size=n) for n in (9, 2, 9, 14, 9, 2, 1)]
    contexts[2][3:5] = NAN
    forecast = seasonal_naive_forecaster(contexts, 4, configuration_of(3))
    naive = naive_forecaster(contexts, 4)
    for context, own, last in zip(contexts, forecast, naive, strict=True):
        np.testing.assert_allclose(own, seasonal_naive_quantiles(context, 4, 3))
        np.testing.assert_allclose(last, seasonal_naive_quantiles(context, 4, 1))


def test_naive_is_a_random_walk():
    quantiles = naive_forecaster([np.array([0.0, 3.0, -1.0])], 3)[0]
    np.testing.assert_array_equal(quantiles[:, 4], [-1.0, -1.0, -1.0])
    sigma = math.sqrt((9 + 16) / 2)
    spread = 1.2815515655446004 * sigma * np.sqrt([1, 2, 3])
    np.testing.assert_allclose(quantiles[:, 8] + 1.0, spread)


def test_integers_of_numpy_mean_what_they_say():
    context = np.arange(300.0) % 7
    for kind in (np.uint8, np.int16, np.uint64):
        found = seasonal_naive_quantiles(context, kind(200), kind(7))
        np.testing.assert_array_equal(found, seasonal_naive_quantiles(context, 200, 7))
    masked = np.ma.masked_equal([1.0, 2.0, -9.0], -9)
    assert seasonal_naive(masked, 1, 1).tolist() == [2.0]
