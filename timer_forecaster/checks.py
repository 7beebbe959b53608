"""Checks of arguments, in one wording.

Each check names the argument. A wrong type raises TypeError, a wrong value ValueError. A scalar of
numpy or torch, or an array of no dimension, is the Python scalar that it prints as: ``uint8(200)``
is 200, and ``float32(0.1)`` is 0.1.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from decimal import Decimal
from numbers import Integral, Real
from typing import Any

import numpy as np

_NO_NUMBERS = ("m", "M", "V")  # durations, dates and records, which numpy may turn into integers


def plain(value: Any) -> Any:
    """Return a scalar of numpy or torch as a Python scalar, and any other value as it is.

    Examples
    --------
    >>> import numpy as np
    >>> plain(np.uint8(200)), plain(np.float32(0.1)), plain("auto")
    (200, 0.1, 'auto')
    """
    tensor = type(value).__module__.partition(".")[0] == "torch"
    if not (tensor or isinstance(value, (np.ndarray, np.generic))):
        return value
    if getattr(value, "ndim", None) != 0 or getattr(value.dtype, "kind", None) in _NO_NUMBERS:
        return value
    scalar = value.item()
    if isinstance(scalar, np.floating):  # a long double
        return float(scalar)
    if isinstance(scalar, float) and value.dtype.itemsize < 8:
        return _shortest(scalar, value.new_tensor if tensor else value.dtype.type)
    return scalar


def _shortest(number: float, narrow: Callable[[float], Any]) -> float:
    """Return the number of fewest digits that a type of less than 64 bits rounds to ``number``."""
    candidates = (float(f"{number:.{digits}g}") for digits in range(1, 10))
    with np.errstate(over="ignore"):
        return next((one for one in candidates if float(narrow(one)) == number), number)


def check_integer(name: str, value: Any, least: int = 1) -> int:
    """Return an integer of at least ``least`` as a Python int.

    Use the result: ``-np.uint8(200)`` is 56.

    Examples
    --------
    >>> check_integer("horizon", 24)
    24
    """
    number = plain(value)
    if isinstance(number, (bool, np.generic)) or not isinstance(number, Integral):
        raise TypeError(f"{name}={value!r} must be an integer")
    number = operator.index(number)
    if number < least:
        raise ValueError(f"{name}={number} must be at least {least}")
    return number


def check_number(
    name: str, value: Any, least: float, most: float = math.inf, above: bool = False
) -> float:
    """Return a finite number within bounds as a Python float; ``above`` excludes the lower one.

    Examples
    --------
    >>> check_number("validation", 0.2, 0, 0.9, above=True)
    0.2
    """
    number = _real(value)
    if number is None:
        raise TypeError(f"{name}={value!r} must be a number")
    fits = number > least if above else number >= least
    if not (fits and number <= most and math.isfinite(number)):
        bounds = f"{'above' if above else 'at least'} {least}"
        most_text = f" and at most {most}" if math.isfinite(most) else " and finite"
        raise ValueError(f"{name}={value} must be {bounds}{most_text}")
    return number


def _real(value: Any) -> float | None:
    """Return a real number as a Python float, and None for anything else."""
    number: Any = plain(value)
    if isinstance(number, (bool, np.generic)) or not isinstance(number, (Real, Decimal)):
        return None
    try:
        return float(number)
    except OverflowError:  # an integer beyond all floats
        return math.inf if operator.gt(number, 0) else -math.inf
    except ValueError:  # a signaling NaN
        return math.nan


def check_flag(name: str, value: Any) -> bool:
    """Return True or False as a Python bool, and refuse any other value."""
    flag = plain(value)
    if not isinstance(flag, bool):
        raise TypeError(f"{name}={value!r} must be True or False")
    return flag


def check_choice(name: str, value: Any, choices: Sequence[str]) -> None:
    """Refuse a value that is not one of the choices."""
    if not isinstance(value, str) or value not in choices:
        raise ValueError(f"{name}={value!r} is unknown; use one of {choices}")


def check_level(name: str, value: Any) -> float:
    """Return a level inside (0, 1) as a Python float.

    Examples
    --------
    >>> import numpy as np
    >>> check_level("level", np.float32(0.1))
    0.1
    """
    level = _real(value)
    if level is None or not 0 < level < 1:
        raise ValueError(f"{name}={value!r} must be one number inside (0, 1)")
    return level


def check_levels(name: str, values: Any) -> tuple[float, ...]:
    """Return levels inside (0, 1), at least one, as Python floats.

    Examples
    --------
    >>> check_levels("levels", [0.1, 0.9])
    (0.1, 0.9)
    """
    try:
        levels = () if isinstance(values, (str, bytes)) else tuple(values)
    except TypeError:  # a single number
        levels = ()
    if not levels or any(np.ndim(plain(level)) for level in levels):
        raise ValueError(
            f"{name}={values!r} must be a sequence of numbers inside (0, 1), at least one level, "
            "such as [0.1, 0.5, 0.9]"
        )
    for level in levels:
        if not is_level(level):
            raise ValueError(
                f"{name}: {level!r} must lie inside (0, 1); {name} must be a sequence of numbers "
                "inside it"
            )
    return tuple(check_level(name, level) for level in levels)


def is_level(value: Any) -> bool:
    """Whether a value is a number inside (0, 1), both excluded."""
    level = _real(value)
    return level is not None and 0 < level < 1
