"""A column of clock times or hours beside a column of dates, which belong together."""

from __future__ import annotations

from collections.abc import Hashable
from typing import cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

_CLOCK = r"[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?"
_LAST_HOUR = 24

# Of the rows may share their date and clock time, such as the hour that the clock shows twice.
_SHARE_OF_TWINS = 0.01


def clock_column(
    frame: pd.DataFrame,
    dates: NDArray[np.int64],
    instance: NDArray[np.intp],
    taken: tuple[Hashable, Hashable | None],
) -> Hashable | None:
    """Return the first column whose clock times or hours tell rows of one date apart, else None.

    Hours are whole numbers from 0 to 24 that most dates have at even distances.

    Parameters
    ----------
    frame : pandas.DataFrame
    dates : ndarray of int, shape (rows,)
        Equal numbers are equal dates.
    instance : ndarray of int, shape (rows,)
        Equal numbers are one series.
    taken : tuple of hashable
        Columns of the time and the ids.

    Examples
    --------
    >>> frame = pd.DataFrame({"day": [1, 1, 2, 2], "sold": [8, 3, 4, 4], "hour": [1, 2, 1, 2]})
    >>> clock_column(frame, frame["day"].to_numpy(), np.zeros(4, int), ("day", None))
    'hour'
    """
    group = np.unique(np.column_stack([instance, dates]), axis=0, return_inverse=True)[1].ravel()
    for name in frame.columns:
        if name in taken:
            continue
        column = frame[name]
        if column.isna().any():
            continue
        is_clock = _are_clock_times(column)
        if not is_clock and not _are_hours(column, group):
            continue
        codes = pd.factorize(column.astype(str))[0]
        if pd.DataFrame({"group": group, "code": codes}).duplicated().mean() < _SHARE_OF_TWINS:
            return cast(Hashable, name)
    return None


def _are_clock_times(column: pd.Series) -> bool:
    if pd.api.types.is_numeric_dtype(column.dtype) or column.dtype.kind in "mM":
        return False
    return bool(column.astype(str).str.fullmatch(_CLOCK).all())


def _are_hours(column: pd.Series, group: NDArray[np.intp]) -> bool:
    """Whether a column has whole numbers from 0 to 24, evenly in most of the groups of rows."""
    numbers = pd.to_numeric(column, errors="coerce") if column.dtype.kind != "b" else column
    if column.dtype.kind in "bmM" or not numbers.between(0, _LAST_HOUR).all():
        return False
    hours = numbers.to_numpy(dtype=np.float64)
    if (hours % 1 != 0).any():
        return False
    order = np.lexsort((hours, group))
    hours, group = hours[order], group[order]
    inner = np.diff(group) == 0
    distances = np.diff(hours)[inner]
    usual = pd.Series(distances).mode()
    return len(distances) >= len(column) / 2 and bool((distances == usual.iloc[0]).mean() > 0.5)
