"""Quick forms of sktime's checks of a panel, which look at its instances one by one.

Each instance must be sorted by time. That is seen here for all instances at once. sktime then
checks the first row, whose type, columns and index levels are those of the whole panel.
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pandas as pd


def is_sorted_panel(y: Any) -> bool:
    """Whether data are a frame of several instances, of which each is sorted by time.

    The answer is False also where this cannot be seen quickly.
    """
    if not isinstance(y, pd.DataFrame) or not isinstance(y.index, pd.MultiIndex) or y.empty:
        return False
    if not y.index.levels[-1].is_monotonic_increasing:
        return False
    *outer, time = (np.asarray(codes, dtype=np.int64) for codes in y.index.codes)
    if min(codes.min() for codes in (*outer, time)) < 0:
        return False
    instance = np.ravel_multi_index(tuple(outer), tuple(map(len, y.index.levels[:-1])))
    order = np.argsort(instance, kind="stable")
    same = np.diff(instance[order]) == 0
    return bool((np.diff(time[order])[same] >= 0).all())


def latest_time(y: pd.DataFrame) -> pd.Index:
    """Return the latest time of a sorted panel as sktime's cutoff: an index of one time."""
    index = cast(pd.MultiIndex, y.index)
    times = index.levels[-1]
    latest = times.take([int(np.max(index.codes[-1]))]).rename(None)
    freq = getattr(times, "freq", None)
    if isinstance(latest, pd.DatetimeIndex) and freq is not None:
        return pd.DatetimeIndex(latest, freq=freq)
    return latest
