"""The times of all series of a gallery: one calendar that most of them share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from timer_forecaster.report.numbers import as_counts, in_runs


def packed_times(axes: Sequence[pd.Index]) -> tuple[list[dict[str, Any]], list[list[int]]]:
    """Return calendars, and for each series its calendar and the place of its first time there.

    All times together make the first calendar. A series whose times are a stretch of it needs no
    other one.

    Parameters
    ----------
    axes : sequence of pandas.Index
        The times of each series.

    Examples
    --------
    >>> days = pd.date_range("2024-01-01", periods=9)
    >>> calendars, places = packed_times([days[:5], days[2:]])
    >>> len(calendars), places
    (1, [[0, 0], [0, 2]])
    """
    counted = [as_counts(times) for times in axes]
    units = {unit for _, unit in counted}
    shared = np.unique(np.concatenate([counts for counts, _ in counted]))
    order = ("number", "month", "day", "minute", "second")
    calendars = [{"u": max(units, key=order.index), **in_runs(shared)}]
    if "number" in units and len(units) > 1:
        shared = shared[:0]
    places = []
    for counts, unit in counted:
        place = int(np.searchsorted(shared, counts[0])) if len(counts) else 0
        if np.array_equal(shared[place : place + len(counts)], counts):
            places.append([0, place])
        else:
            places.append([len(calendars), 0])
            calendars.append({"u": unit, **in_runs(counts)})
    return calendars, places
