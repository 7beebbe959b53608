"""The wall clock: days, weeks and months are steps of local time, hours are steps of time.

A step of the wall clock may lead to a time that does not exist, because the clock is set forward
then, or that occurs twice, because it is set back. A time that does not exist becomes the first
one after it; of two times with one name the first is meant. Times that a series has stay as they
are.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import tzinfo
from typing import Any, TypeGuard, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.tseries.offsets import BaseOffset, DateOffset, Day, Tick

# Fields of a `DateOffset` that are steps of time.
_HOURS = {"hours", "minutes", "seconds", "milliseconds", "microseconds", "nanoseconds"}


def on_wall_clock(times: pd.Index, step: Any) -> TypeGuard[pd.DatetimeIndex]:
    """Whether times have a zone and the step is a step of its wall clock."""
    if not isinstance(times, pd.DatetimeIndex) or times.tz is None:
        return False
    if isinstance(step, Day):
        return True
    if type(step) is DateOffset and _HOURS & step.kwds.keys():
        return False
    return isinstance(step, BaseOffset) and not isinstance(step, Tick)


def wall_times(times: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Return the times that the wall clock of a zone shows, without the zone.

    Where all times of a series have one time of the day, and some were moved because they do not
    exist, these are moved back.

    Examples
    --------
    >>> days = pd.DatetimeIndex(["2024-04-25 00:00", "2024-04-26 01:00", "2024-04-27 00:00"])
    >>> wall_times(days.tz_localize("Africa/Cairo")).hour.tolist()
    [0, 0, 0]
    """
    wall = times.tz_localize(None)
    if times.tz is None:
        return wall
    clock, counts = np.unique((wall - wall.normalize()).to_numpy(), return_counts=True)
    if len(clock) < 2:
        return wall
    usual = wall.normalize() + clock[counts.argmax()]
    odd = usual != wall
    return usual.as_unit(times.unit) if _was_moved(usual[odd], times[odd]).all() else wall


def _was_moved(wall: pd.DatetimeIndex, times: pd.DatetimeIndex) -> NDArray[np.bool_]:
    """Whether each wall time does not exist, and became the time by one of the two customs.

    It becomes the first time after it, or is set forward like the clock.
    """
    second = pd.Timedelta(1, unit="s")
    first = local_times(wall, times.tz)
    after, before = first.tz_localize(None), (first - second).tz_localize(None) + second
    shown = times.tz_localize(None)
    missing = (before <= wall) & (wall < after)
    return np.asarray(missing & ((shown == after) | (shown == wall + (after - before))))


def local_times(
    wall: pd.DatetimeIndex, zone: tzinfo | str | None, second: bool = False
) -> pd.DatetimeIndex:
    """Return the times when the wall clock of a zone shows given times, the first or the second."""
    first = np.full(len(wall), not second)
    return wall.tz_localize(zone, ambiguous=first, nonexistent="shift_forward")


def wall_grid(
    times: pd.DatetimeIndex, grid_of: Callable[[pd.DatetimeIndex], pd.Index | None]
) -> pd.DatetimeIndex | None:
    """Return the grid that `grid_of` makes of wall times, as times of the zone.

    Return None if it makes none, or if two times of the series are one time of the wall clock.
    """
    wall = wall_times(times)
    grid = grid_of(wall) if wall.is_unique else None
    if not isinstance(grid, pd.DatetimeIndex):
        return None
    stamps = local_times(grid.as_unit(times.unit), times.tz).asi8.copy()
    stamps[grid.get_indexer(wall)] = times.asi8
    utc = pd.DatetimeIndex(stamps.view(f"datetime64[{times.unit}]")).tz_localize("UTC")
    return utc.tz_convert(times.tz)


def last_time(times: pd.Index, earlier: pd.Index) -> pd.Index:
    """Return the last time of a series; and the one before it too, if the last was moved.

    A time that was moved because it does not exist does not tell the time of the day.

    Examples
    --------
    >>> days = pd.DatetimeIndex(["2024-04-25 00:00", "2024-04-26 01:00"], tz="Africa/Cairo")
    >>> len(last_time(days, days[:0])), len(last_time(days[1:], days[:1]))
    (2, 2)
    """
    last = times[-1:]
    if not isinstance(times, pd.DatetimeIndex) or times.tz is None:
        return last
    if len(times) == 1:
        times = cast(pd.DatetimeIndex, earlier[earlier < last[0]].append(last))
    shown = times[-1].tz_localize(None)
    return last if wall_times(times)[-1] == shown else times[-2:]
