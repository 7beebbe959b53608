"""Generators by a seed and the values of a series."""

import numpy as np
import pytest

from timer_forecaster.inference.sampling.seeds import generators


def draws(random_state, keys):
    return [generator.uniform() for generator in generators(random_state, keys)]


def test_a_series_draws_alike_alone_and_at_any_place():
    alone = draws(0, [2**64 - 1])
    assert draws(0, [5, 2**64 - 1, 7])[1:2] == alone
    assert draws(0, [2**64 - 1, 5])[:1] == alone


def test_equal_series_draw_on_their_own():
    first, second, third = draws(0, [5, 5, 5])
    assert len({first, second, third}) == 3
    assert draws(0, [5]) == [first]
    assert draws(0, [5, 8, 5])[2] == second


def test_seeds_differ_and_generators_move_on():
    assert draws(0, [5]) == draws(np.int64(0), [5]) != draws(1, [5])
    assert draws(None, [5]) != draws(None, [5])
    source, other = np.random.default_rng(0), np.random.default_rng(0)
    first, second = draws(source, [5]), draws(source, [5])
    assert first != second
    assert draws(other, [1, 2, 5])[2:] == first
    assert draws(other, [5]) == second  # whatever the number of series before


def test_no_global_state_is_used():
    before = np.random.get_state()[1].copy()
    draws(0, [1, 2])
    draws(None, [1, 2])
    np.testing.assert_array_equal(np.random.get_state()[1], before)


@pytest.mark.parametrize("random_state", [-1, 0.5, "seed"])
def test_what_is_no_seed_is_refused_by_name(random_state):
    with pytest.raises((TypeError, ValueError), match="random_state="):
        generators(random_state, [1])
