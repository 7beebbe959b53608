"""Numbers are checked by name, and kept as Python's."""

import dataclasses
import math

import numpy as np
import pytest

from timer_forecaster.pretraining.limits import settle_integers, settle_number, settle_shares


@dataclasses.dataclass(frozen=True)
class Settings:
    amount: object
    other: float | None = None


@pytest.mark.parametrize("value", [2, np.int8(2), np.uint64(2)])
def test_integers_become_those_of_python(value):
    settings = Settings(value)
    settle_integers(settings, 1, "amount")
    assert settings.amount == 2 and type(settings.amount) is int


@pytest.mark.parametrize("value", [0, -1, 11, np.int64(-3)])
def test_integers_outside_their_bounds_are_named(value):
    with pytest.raises(ValueError, match=f"amount={value} of stage 'a' must be at least 1 and at"):
        settle_integers(Settings(value), 1, "amount", of=" of stage 'a'", most=10)


@pytest.mark.parametrize("value", [1.0, "1", True, math.nan, [1]])
def test_what_is_no_integer_is_a_type_error(value):
    with pytest.raises(TypeError, match=r"amount=.* must be an integer"):
        settle_integers(Settings(value), 1, "amount")


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -1e-300, np.float32("nan")])
def test_numbers_that_are_not_finite_or_negative_are_named(value):
    with pytest.raises(ValueError, match=r"amount=.* must be not negative and finite"):
        settle_number(Settings(value), "amount")


def test_bounds_belong_to_the_numbers():
    for value in (0, 1, np.float64(0.5)):
        settle_number(Settings(value), "amount", most=1.0)
    with pytest.raises(ValueError, match="must be positive and at most 1"):
        settle_number(Settings(0), "amount", positive=True, most=1.0)
    for value in (0, 1, 0.5):
        settle_shares(Settings(value), "amount")


def test_none_is_left_alone_where_it_is_the_default():
    settle_number(Settings(1), "other")
    for check in (settle_number, lambda settings, name: settle_integers(settings, 1, name)):
        with pytest.raises(TypeError, match="amount=None"):
            check(Settings(None), "amount")


@pytest.mark.parametrize("value", ["0.5", True, [0.5], 1j])
def test_what_is_no_number_is_a_type_error(value):
    for check in (settle_number, settle_shares):
        with pytest.raises(TypeError, match=r"amount=.* must be a number"):
            check(Settings(value), "amount")
