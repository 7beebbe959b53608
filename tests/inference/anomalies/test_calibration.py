"""Chances by a table, and by the earlier steps of a series."""

import math

import numpy as np
import pytest

from timer_forecaster.inference.anomalies import table
from timer_forecaster.inference.anomalies.calibration import (
    WINDOW,
    Tail,
    depths_of,
    surprises,
)


@pytest.mark.parametrize("by_table", [True, False])
def test_depths_are_the_inverse_of_surprises(by_table):
    depths = np.array([0.8, 1.5, 3.0, 6.0, 20.0, 800.0])
    for side in (0, 1):
        above = np.full(len(depths), bool(side))
        found = surprises(depths, above, by_table)
        assert (np.diff(found) > 0).all()
        np.testing.assert_allclose(depths_of(found, by_table)[side], depths, rtol=1e-9)


def test_the_table_has_its_chances():
    for side, depths in enumerate((table.LOWER, table.UPPER)):
        found = surprises(np.array(depths), np.full(len(depths), bool(side)))
        np.testing.assert_allclose(np.exp(-found), table.CHANCES, rtol=1e-9)


def test_the_table_falls():
    assert list(table.CHANCES) == sorted(table.CHANCES, reverse=True)
    for side in (table.LOWER, table.UPPER):
        assert list(side) == sorted(side)


def test_the_median_surprises_nobody_and_infinity_most():
    found = surprises(np.array([0.0, math.log(2), math.inf]), np.zeros(3, bool))
    assert found.tolist() == [0.0, 0.0, math.inf]
    assert np.isinf(depths_of(np.array([math.inf]))).all()


def test_without_own_steps_the_table_decides():
    for window in (0, WINDOW):
        for surprise in (0.0, 0.5, 2.0, 3.0, 30.0):
            assert Tail(window).log_chance(surprise) == pytest.approx(-surprise)
            assert Tail(window).bound(math.exp(-surprise)) == pytest.approx(surprise)
    tail = Tail(0)
    tail.add(50.0)
    assert tail.log_chance(3.0) == pytest.approx(-3.0)


@pytest.mark.parametrize("scale", [0.7, 1.0, 2.0])
def test_the_tail_of_a_series_is_learned(scale):
    random, tail = np.random.default_rng(0), Tail(5000)
    for surprise in random.exponential(scale, size=5000):
        tail.add(float(surprise))
    for chance in (0.05, 0.01, 0.001):
        assert tail.bound(chance) == pytest.approx(-scale * math.log(chance), rel=0.15)


def test_only_the_newest_steps_count():
    random, short, fresh = np.random.default_rng(1), Tail(50), Tail(50)
    given = [*random.exponential(3, size=80), math.inf, *random.exponential(1, size=50)]
    for surprise in given:
        short.add(float(surprise))
    for surprise in given[-50:]:
        fresh.add(float(surprise))
    for chance in (0.3, 0.05, 0.001):
        assert short.bound(chance) == pytest.approx(fresh.bound(chance), rel=1e-9)


@pytest.mark.parametrize("chance", [0.9, 0.3, 0.05, 0.001])
def test_the_bound_has_the_chance(chance):
    random, tail = np.random.default_rng(1), Tail()
    for surprise in [*random.exponential(2.0, size=300), 40.0, 40.0, math.inf]:
        assert tail.log_chance(tail.bound(chance)) == pytest.approx(math.log(chance), abs=1e-9)
        tail.add(float(surprise))


def test_a_few_odd_steps_do_not_hide_the_next_one():
    random, tail = np.random.default_rng(2), Tail()
    for surprise in random.exponential(size=300):
        tail.add(float(surprise))
    before = tail.bound(0.01)
    for _ in range(3):
        tail.add(1000.0)
    assert tail.bound(0.01) < before + 1.5


def test_chances_fall_with_surprise():
    random, tail = np.random.default_rng(3), Tail()
    for surprise in random.exponential(1.5, size=100):
        tail.add(float(surprise))
    chances = [tail.log_chance(float(surprise)) for surprise in np.linspace(0, 20, 400)]
    assert chances[0] == 0
    assert (np.diff(chances) < 0).all()
    assert tail.log_chance(math.inf) == -math.inf
