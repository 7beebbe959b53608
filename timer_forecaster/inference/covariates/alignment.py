"""Times of covariates beside times of series: rows are counted from the end, so ends must agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np


def by_series(tables: Any, series: Any, argument: str) -> Any:
    """Return a list of tables from tables by the keys of series; others as they are.

    Parameters
    ----------
    tables : mapping of tables, or anything
    series : mapping, or anything
    argument : str
        Name of the tables in errors.

    Raises
    ------
    ValueError
        If a series has no table. The error names it.
    """
    if not isinstance(series, Mapping) or not isinstance(tables, Mapping):
        return tables
    if not all(_is_table(table) for table in tables.values()):
        return tables  # the columns of one table
    lacking = [key for key in series if key not in tables]
    if lacking:
        raise ValueError(f"{argument} has no table for the series {lacking[0]!r}")
    return [tables[key] for key in series]


def check_ends(tables: Any, series: Any, argument: str, ahead: int) -> None:
    """Refuse tables whose times do not end as the series do.

    Arrays, and indexes of numbers, have no times to compare.

    Parameters
    ----------
    tables : frame, or sequence of frames
    series : pandas.Series, or sequence of them
    argument : str
        Name of the tables in errors.
    ahead : int
        Rows that follow the last step of a series.

    Raises
    ------
    ValueError
        If the row that belongs to the last step of a series has another time.
    """
    listed = isinstance(series, Sequence) and not isinstance(series, str)
    for number, one in enumerate(series if listed else [series]):
        table = tables[number] if isinstance(tables, Sequence) and number < len(tables) else tables
        times, own = _times_of(table), _times_of(one)
        if times is None or own is None or not len(own):
            continue
        place = len(times) - 1 - ahead
        if place < 0 or times[place] != own[-1]:
            steps = f" {ahead} steps after it" if ahead else " there too"
            raise ValueError(
                f"series[{number}] ends at {own[-1]}, and {argument}[{number}] has {len(times)} "
                f"rows, the last one of {times[-1]}: its last row must be{steps}, because rows are "
                f"counted from the end"
            )


def _is_table(value: Any) -> bool:
    return hasattr(value, "columns") or isinstance(value, Mapping) or np.ndim(value) == 2


def _times_of(value: Any) -> Any:
    """Return the index of an object of pandas if it holds times; else None."""
    index = getattr(value, "index", None)
    return index if type(index).__name__ in ("DatetimeIndex", "PeriodIndex") else None
