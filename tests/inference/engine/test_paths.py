"""Paths that extend contexts, and the mixture of the forecasts after them."""

import numpy as np
import torch

from timer_forecaster.inference.engine.paths import N_PATHS, continuations, mixed, paths_of

LEVELS = tuple(np.arange(1, 10) / 10)
NORMAL = torch.distributions.Normal(0.0, 1.0).icdf(torch.tensor(LEVELS, dtype=torch.float64))


def test_a_median_roll_out_has_one_path():
    assert paths_of("median") == 1
    assert paths_of("quantile") == N_PATHS
    forecast = NORMAL[None, :, None].expand(2, 9, 5)
    assert (continuations(LEVELS, forecast, 1) == forecast[:, 4:5]).all()


def test_paths_are_equally_probable_and_ascend():
    forecast = NORMAL[None, :, None].expand(2, 9, 5)
    paths = continuations(LEVELS, forecast, N_PATHS)
    assert paths.shape == (2, N_PATHS, 5)
    assert (paths.diff(dim=1) > 0).all()
    np.testing.assert_allclose(paths.mean(dim=1), 0, atol=1e-6)


def test_a_mixture_of_equal_forecasts_is_that_forecast():
    forecast = NORMAL[None, :, None].expand(N_PATHS, 9, 3)
    np.testing.assert_allclose(mixed(LEVELS, forecast, N_PATHS)[0], forecast[0], atol=0.03)


def test_a_mixture_of_forecasts_that_lie_apart_is_wider():
    shift = torch.linspace(-3, 3, N_PATHS, dtype=torch.float64)[:, None, None]
    forecast = NORMAL[None, :, None] + shift
    spread = mixed(LEVELS, forecast, N_PATHS)[0]
    assert spread[-1] - spread[0] > 1.5 * (NORMAL[-1] - NORMAL[0])
