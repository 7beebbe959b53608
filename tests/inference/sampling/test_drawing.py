"""Values of paths: exact distributions of steps, and the order of normal scores."""

import numpy as np
import pytest

from timer_forecaster.inference import quantiles as quantile_function
from timer_forecaster.inference.sampling import table
from timer_forecaster.inference.sampling.drawing import (
    draw_paths,
    normal_levels,
    normal_scores,
    spread,
)

LEVELS = tuple(np.arange(1, 10) / 10)
ROW = np.array(table.ROWS["timer-s1-mini"][table.UNKNOWN])
ROW = ROW / ROW.sum()


def quantiles_of(horizon, seed=0):
    return np.sort(np.random.default_rng(seed).normal(size=(horizon, 9)) * 5, axis=1)


def paths_of(quantiles, n, seed=0):
    return draw_paths(quantiles, LEVELS, n, ROW, np.random.default_rng(seed))


@pytest.mark.parametrize("n", [1, 2, 7, 100, 1000])
def test_the_share_up_to_any_quantile_is_its_level(n):
    quantiles = quantiles_of(12)
    paths = paths_of(quantiles, n)
    assert paths.shape == (n, 12)
    for level in (0.01, *LEVELS, 0.987):
        value = quantile_function.evaluate(quantiles, LEVELS, np.array([level]))[:, 0]
        assert np.abs((paths <= value).mean(axis=0) - level).max() <= 1 / n + 1e-12


def test_tails_are_included():
    quantiles = quantiles_of(3)
    paths = paths_of(quantiles, 5000)
    assert (paths.min(axis=0) < quantiles[:, 0] - 1).all()
    np.testing.assert_allclose(
        paths.mean(axis=0), quantile_function.mean(quantiles, LEVELS), atol=0.02
    )


def test_constant_forecasts_make_constant_paths():
    paths = paths_of(np.full((5, 9), 7.25), 50)
    np.testing.assert_array_equal(paths, np.full((50, 5), 7.25))


def test_no_forecast_makes_no_path():
    quantiles = quantiles_of(4)
    quantiles[2] = np.nan
    paths = paths_of(quantiles, 10)
    np.testing.assert_array_equal(np.isnan(paths).any(axis=0), [False, False, True, False])


def test_a_single_path_depends_from_step_to_step():
    quantiles = np.tile(np.linspace(-2, 2, 9), (20, 1))
    paths = np.concatenate([paths_of(quantiles, 1, seed) for seed in range(400)])
    assert np.corrcoef(paths[:, 0], paths[:, 1])[0, 1] > 0.5
    assert np.abs(paths.mean(axis=0)).max() < 0.4


def test_levels_keep_the_order_of_scores():
    random = np.random.default_rng(0)
    scores = random.normal(size=(6, 50))
    at = spread(scores, random)
    np.testing.assert_array_equal(at.argsort(axis=1), scores.argsort(axis=1))
    np.testing.assert_array_equal(np.sort(np.floor(at * 50), axis=1), [np.arange(50)] * 6)


def test_scores_and_levels_undo_each_other():
    at = np.array([1e-9, 0.2, 0.5, np.nan, 0.999])
    np.testing.assert_allclose(normal_levels(normal_scores(at)), at, rtol=1e-6)
    assert normal_scores(np.array([0.975]))[0] == pytest.approx(1.959964, abs=1e-6)


def test_values_beyond_floats_are_infinite_without_a_warning():
    paths = paths_of(1.7e308 * np.linspace(-1, 1, 9)[None], 1000)
    assert not np.isfinite(paths).all()
