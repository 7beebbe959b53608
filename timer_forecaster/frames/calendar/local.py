"""Local days that are stored in UTC: walked on the clock of their zone, and given back in UTC."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from timer_forecaster.frames.calendar.axes import Axes
from timer_forecaster.frames.calendar.clock import wall_times
from timer_forecaster.frames.calendar.opening import PER_UNIT
from timer_forecaster.frames.calendar.zones import LARGEST_CHANGE, SHORTEST_DAY, zone_of_days


def on_local_clock(times: pd.Index) -> pd.Index:
    """Return the sorted times of a series in the zone whose days they are, if they show one.

    Times with a zone in which they have one time of the day stay as they are, as do times that
    are no days.

    Parameters
    ----------
    times : pandas.Index
        Dates without a zone are taken as UTC.

    Examples
    --------
    >>> stored = pd.DatetimeIndex(["2024-03-29 23:00", "2024-03-30 23:00", "2024-03-31 22:00"])
    >>> on_local_clock(stored).hour.tolist()
    [0, 0, 0]
    """
    if not isinstance(times, pd.DatetimeIndex):
        return times
    if times.tz is not None:
        wall = wall_times(times)
        if (wall - wall.normalize()).nunique() == 1:
            return times
    utc = times.tz_localize("UTC") if times.tz is None else times.tz_convert("UTC")
    zone = zone_of_days(utc)
    return times if zone is None else utc.tz_convert(zone)


def on_local_clocks(axes: Sequence[pd.Index]) -> Sequence[pd.Index]:
    """Return `on_local_clock` of each axis."""
    if not isinstance(axes, Axes):
        return [on_local_clock(axis) for axis in axes]
    if not isinstance(axes.joined, pd.DatetimeIndex):
        return axes
    second = 10**9 // PER_UNIT[axes.joined.unit]
    day = 24 * 3600 * second
    clock = (axes.stamps - axes.spread(axes.firsts) + day // 2) % day
    ranges = axes.each(np.maximum, clock) - axes.each(np.minimum, clock)
    days = (axes.shortest() > (SHORTEST_DAY - 1) * second) & (axes.sizes >= 3)
    asked = days & (ranges > 0) & (ranges < (LARGEST_CHANGE + 1) * second)
    if not asked.any():
        return axes
    return [
        on_local_clock(axis) if is_asked else axis
        for axis, is_asked in zip(axes, asked, strict=True)
    ]


def like(times: pd.Index, dtype: Any) -> pd.Index:
    """Return times that were walked on a local clock in the representation of a column.

    Parameters
    ----------
    times : pandas.Index
    dtype : dtype
        Of the column that `on_local_clock` took times from.
    """
    if not isinstance(times, pd.DatetimeIndex) or times.tz is None:
        return times
    return times.tz_convert(getattr(dtype, "tz", None))


def clock_mark(times: pd.Index) -> Hashable:
    """Return a mark that series share which end at one time of one clock."""
    if not isinstance(times, pd.DatetimeIndex) or times.tz is None:
        return times[-1]
    return times[-1], wall_times(times)[-1], str(times.tz)
