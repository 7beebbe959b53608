"""Checks of arguments, in one wording.

Each check names the argument. A wrong type raises TypeError, a wrong value ValueError.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any

import numpy as np


def check_integer(name: str, value: Any, least: int = 1) -> int:
    """Return an integer of at least ``least`` as a Python int.

    Examples
    --------
    >>> check_integer("horizon", 24)
    24
    """
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise TypeError(f"{name}={value!r} must be an integer")
    if int(value) < least:
        raise ValueError(f"{name}={value} must be at least {least}")
    return int(value)


def check_number(
    name: str, value: Any, least: float, most: float = math.inf, above: bool = False
) -> float:
    """Return a finite number within bounds as a Python float; ``above`` excludes the lower one.

    Examples
    --------
    >>> check_number("validation", 0.2, 0, 0.9, above=True)
    0.2
    """
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name}={value!r} must be a number")
    number = float(value)
    fits = number > least if above else number >= least
    if not (fits and number <= most and math.isfinite(number)):
        bounds = f"{'above' if above else 'at least'} {least}"
        most_text = f" and at most {most}" if math.isfinite(most) else " and finite"
        raise ValueError(f"{name}={value} must be {bounds}{most_text}")
    return number


def check_flag(name: str, value: Any) -> None:
    """Refuse a value that is neither True nor False."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name}={value!r} must be True or False")


def check_choice(name: str, value: Any, choices: Sequence[str]) -> None:
    """Refuse a value that is not one of the choices."""
    if not isinstance(value, str) or value not in choices:
        raise ValueError(f"{name}={value!r} is unknown; use one of {choices}")


def check_level(name: str, value: Any) -> None:
    """Refuse a value that is not inside (0, 1)."""
    if not is_level(value):
        raise ValueError(f"{name}={value!r} must lie inside (0, 1)")


def is_level(value: Any) -> bool:
    """Whether a value is a number inside (0, 1), both excluded."""
    return isinstance(value, Real) and 0 < float(value) < 1
