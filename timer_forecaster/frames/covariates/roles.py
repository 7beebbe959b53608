"""Roles of columns beside the targets: known over the horizon, or known in the past alone."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Sequence
from typing import NamedTuple

import pandas as pd

from timer_forecaster.frames.containers import names_of
from timer_forecaster.frames.table import is_empty

Names = Sequence[Hashable] | str | None

FUTURE = "future_frame"
"""Name of the frame of the future."""


class Roles(NamedTuple):
    """The columns that are covariates."""

    known: list[Hashable]
    """Known over the horizon."""
    past: list[Hashable]
    """Known up to the last target alone."""

    @property
    def all(self) -> list[Hashable]:
        """All of them."""
        return [*self.known, *self.past]


class AbsentColumnError(ValueError):
    """An argument names a column that the frame does not have.

    Parameters
    ----------
    argument : str
    column : hashable
    columns : sequence of hashable
        The columns that the frame has.
    """

    def __init__(self, argument: str, column: Hashable, columns: Sequence[Hashable]) -> None:
        super().__init__(f"{argument}: there is no column {column!r}; there are {list(columns)}")
        self.argument, self.column = argument, column


class FutureColumnsError(ValueError):
    """The frame of the future lacks a column, or has one that it must not have.

    The message names the frame of the future.
    """


def roles_of(
    columns: Sequence[Hashable],
    future: Sequence[Hashable] | None = None,
    *,
    known: Names = None,
    past: Names = None,
    targets: Names = None,
    reserved: Collection[Hashable] = (),
    name: str = FUTURE,
) -> Roles:
    """Return the columns that are known over the horizon, and those that are not.

    Parameters
    ----------
    columns : sequence of hashable
        Columns of the frame.
    future : sequence of hashable, optional
        Columns of the frame of the future.
    known, past, targets : hashable or sequence of hashable, optional
        Columns that are named. Default of ``known``: all columns of the future but those that are
        reserved, past or targets.
    reserved : collection of hashable
        Columns of times and ids.
    name : str
        Name of the frame of the future, for errors.

    Raises
    ------
    AbsentColumnError, FutureColumnsError
        If a column is not there.
    ValueError
        If a column has two roles.
    TypeError
        If a name cannot be one.

    Examples
    --------
    >>> roles_of(["day", "sold", "price", "visits"], ["day", "price"], past="visits",
    ...          reserved=["day"])
    Roles(known=['price'], past=['visits'])
    """
    read_past = _named("past_columns", past, columns, reserved)
    named_targets = [] if targets is None else names_of(targets, pd.Index(columns, dtype=object))
    if known is not None or future is None:
        read_known = _named("known_columns", known, columns, reserved)
    else:
        others = (*reserved, *read_past, *named_targets)
        read_known = [column for column in future if column not in others]
        _refuse_unseen(read_known, columns, name)
    _refuse_two_roles(read_known, read_past, named_targets)
    _refuse_absent(read_known, future, name)
    if future is not None and not read_known:
        raise FutureColumnsError(
            f"{name} has no column beside the times and ids that is known over the horizon"
        )
    return Roles(read_known, read_past)


def refuse_other_values(
    future: pd.DataFrame, roles: Roles, reserved: Collection[Hashable], name: str = FUTURE
) -> None:
    """Refuse columns of the future that hold too much or nothing, where known ones are not named.

    Parameters
    ----------
    future : pandas.DataFrame
    roles : Roles
        Its known columns are all that the future has; they need values. Past columns and targets
        must have none: a forecast does not know them.
    reserved : collection of hashable
        Columns of times and ids.
    name : str
        Name of the frame of the future.

    Raises
    ------
    FutureColumnsError
        Naming the column.
    """
    for column in future.columns:
        empty = bool(is_empty(future[column]).all())
        if column in roles.known and empty:
            raise FutureColumnsError(
                f"{name} has no value in column {column!r}; name the targets in target_columns if "
                "it is one, or name the columns to use in known_columns"
            )
        if column not in (*roles.known, *reserved) and not empty:
            kind = "past column" if column in roles.past else "target"
            raise FutureColumnsError(
                f"{name} has values of the {kind} {column!r}; leave the column out of it, or name "
                "the columns that are known over the horizon in known_columns"
            )


def categories_of(given: Names, roles: Roles) -> list[Hashable]:
    """Return the covariates that are named as categories.

    Raises
    ------
    ValueError
        If one that is named is no covariate.

    Examples
    --------
    >>> categories_of("code", Roles(known=["price", "code"], past=[]))
    ['code']
    """
    named = [] if given is None else names_of(given, pd.Index(roles.all, dtype=object))
    for column in named:
        if column not in roles.all:
            raise ValueError(
                f"{column!r} in categories is no covariate; there are {roles.all}. Name it in "
                "known_columns or past_columns too"
            )
    return named


def _named(
    argument: str, given: Names, columns: Sequence[Hashable], reserved: Collection[Hashable]
) -> list[Hashable]:
    """Return the names that an argument gives, checked."""
    if given is None:
        return []
    names = names_of(given, pd.Index(columns, dtype=object, tupleize_cols=False))
    for column in names:
        if not isinstance(column, Hashable):
            raise TypeError(f"{argument}: {column!r} is no name of a column")
        if column in reserved:
            raise ValueError(f"{argument}: {column!r} is the time or the id column")
        if column not in columns:
            raise AbsentColumnError(argument, column, columns)
    if len(set(names)) < len(names):
        raise ValueError(f"{argument}={names}: name each column once")
    return names


def _refuse_two_roles(
    known: Sequence[Hashable], past: Sequence[Hashable], targets: Sequence[Hashable]
) -> None:
    """Refuse columns that are known and past, or covariates and targets."""
    for column in known:
        if column in past:
            raise ValueError(
                f"column {column!r} is in known_columns and in past_columns; a known column is "
                "known in the past too, so name it in known_columns alone"
            )
    for argument, chosen in {"known_columns": known, "past_columns": past}.items():
        for column in chosen:
            if column in targets:
                raise ValueError(f"column {column!r} is in target_columns and in {argument}")


def _refuse_absent(known: Sequence[Hashable], future: Sequence[Hashable] | None, name: str) -> None:
    """Refuse known columns that the future does not have."""
    for column in known:
        if future is not None and column not in future:
            raise FutureColumnsError(
                f"{name} has no column {column!r}, which known_columns names; it has "
                f"{list(future)}. Name it in past_columns if its future is not known"
            )


def _refuse_unseen(known: Sequence[Hashable], columns: Sequence[Hashable], name: str) -> None:
    """Refuse columns of the future that the history does not have."""
    for column in known:
        if column not in columns:
            raise FutureColumnsError(
                f"{name} has a column {column!r}, and the history has none of this name; it has "
                f"{list(columns)}. Add it there, or name the columns to use in known_columns"
            )
