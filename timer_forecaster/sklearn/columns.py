"""Columns of X by their names: ``target[-1]`` is the newest step, ``price[+1]`` the one after it.

Steps count from the end of the window: -1 is its newest step, +1 the first step of y. There is no
step 0.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

TARGET = "target"
"""Name of the series in the columns of X."""

_NAME = re.compile(r"(.*)\[([+-][1-9]\d*)\]", flags=re.DOTALL)
_MOST_LISTED = 5


class Layout(NamedTuple):
    """Places of the columns of X, old to new, of the target and of each covariate."""

    target: list[int]
    known: Mapping[str, list[int]]
    """The last ``horizon`` places are those of the steps of y."""
    past: Mapping[str, list[int]]


def name_of(name: str, step: int) -> str:
    """Return the name of a column.

    Examples
    --------
    >>> name_of("price", -3), name_of("price", 1)
    ('price[-3]', 'price[+1]')
    """
    return f"{name}[{step:+d}]"


def names_of_steps(name: str, oldest: int, newest: int) -> list[str]:
    """Return the names of the columns from one step to another.

    Examples
    --------
    >>> names_of_steps("price", -2, 1)
    ['price[-2]', 'price[-1]', 'price[+1]']
    """
    return [name_of(name, step) for step in range(oldest, newest + 1) if step]


def has_target(labels: Iterable[Any]) -> bool:
    """Whether a column is a step of the target by its name."""
    return any(found is not None and found[0] == TARGET for found in map(_parsed, labels))


def layout_of(
    labels: Iterable[Any], known: Collection[str], past: Collection[str], horizon: int
) -> Layout:
    """Find the columns of the target and of the covariates by their names.

    Parameters
    ----------
    labels : iterable
        Names of the columns of X, in any order.
    known, past : collection of str
        Names of the covariates.
    horizon : int
        Steps of y. Later steps of known columns are not used.

    Raises
    ------
    ValueError
        If a column belongs to none of them, or a column is absent. The message names it.

    Examples
    --------
    >>> layout_of(["x[+1]", "target[-1]", "x[-1]"], known=["x"], past=[], horizon=1)
    Layout(target=[1], known={'x': [2, 0]}, past={})
    """
    places: dict[str, dict[int, int]] = {name: {} for name in (TARGET, *known, *past)}
    strangers = []
    for place, label in enumerate(labels):
        name, step = _parsed(label) or (None, 0)
        if name is None or name not in places:
            strangers.append(label)
        elif step in places[name]:
            raise ValueError(f"X has two columns {label!r}")
        else:
            places[name][step] = place
    if strangers:
        raise ValueError(_words_of_strangers(strangers, known, past))
    return Layout(
        _ordered(TARGET, places[TARGET], 0),
        {name: _ordered(name, places[name], horizon) for name in known},
        {name: _ordered(name, places[name], 0) for name in past},
    )


def _parsed(label: Any) -> tuple[str, int] | None:
    """Return the name and the step of a column; None if it has none."""
    match = _NAME.fullmatch(label) if isinstance(label, str) else None
    return None if match is None else (match[1], int(match[2]))


def _ordered(name: str, places: Mapping[int, int], horizon: int) -> list[int]:
    """Return the places of all steps up to the horizon; each step must be there."""
    oldest = min(-1, min(places, default=-1))
    newest = max(places, default=-1)
    if newest > 0 and not horizon:
        raise ValueError(
            f"column {name_of(name, newest)!r} of X lies after the window; only columns of known "
            "may"
        )
    steps = [step for step in range(oldest, horizon + 1) if step]
    absent = next((step for step in steps if step not in places), None)
    if absent is not None:
        reason = (
            f"known columns need the {horizon} steps of y"
            if absent > 0
            else ("steps of a window follow each other up to -1")
        )
        raise ValueError(f"X has no column {name_of(name, absent)!r}; {reason}")
    return [places[step] for step in steps]


def _words_of_strangers(
    strangers: Sequence[Any], known: Collection[str], past: Collection[str]
) -> str:
    """Return the error about columns that belong to nothing."""
    shown = ", ".join(map(repr, strangers[:_MOST_LISTED]))
    more = len(strangers) - _MOST_LISTED
    columns = "column" if len(strangers) == 1 else "columns"
    shown += f" and {more} more" if more > 0 else ""
    return (
        f"{columns} {shown} of X belong to neither the target nor known={tuple(known)} nor "
        f"past={tuple(past)}; columns are named as 'target[-1]', 'price[-1]' and 'price[+1]'"
    )
