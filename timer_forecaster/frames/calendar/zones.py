"""Time zones that stamps show: by their offsets from UTC, or as local days stored in UTC.

Zones that fit equally are tried in a fixed order, the best known first, so that the same stamps
always show the same zone.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache
from typing import cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from timer_forecaster.frames.calendar.clock import wall_times

# One for each rule that is in use, before others with the same rule.
_BEST_KNOWN = (
    "Europe/Berlin Europe/London Europe/Helsinki America/New_York America/Chicago America/Denver "
    "America/Los_Angeles America/Anchorage America/Halifax America/St_Johns America/Sao_Paulo "
    "America/Santiago America/Mexico_City America/Asuncion America/Havana Australia/Sydney "
    "Australia/Adelaide Australia/Lord_Howe Pacific/Auckland Pacific/Chatham Asia/Jerusalem "
    "Asia/Beirut Africa/Cairo Europe/Chisinau Europe/Moscow Europe/Istanbul Asia/Tehran "
    "Asia/Amman Asia/Damascus Africa/Casablanca Atlantic/Azores America/Nuuk"
).split()

# Local days that are stored in UTC are of unequal length where the clock changes. In seconds.
_DAY = 24 * 3600
SHORTEST_DAY = 22 * 3600
LARGEST_CHANGE = 3 * 3600

# Where the time of the day is not midnight, zones fit that change their clocks in other weeks. So
# the changes must be known to about a week.
_NEAR = 8 * _DAY

_CHANGES_OF_A_SAMPLE = 20


@lru_cache(maxsize=1)
def _zones() -> tuple[str, ...]:
    """Return the names of all zones of places, the best known first."""
    places = (name for name in available_timezones() if "/" in name and not name[0].islower())
    others = sorted(name for name in places if not name.startswith(("Etc/", "SystemV/")))
    return tuple(dict.fromkeys([*(name for name in _BEST_KNOWN if name in others), *others]))


def zone_named(name: str) -> ZoneInfo:
    """Return the zone of a name.

    Raises
    ------
    ValueError
        If there is none.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError, TypeError) as error:
        raise ValueError(
            f"timezone={name!r} is no time zone: use a name such as 'Europe/Berlin' or 'UTC'"
        ) from error


def zone_of_offsets(times: pd.DatetimeIndex, offsets: pd.TimedeltaIndex) -> ZoneInfo | None:
    """Return the zone in which the clock has given offsets from UTC at given times.

    Parameters
    ----------
    times : pandas.DatetimeIndex
        In UTC.
    offsets : pandas.TimedeltaIndex

    Examples
    --------
    >>> times = pd.DatetimeIndex(["2024-03-30 23:00", "2024-03-31 22:00"], tz="UTC")
    >>> zone_of_offsets(times, pd.TimedeltaIndex(["1h", "2h"])).key
    'Europe/Berlin'
    """
    order = times.argsort()
    times, offsets = times[order], offsets[order]
    sample = _sample(np.diff(offsets.asi8))
    moments, shown = _moments(times[sample]), offsets[sample].to_pytimedelta()
    for zone in map(ZoneInfo, _zones()):
        if _offsets(zone, moments) == list(shown):
            local = times.tz_convert(zone).tz_localize(None)
            if (local - times.tz_localize(None) == offsets).all():
                return zone
    return None


def zone_of_days(times: pd.DatetimeIndex) -> ZoneInfo | None:
    """Return the zone in whose local time sorted times in UTC have one time of the day.

    Return None if the times have one time of the day in UTC, if they are no days, or if no zone
    is evident.

    Examples
    --------
    >>> times = pd.DatetimeIndex(["2024-03-29 23:00", "2024-03-30 23:00", "2024-03-31 22:00"])
    >>> zone_of_days(times.tz_localize("UTC")).key
    'Europe/Berlin'
    """
    seconds = times.as_unit("s").asi8
    steps = np.diff(seconds)
    if len(times) < 3 or steps.min() < SHORTEST_DAY:
        return None
    clock = (seconds - seconds[0] + _DAY // 2) % _DAY
    if not 0 < np.ptp(clock) <= LARGEST_CHANGE:
        return None
    sample = _sample(np.diff(clock))
    moments, shown = _moments(times[sample]), seconds[sample]
    near = steps[np.diff(clock) != 0].max() <= _NEAR
    second_best = None
    for zone in map(ZoneInfo, _zones()):
        offsets = [round(offset.total_seconds()) for offset in _offsets(zone, moments)]
        clocks = (shown + offsets) % _DAY
        wall, counts = np.unique(clocks, return_counts=True)
        odd = np.flatnonzero(clocks != wall[counts.argmax()])
        if not all(_set_forward(zone, moments[place]) for place in odd):
            continue
        at_midnight = wall[counts.argmax()] == 0
        if (at_midnight or (near and second_best is None)) and _has_one_clock(times, zone):
            if at_midnight:
                return zone
            second_best = zone
    return second_best


def _set_forward(zone: ZoneInfo, moment: datetime) -> bool:
    """Whether the clock was set forward shortly before, so that a time may have been moved."""
    before, after = _offsets(zone, [moment - timedelta(seconds=LARGEST_CHANGE), moment])
    return before < after


def _has_one_clock(times: pd.DatetimeIndex, zone: ZoneInfo) -> bool:
    wall = wall_times(times.tz_convert(zone))
    return (wall - wall.normalize()).nunique() == 1


def _sample(differences: NDArray[np.int64]) -> NDArray[np.intp]:
    """Return the places that tell most zones apart: the ends, and both sides of changes."""
    changes = np.flatnonzero(differences)
    some = changes[:: 1 + len(changes) // _CHANGES_OF_A_SAMPLE]
    return np.unique([0, *some, *(some + 1), len(differences)]).astype(np.intp)


def _moments(times: pd.DatetimeIndex) -> list[datetime]:
    """Return times in UTC as objects whose offsets are quick to find."""
    return list(times.floor("us").to_pydatetime())


def _offsets(zone: ZoneInfo, moments: list[datetime]) -> list[timedelta]:
    return [cast(timedelta, moment.astimezone(zone).utcoffset()) for moment in moments]
