"""Checks accept what is right, return plain numbers, and name the argument."""

import math

import numpy as np
import pytest

from timer_forecaster.checks import (
    check_choice,
    check_flag,
    check_integer,
    check_level,
    check_number,
    is_level,
)


@pytest.mark.parametrize("value", [3, np.int64(3), np.uint8(3)])
def test_integers_become_python_integers(value):
    found = check_integer("horizon", value)
    assert found == 3
    assert type(found) is int


@pytest.mark.parametrize("value", [3.0, "3", True, None, np.bool_(True), [3]])
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
    with pytest.raises(ValueError, match=r"level=.* must lie inside \(0, 1\)"):
        check_level("level", value)
