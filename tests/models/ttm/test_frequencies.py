"""Tokens of frequencies."""

import pytest

from timer_forecaster.models.ttm.frequencies import UNKNOWN, names_of, token_of


def test_the_tokens_are_those_of_the_released_table():
    minutes = [1, 2, 5, 10, 15, 30, 60, 24 * 60, 7 * 24 * 60]
    assert [token_of(one, 10) for one in minutes] == list(range(1, 10))
    assert names_of(10) == ("min", "2min", "5min", "10min", "15min", "30min", "h", "D", "W")


@pytest.mark.parametrize("minutes", [None, 0.5, 3, 120, 14 * 24 * 60, float("nan")])
def test_every_other_step_is_unknown(minutes):
    assert token_of(minutes, 10) == UNKNOWN


def test_a_network_may_have_fewer_tokens():
    assert [token_of(one, 8) for one in (60, 1_440, 10_080)] == [7, UNKNOWN, UNKNOWN]
    assert names_of(8)[-1] == "h"
    assert names_of(0) == names_of(1) == ()
