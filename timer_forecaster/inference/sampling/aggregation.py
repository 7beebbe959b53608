"""Quantiles of sums, maxima and other functions of several steps, from joint paths."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

import numpy as np

from timer_forecaster.arrays import FloatArray
from timer_forecaster.checks import check_integer, plain

Function = Callable[[FloatArray], FloatArray]

FUNCTIONS: dict[str, Function] = {
    "sum": lambda paths: np.sum(paths, axis=-1),
    "mean": lambda paths: np.mean(paths, axis=-1),
    "max": lambda paths: np.max(paths, axis=-1),
    "min": lambda paths: np.min(paths, axis=-1),
}
"""Functions by name. Of one step each is the step itself."""


def function_of(function: Any) -> Function:
    """Return a function by its name, or one of a user.

    Raises
    ------
    ValueError
        If it is neither.
    """
    if isinstance(function, str) and function in FUNCTIONS:
        return FUNCTIONS[function]
    if not callable(function):
        raise ValueError(
            f"function={function!r} is unknown; use one of {tuple(FUNCTIONS)}, or a function that "
            "makes n values of an array of n paths, such as lambda paths: paths.max(axis=-1)"
        )
    return function


def parts_of(parts: Any, horizon: int) -> tuple[list[slice], bool]:
    """Return the parts of a horizon, and whether there is one that a user did not list.

    Parameters
    ----------
    parts : int, slice, sequence of slice, or None
        Length of consecutive parts, or the parts themselves; None is the whole horizon.
    horizon : int

    Raises
    ------
    TypeError, ValueError
        If the parts are no slices, or empty, or no whole number of equal parts.

    Examples
    --------
    >>> parts_of(7, 14)
    ([slice(0, 7, None), slice(7, 14, None)], False)
    """
    if parts is None:
        return [slice(0, horizon)], True
    if isinstance(parts, slice):
        return [_checked(parts, horizon)], True
    if isinstance(parts, Sequence) and not isinstance(parts, str):
        if not parts:
            raise ValueError("parts is empty; give slices of the horizon, such as [slice(0, 7)]")
        return [_checked(part, horizon) for part in parts], False
    length = check_integer("parts", plain(parts))
    if horizon % length:
        whole = horizon // length * length
        advice = f"forecast {whole} or {whole + length} steps" if whole else f"at most {horizon}"
        raise ValueError(
            f"parts={length} does not divide the horizon of {horizon} steps: {advice}, or give "
            f"slices, such as parts=[slice(0, {min(length, horizon)})]"
        )
    return [slice(start, start + length) for start in range(0, horizon, length)], False


def _checked(part: Any, horizon: int) -> slice:
    if not isinstance(part, slice):
        raise TypeError(f"parts: {part!r} must be a slice of the horizon, such as slice(0, 7)")
    beyond = any(
        end is not None and not -horizon <= end <= horizon for end in (part.start, part.stop)
    )
    if beyond or not len(range(horizon)[part]):
        raise ValueError(f"parts: {part} has no steps, or some beyond the horizon of {horizon}")
    return part


def groups_of(group: Any, n_series: int) -> list[list[int]]:
    """Return the numbers of the series of each group, in the order of the first of each.

    Parameters
    ----------
    group : sequence of hashable, or None
        A label for each series; None leaves each by itself.
    n_series : int

    Raises
    ------
    ValueError, TypeError
        If there are not as many labels as series, or a label cannot be one.

    Examples
    --------
    >>> groups_of(["north", "south", "north"], 3)
    [[0, 2], [1]]
    """
    if group is None:
        return [[number] for number in range(n_series)]
    if isinstance(group, Mapping):
        raise TypeError(
            f"group={group!r} is a mapping; pass a label for each series in their order, such as "
            "list(group.values())"
        )
    labels = [plain(label) for label in group] if not isinstance(group, str) else []
    if len(labels) != n_series:
        raise ValueError(
            f"group={group!r} must have a label for each of the {n_series} series; [0] * "
            f"{n_series} puts all into one group"
        )
    found: dict[Hashable, list[int]] = {}
    for number, label in enumerate(labels):
        if not _is_hashable(label):
            raise TypeError(f"group: {label!r} is no label; use texts, numbers or tuples")
        found.setdefault(label, []).append(number)
    return list(found.values())


def _is_hashable(label: Any) -> bool:
    try:
        hash(label)
    except TypeError:  # a tuple of lists, too
        return False
    return True


def summarized(
    paths: FloatArray, function: Function, parts: Sequence[slice], levels: Sequence[float]
) -> FloatArray:
    """Return quantiles of a function of each part.

    Parameters
    ----------
    paths : ndarray, shape (n, horizon)
    function : callable
    parts : sequence of slice
    levels : sequence of float

    Returns
    -------
    ndarray, shape (parts, levels)

    Raises
    ------
    ValueError
        If a function of a user makes another number of values.
    """
    found = np.empty((len(parts), len(levels)))
    for place, part in enumerate(parts):
        with np.errstate(over="ignore", invalid="ignore"):  # refused by the caller
            own = paths[:, part].copy()  # a function may sort its paths in place
            values = np.asarray(function(own), dtype=np.float64)
            if values.shape != (len(paths),):
                raise ValueError(
                    f"function made an array of shape {values.shape} of {len(paths)} paths; it "
                    "must make one value of each, such as lambda paths: paths.max(axis=-1)"
                )
            found[place] = np.quantile(values, levels)
    return found
