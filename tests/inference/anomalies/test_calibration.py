"""Chances by the earlier steps of a series, and by a table."""

import math

import numpy as np
import pytest

from timer_forecaster.inference.anomalies import table
from timer_forecaster.inference.anomalies.calibration import Chances
from timer_forecaster.inference.anomalies.kinds import FREEDOMS, SCALES, deviations_of

KNOTS = np.geomspace(math.log(2), 1e5, 100_000)
DEVIATIONS = deviations_of(KNOTS)


def depths_of(x):
    """Return the depths of deviations."""
    return np.interp(np.abs(x), DEVIATIONS, KNOTS)


def after(steps, **options):
    """Return the chances after steps that lie so many deviations off."""
    chances = Chances(**options)
    for depth in depths_of(np.asarray(steps)):
        chances.add(float(depth))
    return chances


def log_chances(x):
    """Return the log chances of steps, each after the steps before it."""
    chances, found = Chances(), []
    for depth, above in zip(depths_of(x), x > 0, strict=True):
        found.append(-chances.surprise(float(depth), bool(above)))
        chances.add(float(depth))
    return np.array(found)


@pytest.mark.parametrize("calibrates", [True, False])
@pytest.mark.parametrize("above", [True, False])
def test_depths_are_the_inverse_of_surprises(calibrates, above):
    chances = after(np.random.default_rng(0).normal(size=20), calibrates=calibrates)
    depths = np.array([0.8, 1.5, 3.0, 6.0, 20.0, 800.0, 3e4])
    found = [chances.surprise(depth, above) for depth in depths.tolist()]
    assert (np.diff(found) > 0).all()
    back = [chances.depths(surprise)[int(above)] for surprise in found]
    np.testing.assert_allclose(back, depths, rtol=1e-9)


def test_the_table_has_weights_and_falls():
    weights = np.array(table.WEIGHTS)
    assert weights.shape == (len(SCALES), len(FREEDOMS))
    assert weights.min() > 0
    assert weights.sum() == pytest.approx(1, abs=0.01)
    assert list(table.CHANCES) == sorted(table.CHANCES, reverse=True)
    for side in (table.LOWER, table.UPPER):
        assert side[0] == 0
        assert (np.diff(side) > 0).all()


def test_the_median_surprises_nobody():
    for calibrates in (True, False):
        chances = Chances(calibrates)
        assert [chances.surprise(depth, False) for depth in (0.0, math.log(2))] == [0, 0]


def test_quiet_series_make_spikes_rarer_and_wild_ones_usual():
    depth = float(depths_of(np.array([6.0]))[0])
    random = np.random.default_rng(0)
    first = Chances().surprise(depth, True)
    quiet = after(random.normal(size=40)).surprise(depth, True)
    wild = after(random.standard_t(1, size=40)).surprise(depth, True)
    wide = after(4 * random.normal(size=40)).surprise(depth, True)
    assert wide < wild < -math.log(0.01) < first < quiet
    assert after(random.normal(size=40)).first_surprise(depth, True) == first


def test_a_short_series_tells_a_large_spike():
    """Fifteen deviations after forty steps are rarer than one step in a thousand."""
    depth = float(depths_of(np.array([15.0]))[0])
    for seed in range(10):
        steps = np.random.default_rng(seed).normal(size=40)
        assert after(steps).surprise(depth, True) > -math.log(0.001)


def test_without_learning_nothing_changes():
    chances, depth = Chances(learns=False), 9.0
    first = chances.surprise(depth, False)
    for _ in range(50):
        chances.add(1.0)
    assert chances.surprise(depth, False) == chances.first_surprise(depth, False) == first


def test_steps_without_a_distribution_tell_nothing():
    chances = Chances()
    for depth in (0.0, math.inf):
        chances.add(depth)
    assert chances.surprise(5.0, True) == Chances().surprise(5.0, True)


def test_a_second_spike_is_still_rare():
    usual = np.random.default_rng(0).normal(size=300)
    chances = after([*usual, 12.0, *usual[:5]])
    assert chances.surprise(float(depths_of(np.array([12.0]))[0]), True) > -math.log(0.002)


@pytest.mark.parametrize("scale", [0.7, 1.6])
@pytest.mark.parametrize("freedom", [2, 100])
def test_levels_hold_roughly_for_each_kind(scale, freedom):
    """They hold in the mean over kinds; wild series have more false alarms, quiet ones fewer."""
    x = scale * np.random.default_rng(1).standard_t(freedom, size=1000)
    found = log_chances(x)[50:]
    assert 0.005 < (found <= math.log(0.05)).mean() < 0.1
    assert (found <= math.log(0.01)).mean() < 0.03
    assert (found <= math.log(0.001)).mean() < 0.008


def test_errors_that_become_wider_are_usual_soon():
    random = np.random.default_rng(2)
    found = log_chances(np.concatenate([random.normal(size=200), 5 * random.normal(size=200)]))
    assert (found[200:230] <= math.log(0.01)).any()
    assert (found[260:] <= math.log(0.01)).mean() < 0.03
