"""The season of a series is found in its values."""

import numpy as np
import pytest

from timer_forecaster.inference.seasons import dominant_period


def season(period, steps=1500, noise=0.3, seed=0):
    random = np.random.default_rng(seed)
    shape = random.normal(size=period)
    return np.resize(shape, steps) + noise * random.normal(size=steps)


@pytest.mark.parametrize("period", [7, 12, 24, 48, 96, 168, 336])
def test_a_season_is_found(period):
    assert abs(dominant_period(season(period)) - period) <= 1


def test_it_depends_on_neither_scale_nor_level_nor_trend():
    values = season(48)
    for other in (
        1e-9 * values,
        1e9 * values,
        values + 1e6,
        values + np.arange(1500) / 20,
        -values,
    ):
        assert dominant_period(other) == 48


def test_gaps_and_spikes_do_not_hide_it():
    values = season(48)
    values[np.random.default_rng(1).random(1500) < 0.1] = np.nan
    values[700:760] = np.nan
    values[[100, 900]] = 1e4
    assert dominant_period(values) == 48


@pytest.mark.parametrize(
    "values",
    [
        np.random.default_rng(0).normal(size=2000),
        np.full(300, 4.0),
        np.zeros(300),
        np.arange(300.0),
        np.arange(3.0),
        np.array([1.0]),
    ],
)
def test_there_may_be_none(values):
    assert dominant_period(values) == 0


def test_older_steps_than_the_newest_do_not_matter():
    assert dominant_period(np.concatenate([season(30, 9000), season(48, 4096)])) == 48
