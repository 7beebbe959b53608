"""Numbers of a recipe that can be meant: types, bounds, and the names in errors."""

from __future__ import annotations

import dataclasses
import math
from numbers import Integral, Real
from typing import Any

MOST_LEARNING_RATE = 1.0
"""Largest learning rate. Both optimizers change each weight by about the rate."""

MOST_DECAYED = 0.1
"""Largest share of the weights that decay in a step: the learning rate times the weight decay."""

MOST_SEED = 2**63 - 1
"""Largest seed of torch's generators."""


def settle_integers(settings: Any, least: int, *names: str, of: str = "", most: int = 0) -> None:
    """Check integers of frozen settings, and store them as Python's, because JSON knows no others.

    Parameters
    ----------
    settings : dataclass
    least : int
        Least value.
    *names : str
        Fields. None is left alone where it is the default.
    of : str
        The place of the fields in errors, such as ``" of stage 'first'"``.
    most : int
        Largest value; 0 for no bound.

    Raises
    ------
    TypeError, ValueError
        If a value is no integer, or outside the bounds. The message names the field.
    """
    for name in names:
        value = getattr(settings, name)
        if _is_left_out(settings, name):
            continue
        if isinstance(value, bool) or not isinstance(value, Integral):
            raise TypeError(f"{name}={value!r}{of} must be an integer")
        number = int(value)
        if number < least or (most and number > most):
            bound = f" and at most {most}" if most else ""
            raise ValueError(f"{name}={value}{of} must be at least {least}{bound}")
        object.__setattr__(settings, name, number)


def settle_number(
    settings: Any, name: str, *, of: str = "", positive: bool = False, most: float = math.inf
) -> None:
    """Check a finite number that is not negative, and store it as a Python float.

    Parameters
    ----------
    settings : dataclass
    name : str
        The field. None is left alone where it is the default.
    of : str
        See `settle_integers`.
    positive : bool
        Refuse zero.
    most : float
        Largest value.

    Raises
    ------
    TypeError, ValueError
        If the value is no number, or outside the bounds. The message names the field.
    """
    value = getattr(settings, name)
    if _is_left_out(settings, name):
        return
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name}={value!r}{of} must be a number")
    number = float(value)
    large_enough = number > 0 if positive else number >= 0
    if not (large_enough and number <= most and math.isfinite(number)):
        bounds = "positive" if positive else "not negative"
        limit = f"at most {most:g}" if math.isfinite(most) else "finite"
        raise ValueError(f"{name}={value}{of} must be {bounds} and {limit}")
    object.__setattr__(settings, name, number)


def _is_left_out(settings: Any, name: str) -> bool:
    defaults = {field.name: field.default for field in dataclasses.fields(settings)}
    return getattr(settings, name) is None and defaults[name] is None


def settle_shares(settings: Any, *names: str, where: str = "") -> None:
    """Check numbers between 0 and 1, both included, and store them as Python floats.

    Parameters
    ----------
    settings : dataclass
    *names : str
        Fields.
    where : str
        The place of the fields in errors, such as ``" in stage 'first'"``.

    Raises
    ------
    TypeError, ValueError
        If a value is no number, or outside the bounds. The message names the field.
    """
    for name in names:
        value = getattr(settings, name)
        if isinstance(value, bool) or not isinstance(value, Real):
            raise TypeError(f"{name}={value!r} must be a number{where}")
        number = float(value)
        if not 0 <= number <= 1:
            raise ValueError(f"{name}={value} must lie between 0 and 1{where}")
        object.__setattr__(settings, name, number)


def checked_seconds(name: str, value: float | None) -> float | None:
    """Return a time that is positive and finite, or None.

    Raises
    ------
    ValueError
        If it is neither. The message names it.
    """
    if value is not None and not (value > 0 and math.isfinite(value)):
        raise ValueError(f"{name}={value!r} must be positive and finite")
    return value
