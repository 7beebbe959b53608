"""Times of covariates beside times of series: rows are counted from the end, so ends must agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np


def aligned(tables: Any, series: Any, argument: str, ahead: int) -> Any:
    """Return tables in the order of their series, and refuse those that end at other times.

    Tables and series of mappings are matched by their keys. Arrays, and indexes of numbers, have no
    times to compare.

    Parameters
    ----------
    tables : frame, sequence or mapping of frames, or anything
    series : pandas.Series, sequence or mapping of them, or anything
    argument : str
        Name of the tables in errors.
    ahead : int
        Rows that follow the last step of a series.

    Raises
    ------
    ValueError
        If a series has no table, or the row that belongs to its last step has another time. The
        error names the series.
    """
    if isinstance(series, Mapping):
        tables = _in_order_of(series, tables, argument)
        series = list(series.values())
    listed = isinstance(series, Sequence) and not isinstance(series, str)
    for number, one in enumerate(series if listed else [series]):
        table = tables[number] if isinstance(tables, Sequence) and number < len(tables) else tables
        times, own = _times_of(table), _times_of(one)
        if times is not None and own is not None and len(own):
            _check_end(times, own, (argument, number), ahead)
    return tables


def _in_order_of(series: Mapping[Any, Any], tables: Any, argument: str) -> Any:
    """Return tables of a mapping in the order of the series with the same keys."""
    if not isinstance(tables, Mapping) or not all(map(_is_table, tables.values())):
        return tables  # a list, or the columns of one table
    lacking = [key for key in series if key not in tables]
    if lacking:
        raise ValueError(f"{argument} has no table for the series {lacking[0]!r}")
    return [tables[key] for key in series]


def _check_end(times: Any, own: Any, place: tuple[str, int], ahead: int) -> None:
    """Refuse the times of a table that do not end a number of rows after those of a series."""
    argument, number = place
    last = len(times) - 1 - ahead
    if last < 0 or times[last] != own[-1]:
        steps = f" {ahead} steps after it" if ahead else " there too"
        raise ValueError(
            f"series[{number}] ends at {own[-1]}, and {argument}[{number}] has {len(times)} rows, "
            f"the last one of {times[-1]}: its last row must be{steps}, because rows are counted "
            "from the end"
        )


def _is_table(value: Any) -> bool:
    return hasattr(value, "columns") or isinstance(value, Mapping) or np.ndim(value) == 2


def _times_of(value: Any) -> Any:
    """Return the index of an object of pandas if it holds times; else None."""
    index = getattr(value, "index", None)
    return index if type(index).__name__ in ("DatetimeIndex", "PeriodIndex") else None
