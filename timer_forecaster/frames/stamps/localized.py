"""Local times without an offset, given a time zone."""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np
import pandas as pd

from timer_forecaster.frames.calendar.clock import local_times
from timer_forecaster.frames.calendar.zones import zone_named
from timer_forecaster.frames.stamps.doubled import told_apart
from timer_forecaster.frames.stamps.doubts import row_error


def in_zone(
    times: pd.Series, timezone: str, column: Hashable, series: pd.Series | None = None
) -> pd.Series:
    """Return times in a zone: dates without one are local times of it, others are converted.

    Where the clock is set back, an hour occurs twice: its times mean the first one, until a series
    goes back or repeats one. Rows may be newest first. A time that does not exist becomes the first
    one after it.

    Parameters
    ----------
    times : pandas.Series of datetime64
        Each series in the order of its times where hours occur twice, oldest or newest first.
    timezone : str
        Such as "Europe/Berlin".
    column : hashable
        Name of the column, for errors.
    series : pandas.Series, optional
        The id of each row, if there are several series.

    Raises
    ------
    ValueError
        If there is no such zone, if the column holds no dates, if the order of rows does not tell
        which of two hours of one name they mean, or if a time does not exist while the time that it
        would become is there.

    Examples
    --------
    >>> hours = pd.Series(pd.to_datetime(["2024-10-27 02:00", "2024-10-27 02:00"]))
    >>> in_zone(hours, "Europe/Berlin", "hour").astype(str).tolist()
    ['2024-10-27 02:00:00+02:00', '2024-10-27 02:00:00+01:00']
    """
    zone = zone_named(timezone)
    if isinstance(times.dtype, pd.DatetimeTZDtype):
        return times.dt.tz_convert(zone)
    if times.dtype.kind != "M":
        raise ValueError(
            f"timezone={timezone!r}: time column {column!r} holds {times.dtype}, not dates; leave "
            "timezone out"
        )
    wall = pd.DatetimeIndex(times)
    first, second = local_times(wall, zone), local_times(wall, zone, second=True)
    twice = np.asarray(first != second)
    again, unclear = told_apart(wall, twice, series)
    if unclear.any():
        raise row_error(
            times,
            unclear,
            column,
            f"occurs twice in {timezone}, where the clock is set back, and the order of the rows "
            "does not tell which one is meant; sort the rows by time, or give times with offsets "
            "from UTC",
        )
    local = first.where(~again, second)
    moved = np.asarray(local.tz_localize(None) != wall)
    there = moved & np.isin(local.asi8, local.asi8[~moved])
    if there.any():
        raise row_error(
            times,
            there,
            column,
            f"does not exist in {timezone}, where the clock is set forward; give another "
            "timezone, or times with their offset from UTC",
        )
    return pd.Series(local, index=times.index, name=times.name)
