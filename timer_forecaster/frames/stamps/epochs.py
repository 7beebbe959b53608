"""Numbers that count time from an origin: Unix time, and the day numbers of spreadsheets."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from timer_forecaster.frames.calendar.zones import zone_named
from timer_forecaster.frames.stamps.readings import coverage

# In seconds since 1970: 1990 to 2100.
_FIRST, _LAST = 631_152_000, 4_102_444_800

_UNITS = {
    "seconds": ("s", 1, 60),
    "milliseconds": ("ms", 1000, 1000),
    "microseconds": ("us", 10**6, 10**6),
    "nanoseconds": ("ns", 10**9, 10**9),
}
"""The unit in numpy, how many make a second, and of which number round times are multiples."""

# Day numbers of Excel: 1954 to 2119.
_DAYS = (20_000, 80_000)
_ORIGIN = "1899-12-30"
_FEWEST_DAYS = 4
_WORKED = 0.8  # Share of all days that Monday to Friday are less than, with few gaps.


class Counted(NamedTuple):
    """Numbers of a column that can count time from an origin."""

    name: str
    times: pd.DatetimeIndex
    evident: bool  # whether the column shows that they do
    advice: str


def unix_of(numbers: NDArray[Any], timezone: str | None = None) -> Counted | None:
    """Return sorted distinct numbers as Unix time; None if they are of no plausible size.

    They are evidently that if all are whole minutes, or whole seconds in smaller units, or if
    the times are regular where the numbers are not, as months are. They count from an instant: with
    a zone, the times are those that its clock shows; without one, they are in UTC and have no zone.

    Examples
    --------
    >>> counted = unix_of(np.array([1577836800, 1580515200, 1583020800]))
    >>> counted.name, counted.evident, str(counted.times[1])
    ('seconds since 1970', True, '2020-02-01 00:00:00')
    >>> str(unix_of(np.array([1577836800]), "Europe/Berlin").times[0])
    '2020-01-01 01:00:00+01:00'
    """
    for name, (unit, per_second, round_to) in _UNITS.items():
        if _FIRST * per_second <= numbers[0] and numbers[-1] <= _LAST * per_second:
            parts = per_second if unit == "ns" else 10**6 // per_second
            scale = parts if numbers.dtype.kind == "f" and unit != "ns" else 1
            stamps = np.round(numbers * scale).astype("int64")
            times = pd.DatetimeIndex(stamps.view(f"datetime64[{unit if scale == 1 else 'us'}]"))
            advice = f"pd.to_datetime(t, unit={unit!r})"
            if timezone is not None:
                times = times.tz_localize("UTC").tz_convert(zone_named(timezone))
                advice = f"pd.to_datetime(t, unit={unit!r}, utc=True)"
            is_round = bool((numbers % round_to == 0).all())
            evident = is_round or _is_more_regular(times, numbers)
            return Counted(f"{name} since 1970", times, evident, advice)
    return None


def days_of(numbers: NDArray[Any]) -> Counted | None:
    """Return sorted distinct numbers as day numbers of Excel; None if of no plausible size.

    They are evidently that if they are months, or Monday to Friday without weekends. A count of
    days that is regular as it stands is a count.

    Examples
    --------
    >>> counted = days_of(np.array([45292, 45323, 45352, 45383]))
    >>> counted.evident, str(counted.times[0].date())
    (True, '2024-01-01')
    """
    if numbers[0] < _DAYS[0] or numbers[-1] > _DAYS[1]:
        return None
    seconds = np.round(numbers * 86400.0).astype("int64").astype("timedelta64[s]")
    times = pd.DatetimeIndex(np.datetime64(_ORIGIN, "s") + seconds)
    enough = len(numbers) >= _FEWEST_DAYS and numbers.dtype.kind != "f"
    evident = enough and _is_more_regular(times, numbers)
    advice = f"pd.to_datetime(t, unit='D', origin={_ORIGIN!r}).dt.round('s')"
    return Counted("day numbers of Excel", times, evident, advice)


def _is_more_regular(times: pd.DatetimeIndex, numbers: NDArray[Any]) -> bool:
    if numbers.dtype.kind == "f":
        return False
    return coverage(times) == 1 and coverage(pd.Index(numbers)) < _WORKED
