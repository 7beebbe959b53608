"""Covariates beside plain series, as a user gives them for questions at several origins."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Sequence
from typing import Any

import numpy as np

from timer_forecaster.failures import Failures
from timer_forecaster.inference.covariates.alignment import aligned
from timer_forecaster.inference.covariates.columns import (
    categories_beside,
    named_columns,
    tables_of,
)
from timer_forecaster.inference.covariates.cycles import as_cycles, cycles_beside
from timer_forecaster.inference.covariates.tables import Tables
from timer_forecaster.inference.series import TimedSeries


def tables_beside(
    series: Any,
    timed: TimedSeries,
    beside: tuple[Any, Any, Collection[Hashable], Any],
    freq: Sequence[Any],
    failures: Failures,
) -> Tables | None:
    """Return the covariates of each series, with a row for each of its steps.

    Parameters
    ----------
    series : array, sequence or mapping
        As the user gives them.
    timed : TimedSeries
        The same series, read.
    beside : tuple
        Known and past covariates, names of categories, and cycles.
    freq : sequence of str, pandas offset, int or None
        Frequency of each series. Cycles follow from it where none are given.
    failures : Failures
        Notes series whose covariates do not fit.

    Returns
    -------
    Tables or None
        None without covariates.

    Raises
    ------
    ValueError
        If a table, a column or a cycle cannot be read.
    """
    known, past, _, cycles = beside
    categories = categories_beside(*beside)
    if known is None and past is None:
        return None
    n_series = len(timed.values)
    named = [
        _named(aligned(given, series, timed.times, role, 0, failures), role, n_series)
        for role, given in {"known": known, "past": past}.items()
    ]
    return Tables(named[0], named[1], categories, _cycles(cycles_beside(cycles, freq), n_series))


def _named(given: Any, role: str, n_series: int) -> list[Any] | None:
    """Return the columns of each series by their names."""
    if given is None:
        return None
    tables = tables_of(given, role, n_series)
    return [
        None if table is None else dict(named_columns(table, f"{role}[{number}]"))
        for number, table in enumerate(tables)
    ]


def _cycles(cycles: Any, n_series: int) -> list[Any] | None:
    """Return the cycles of each series."""
    if cycles is None:
        return None
    as_cycles(cycles, n_series)  # refuses others
    given = list(cycles)
    return given if any(np.iterable(one) for one in given) else [given] * n_series
