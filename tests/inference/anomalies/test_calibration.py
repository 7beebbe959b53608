"""Chances by a table, and by the earlier steps of a series."""

import math

import numpy as np
import pytest

from timer_forecaster.inference.anomalies import table
from timer_forecaster.inference.anomalies.calibration import (
    MOST_EXCESS,
    PRIOR,
    PRIOR_EXCESSES,
    TAIL,
    WINDOW,
    Ranks,
    depths_of,
    surprise_of,
)

START = -math.log(TAIL)


@pytest.mark.parametrize("by_table", [True, False])
@pytest.mark.parametrize("above", [True, False])
def test_depths_are_the_inverse_of_surprises(by_table, above):
    depths = np.array([0.8, 1.5, 3.0, 6.0, 20.0, 800.0])
    found = np.array([surprise_of(depth, above, by_table) for depth in depths.tolist()])
    assert (np.diff(found) > 0).all()
    np.testing.assert_allclose(depths_of(found, by_table)[int(above)], depths, rtol=1e-9)


def test_the_table_has_its_chances():
    for side, depths in enumerate((table.LOWER, table.UPPER)):
        found = [surprise_of(depth, bool(side)) for depth in depths]
        np.testing.assert_allclose(np.exp(-np.array(found)), table.CHANCES, rtol=1e-9)


def test_the_table_falls():
    assert list(table.CHANCES) == sorted(table.CHANCES, reverse=True)
    for side in (table.LOWER, table.UPPER):
        assert list(side) == sorted(side)


def test_the_median_surprises_nobody_and_infinity_most():
    found = [surprise_of(depth, False) for depth in (0.0, math.log(2), math.inf)]
    assert found == pytest.approx([0.0, 0.0, math.inf], abs=1e-4)
    assert np.isinf(depths_of(np.array([math.inf]))).all()


def test_without_own_steps_the_table_decides():
    for window in (0, WINDOW):
        assert Ranks(window).log_chance(3.0) == pytest.approx(-3.0)
        assert Ranks(window).bound(0.01) == pytest.approx(math.log(100))


def test_ranks_count_the_newest_steps_as_the_definition_says():
    random, ranks = np.random.default_rng(0), Ranks(window=50)
    given = np.round(random.exponential(size=200), 1)  # with ties
    for step, surprise in enumerate(given):
        own = given[max(0, step - 50) : step]
        chance = (PRIOR * math.exp(-surprise) + (own >= surprise).sum()) / (PRIOR + len(own))
        if surprise > START:
            excesses = np.minimum(own[own >= START] - START, MOST_EXCESS)
            mean = (PRIOR_EXCESSES + excesses.sum()) / (PRIOR_EXCESSES + len(excesses))
            start = (PRIOR * TAIL + len(excesses)) / (PRIOR + len(own))
            chance = start * math.exp((START - surprise) / mean)
        assert math.exp(ranks.log_chance(surprise)) == pytest.approx(chance, rel=1e-9)
        ranks.add(float(surprise))


def test_a_second_spike_is_still_rare():
    """One earlier spike does not decide what the next one of its size means."""
    random, ranks = np.random.default_rng(0), Ranks()
    for surprise in random.exponential(size=500):
        ranks.add(float(surprise))
    first = ranks.log_chance(12.0)
    ranks.add(12.0)
    assert first < ranks.log_chance(12.0) < math.log(0.001)


@pytest.mark.parametrize("wild", [0.5, 1.0, 1.5])
def test_far_tails_keep_their_level(wild):
    """Also of series whose far tails are lighter or heavier than those of the table."""
    random = np.random.default_rng(2)
    chances = []
    for _ in range(10):
        ranks = Ranks()
        for surprise in random.exponential(size=2000):
            own = surprise if surprise < START else START + wild * (surprise - START)
            chances.append(ranks.log_chance(own))
            ranks.add(own)
    flagged = (np.array(chances) <= math.log(0.001)).mean()
    assert 0.0006 < flagged < 0.0018


@pytest.mark.parametrize("prior", [2.0, 50.0, 500.0])
@pytest.mark.parametrize("chance", [0.3, 0.05, 0.01, 0.001])
def test_the_bound_is_where_chances_fall_below_the_level(prior, chance):
    random, ranks = np.random.default_rng(1), Ranks(prior=prior)
    for surprise in [*random.exponential(3.0, size=300), 40.0, 40.0, math.inf]:
        bound = ranks.bound(chance)
        if math.isfinite(bound):
            assert math.exp(ranks.log_chance(bound + 1e-9)) <= chance * (1 + 1e-9)
        if bound > 0:
            inside = min(bound - 1e-9, 1e300)
            assert math.exp(ranks.log_chance(inside)) >= chance * (1 - 1e-6)
        ranks.add(float(surprise))


def test_many_infinite_surprises_are_no_surprise():
    ranks = Ranks(prior=10.0)
    for _ in range(10):
        ranks.add(math.inf)
    assert ranks.bound(0.1) == math.inf
    assert ranks.log_chance(math.inf) == pytest.approx(math.log(0.5))
