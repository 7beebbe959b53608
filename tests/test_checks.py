"""Checks accept what is right, return plain numbers, and name the argument."""

import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
import torch

from timer_forecaster.checks import (
    check_choice,
    check_flag,
    check_integer,
    check_level,
    check_levels,
    check_number,
    is_level,
    plain,
)


@pytest.mark.parametrize(
    "value",
    [3, np.int64(3), np.uint8(3), np.int8(3), np.uint64(3), np.array(3), torch.tensor(3)],
)
def test_integers_become_python_integers(value):
    found = check_integer("horizon", value)
    assert found == 3
    assert type(found) is int


@pytest.mark.parametrize(
    "value",
    [
        3.0,
        "3",
        True,
        None,
        np.bool_(True),
        [3],
        np.float32(3),
        np.array([3]),
        np.array(True),
        torch.tensor(True),
        torch.tensor([3]),
        np.timedelta64(3, "ns"),
        Decimal(3),
        3 + 0j,
    ],
)
def test_other_types_are_no_integers(value):
    with pytest.raises(TypeError, match=r"horizon=.* must be an integer"):
        check_integer("horizon", value)


def test_small_integers_are_refused_by_the_bound():
    assert check_integer("seed", 0, 0) == 0
    with pytest.raises(ValueError, match="horizon=0 must be at least 1"):
        check_integer("horizon", 0)


def test_numbers_become_python_floats_within_bounds():
    found = check_number("share", np.float32(0.5), 0, 1)
    assert found == 0.5
    assert type(found) is float
    for value, text in ((-0.1, "at least 0 and at most 1"), (1.5, "at least 0 and at most 1")):
        with pytest.raises(ValueError, match=f"share={value} must be {text}"):
            check_number("share", value, 0, 1)
    with pytest.raises(ValueError, match="rate=0 must be above 0 and finite"):
        check_number("rate", 0, 0, above=True)
    for value in (math.inf, math.nan):
        with pytest.raises(ValueError, match="finite"):
            check_number("rate", value, 0)
    with pytest.raises(TypeError, match="rate='1' must be a number"):
        check_number("rate", "1", 0)


def test_flags_are_booleans_of_python_or_numpy():
    check_flag("flip", np.bool_(False))
    with pytest.raises(TypeError, match="flip=1 must be True or False"):
        check_flag("flip", 1)


@pytest.mark.parametrize("value", ["c", None, 1, ["a"]])
def test_choices_are_listed(value):
    check_choice("rollout", "a", ("a", "b"))
    with pytest.raises(ValueError, match=r"rollout=.* is unknown; use one of \('a', 'b'\)"):
        check_choice("rollout", value, ("a", "b"))


@pytest.mark.parametrize("value", [0, 1, -0.1, 1.1, math.nan, "0.5", None])
def test_levels_lie_inside_0_and_1(value):
    assert not is_level(value)
    assert is_level(np.float64(0.5))
    with pytest.raises(ValueError, match=r"level=.* must be one number inside \(0, 1\)"):
        check_level("level", value)


@pytest.mark.parametrize(
    "level",
    [
        0.1,
        np.float32(0.1),
        np.float16(0.1),
        np.longdouble("0.1"),
        np.array(0.1, dtype=np.float32),
        torch.tensor(0.1),
        torch.tensor(0.1, dtype=torch.bfloat16),
        Decimal("0.1"),
        Fraction(1, 10),
    ],
)
def test_levels_of_any_type_are_the_number_that_they_print_as(level):
    assert check_level("level", level) == 0.1
    assert check_levels("levels", [level, 0.5]) == (0.1, 0.5)
    assert type(check_level("level", level)) is float


@pytest.mark.parametrize("levels", [0.5, [], "0.5", None, [[0.5]], np.zeros((1, 2))])
def test_levels_are_a_sequence(levels):
    with pytest.raises(ValueError, match=r"levels=.* at least one level"):
        check_levels("levels", levels)


@pytest.mark.parametrize("value", [10**400, -(10**400), Decimal("sNaN"), Decimal("Infinity")])
def test_numbers_beyond_floats_are_not_finite(value):
    with pytest.raises(ValueError, match="rate="):
        check_number("rate", value, 0)


def test_flags_become_python_booleans():
    for flag in (True, np.True_, np.array(True), torch.tensor(True)):
        assert check_flag("flip", flag) is True
    for flag in ("True", None, 1.0, np.array([True])):
        with pytest.raises(TypeError, match=r"flip=.* must be True or False"):
            check_flag("flip", flag)


def test_what_is_no_scalar_stays_as_it_is():
    for value in ("auto", None, [1], np.arange(2), np.datetime64("2024"), torch.float32):
        assert plain(value) is value
    assert math.isnan(plain(np.float32("nan")))
    assert plain(np.float32(3.4e38)) == 3.4e38
