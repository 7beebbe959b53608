"""Time zones that stamps show: by their offsets from UTC, or as local days stored in UTC.

Zones that fit equally are tried in a fixed order, the best known first, so that the same stamps
always show the same zone.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from timer_forecaster.frames.clock import wall_times

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
_SHORTEST_DAY = 22 * 3600
_LARGEST_CHANGE = 3 * 3600

# Where the time of the day is not midnight, zones fit that change their clocks in other weeks. So
# the changes must be known to about a week.
_NEAR = 8 * _DAY

_CHANGES_OF_A_SAMPLE = 20

Places = NDArray[np.intp]


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
    changes = np.flatnonzero(np.diff(offsets.asi8) != 0)

    def fits(zone: ZoneInfo, places: Places) -> bool:
        utc = times[places]
        local = utc.tz_convert(zone).tz_localize(None) - utc.tz_localize(None)
        return bool((local == offsets[places]).all())

    return _first_that(fits, _samples(len(times), changes))


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
    if len(times) < 3 or steps.min() < _SHORTEST_DAY:
        return None
    clock = (seconds - seconds[0] + _DAY // 2) % _DAY
    if not 0 < np.ptp(clock) <= _LARGEST_CHANGE:
        return None
    changes = np.flatnonzero(np.diff(clock) != 0)
    samples = _samples(len(times), changes)

    def clocks(zone: ZoneInfo, places: Places) -> pd.TimedeltaIndex:
        wall = wall_times(times[places].tz_convert(zone))
        return (wall - wall.normalize()).unique()

    def at_midnight(zone: ZoneInfo, places: Places) -> bool:
        shown = clocks(zone, places)
        return len(shown) == 1 and shown[0] == pd.Timedelta(0)

    found = _first_that(at_midnight, samples)
    if found is None and steps[changes].max() <= _NEAR:
        return _first_that(lambda zone, places: len(clocks(zone, places)) == 1, samples)
    return found


def _samples(count: int, changes: Places) -> tuple[Places, Places]:
    """Return the places that tell most zones apart, the ends and both sides of changes; and all."""
    some = changes[:: 1 + len(changes) // _CHANGES_OF_A_SAMPLE]
    return np.unique([0, *some, *(some + 1), count - 1]).astype(np.intp), np.arange(count)


def _first_that(
    fits: Callable[[ZoneInfo, Places], bool], samples: tuple[Places, Places]
) -> ZoneInfo | None:
    """Return the first zone that fits at a sample of places, and then at all of them."""
    for name in _zones():
        zone = ZoneInfo(name)
        if all(fits(zone, places) for places in samples):
            return zone
    return None
