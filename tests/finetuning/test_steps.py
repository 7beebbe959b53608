"""One step of training: its loss, and its forecasts in the units of the series."""

import numpy as np
import pytest
import torch

from timer_forecaster.finetuning.steps import in_units, window_step
from timer_forecaster.inference import load_plain_network

PASS = 32


@pytest.fixture(scope="module")
def network():
    return load_plain_network("timer-s1-test")


def windows(n=4, steps=48, ahead=8, seed=0):
    walks = np.random.default_rng(seed).normal(size=(n, steps + ahead)).cumsum(axis=1)
    return walks[:, :steps], walks[:, steps:]


def test_forecasts_are_the_pipelines(network, pipe):
    rows, targets = windows()
    step = window_step(network, rows, targets)
    found = in_units(network, rows, step)
    expected = pipe.predict(rows, 8)
    assert found.levels == expected.levels
    np.testing.assert_allclose(found.quantiles, expected.quantiles, rtol=1e-4, atol=1e-4)


def test_the_loss_is_the_mean_of_the_windows_that_count(network):
    rows, targets = windows()
    each = [window_step(network, rows[[i]], targets[[i]]).loss for i in range(4)]
    step = window_step(network, rows, targets)
    assert step.n_windows == 4
    torch.testing.assert_close(step.loss, torch.stack(each).mean(), rtol=1e-4, atol=1e-6)


def test_rows_that_show_nothing_do_not_count(network):
    rows, targets = windows()
    expected = window_step(network, rows[2:], targets[2:])
    rows[0] = np.nan
    targets[1] = np.nan
    step = window_step(network, rows, targets)
    assert step.shown.tolist() == [False, True, True, True]
    assert step.n_windows == 2
    torch.testing.assert_close(step.loss, expected.loss, rtol=1e-4, atol=1e-6)
    forecast = in_units(network, rows, step)
    assert np.isnan(forecast.quantiles[0]).all()
    assert np.isfinite(forecast.quantiles[1:]).all()


def test_without_any_value_there_is_no_step(network):
    rows, targets = windows()
    assert window_step(network, np.full_like(rows, np.nan), targets) is None


def test_steps_beyond_one_pass_do_not_count(network):
    rows, targets = windows(ahead=3 * PASS)
    step = window_step(network, rows, targets)
    assert step.quantiles.shape[-1] == PASS
    torch.testing.assert_close(step.loss, window_step(network, rows, targets[:, :PASS]).loss)


def test_weights_count_in_proportion(network):
    rows, targets = windows()
    plain = window_step(network, rows, targets).loss
    for weight in (1.0, 0.5, 0.0):
        weighed = window_step(network, rows, targets, np.full_like(targets, weight)).loss
        torch.testing.assert_close(weighed, weight * plain, rtol=1e-4, atol=1e-6)
    first = np.zeros_like(targets)
    first[:2] = 1.0
    half = window_step(network, rows, targets, first).loss
    torch.testing.assert_close(2 * half, window_step(network, rows[:2], targets[:2]).loss)
