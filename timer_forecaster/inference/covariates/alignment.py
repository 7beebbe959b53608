"""Times of covariates beside times of series: rows belong to the steps of the same times.

Tables without times are counted from the end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from timer_forecaster.failures import Failures
from timer_forecaster.inference.times import Times, index_of_times


def aligned(
    tables: Any,
    series: Any,
    times: Sequence[Times | None],
    argument: str,
    ahead: int,
    failures: Failures | None = None,
) -> Any:
    """Return tables in the order of their series, with a row for each step of their times.

    Tables and series of mappings are matched by their keys. Arrays, and indexes of numbers, have no
    times to compare.

    Parameters
    ----------
    tables : frame, sequence or mapping of frames, or anything
    series : pandas.Series, sequence or mapping of them, or anything
    times : sequence of Times or None
        Of each series.
    argument : str
        Name of the tables in errors.
    ahead : int
        Rows that follow the last step of a series.
    failures : Failures, optional
        Notes series whose tables do not fit; None stands in place of the tables. Default: raise.

    Raises
    ------
    ValueError
        If a series has no table, or a table does not end with the last step, has a time twice or
        one that is no step, or lacks one of the horizon. The error names the series.
    """
    if isinstance(series, Mapping):
        tables = _in_order_of(series, tables, argument)
    is_listed = isinstance(tables, Sequence) and not isinstance(tables, str)
    if not is_listed and getattr(tables, "ndim", 0) != 3:
        tables = [tables]
        is_listed = False
    found = list(tables)
    for number, own in enumerate(times[: len(found)]):
        if own is not None and found[number] is not None:
            try:
                found[number] = beside(found[number], own, (argument, number), ahead)
            except ValueError as error:
                (failures or Failures()).add(number, error)
                found[number] = None
    return found if is_listed else found[0]


def _in_order_of(series: Mapping[Any, Any], tables: Any, argument: str) -> Any:
    """Return tables of a mapping in the order of the series with the same keys."""
    if not isinstance(tables, Mapping) or not all(map(_is_table, tables.values())):
        return tables  # a list, or the columns of one table
    lacking = [key for key in series if key not in tables]
    if lacking:
        raise ValueError(f"{argument} has no table for the series {lacking[0]!r}")
    return [tables[key] for key in series]


def beside(table: Any, own: Times, place: tuple[str, int], ahead: int) -> Any:
    """Return one table, or a mapping of columns, with a row for each step of a series.

    A step of the history without a row has missing values.

    Parameters
    ----------
    table : frame, mapping of columns, or array
    own : Times
        Of the series.
    place : tuple of str and int
        Name of the argument, and number of the series, in errors.
    ahead : int
        Rows that follow the last step of the series.
    """
    if isinstance(table, Mapping):
        return {name: beside(column, own, place, ahead) for name, column in table.items()}
    times = _times_of(table)
    if times is None:
        _refuse_uncounted(own, place)
        return table
    if not len(own.index):
        return table
    steps = own.with_future(ahead)
    if steps is None:  # of a single time
        last = len(times) - 1 - ahead
        if last < 0 or times[last] != own.index[-1]:
            raise _other_end(times, own, place, ahead)
        return table
    if not len(times) or times[-1] != steps[-1] or len(times) <= ahead:
        raise _other_end(times, own, place, ahead)
    shared = min(len(times), len(steps))
    if times[-shared:].equals(steps[-shared:]):
        return table
    _check_times(times, steps, place, ahead)
    return table.set_axis(times).reindex(steps)


def _refuse_uncounted(own: Times, place: tuple[str, int]) -> None:
    """Refuse a table without times beside a series with absent steps."""
    argument, number = place
    if own.n_absent:
        raise ValueError(
            f"series[{number}] lacks {own.n_absent} of the {own.n_steps} steps from {own.index[0]} "
            f"to {own.index[-1]}, and {argument}[{number}] has no times that say which rows belong "
            "to the others; pass a DataFrame with the times as its index"
        )


def _check_times(times: Any, steps: Any, place: tuple[str, int], ahead: int) -> None:
    """Refuse times that are there twice, or no steps; and steps of the horizon without a time."""
    argument, number = place
    name = f"{argument}[{number}]"
    if not times.is_unique:
        twice = times[times.duplicated()][0]
        raise ValueError(f"{name} has the time {twice} more than once; each step needs one row")
    others = times[(times >= steps[0]) & ~times.isin(steps)]
    if len(others):
        raise ValueError(
            f"{name} has a row of {others[0]}, which is no step of series[{number}]: its steps "
            f"follow each other from {steps[0]} to {steps[-1]}; leave such rows out, or give the "
            "series the same steps, with NaN where it has no value"
        )
    ahead_times = steps[len(steps) - ahead :]
    absent = ahead_times[~ahead_times.isin(times)]
    if len(absent):
        raise ValueError(
            f"{name} has no row of {absent[0]}; known columns need a row for each of the {ahead} "
            "steps of the horizon"
        )


def _other_end(times: Any, own: Times, place: tuple[str, int], ahead: int) -> ValueError:
    """Return the error about a table that does not end a number of rows after its series."""
    argument, number = place
    steps = f" {ahead} steps after it" if ahead else " there too"
    last = f", the last one of {times[-1]}" if len(times) else ""
    return ValueError(
        f"series[{number}] ends at {own.index[-1]}, and {argument}[{number}] has {len(times)} rows"
        f"{last}: its last row must be{steps}"
    )


def _is_table(value: Any) -> bool:
    return hasattr(value, "columns") or isinstance(value, Mapping) or np.ndim(value) == 2


def _times_of(value: Any) -> Any:
    """Return the index of an object of pandas if it holds times; else None."""
    times = index_of_times(getattr(value, "index", None))
    return None if type(times).__name__ == "TimedeltaIndex" else times
