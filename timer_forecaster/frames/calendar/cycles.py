"""Numbers of weeks, months or hours that begin anew: sorted, they would be in a wrong order."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

_ENDS = {1: {4, 7, 12, 24, 28, 29, 30, 31, 48, 52, 53, 96, 365, 366}, 0: {6, 11, 23, 47, 95}}
"""Last number of a cycle, by its first one: quarters, weekdays, months, hours, weeks, days."""


def begins_anew(times: pd.Index, rows: NDArray[np.intp]) -> str | None:
    """Return why times are refused if the rows count to the end of a cycle and begin anew.

    Parameters
    ----------
    times : pandas.Index
        Integer times of a series, increasing.
    rows : ndarray of int
        Number of the row of each time.

    Examples
    --------
    >>> begins_anew(pd.Index([1, 2, 11, 12]), np.array([2, 3, 0, 1]))
    'after data row 2, 12, the numbers begin anew with 1; write dates, or count on with 13; ...'
    """
    if len(times) < 2 or len(times) != len(rows) or times[-1] not in _ENDS.get(int(times[0]), ()):
        return None
    breaks = np.flatnonzero(np.diff(rows) < 0)
    if len(breaks) != 1 or rows[0] < rows[-1]:
        return None
    parts = times[: breaks[0] + 1], times[breaks[0] + 1 :]
    if any((np.diff(part.to_numpy(dtype=np.int64)) != 1).any() for part in parts):
        return None
    return (
        f"after data row {int(rows[-1]) + 1}, {times[-1]}, the numbers begin anew with {times[0]}; "
        f"write dates, or count on with {times[-1] + 1}; sort the rows by the time if their order "
        "means nothing"
    )
