"""Times of series: a history, and the times that continue it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.fuzz.draw import Draw

FIXED = ("s", "min", "5min", "15min", "30min", "h", "2h", "6h", "12h", "D", "7D", "90min", "10D")
CALENDAR = (
    "B", "W-SUN", "W-MON", "W-WED", "MS", "ME", "QS-JAN", "QS-FEB", "QE-DEC", "QE-NOV", "YS-JAN",
    "YE-DEC", "YS-APR", "2MS", "3ME", "BMS", "BME",
)  # fmt: skip
ZONES = (
    "UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe",
    "America/Santiago", "Africa/Cairo",
)  # fmt: skip
CHANGES = ("2023-03-20", "2023-10-20", "2024-03-05", "2024-03-25", "2024-10-30", "2024-04-01")
PERIODS = ("h", "D", "M", "Q-DEC", "Y-DEC", "W-SUN", "W-WED", "15min", "B")
CLOSED = ("Mon-Sat", "Sun-Thu", "Tue-Sun", "Mon-Thu", "Mon Wed Fri", "hours 9-17", "hours 8-20")
STARTS = (
    "2024-01-01", "2023-02-27", "1999-12-28", "2020-02-25", "1969-12-30", "2031-11-30",
    "1850-03-01", "2255-06-01",
)  # fmt: skip

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@dataclass
class Clock:
    """Times of a history and of the steps after it.

    Parameters
    ----------
    label : str
        The kind of times, for the name of a failure.
    history, future : pandas.Index
    freq : str, int or None
        What a user passes as ``freq``; None where it cannot be said.
    """

    label: str
    history: pd.Index
    future: pd.Index
    freq: str | int | None


def some_clock(draw: Draw, n: int, horizon: int, kind: str | None = None) -> Clock:
    """Return times of a kind."""
    weights = {"fixed": 30, "calendar": 25, "zone": 15, "period": 10, "integer": 10, "closed": 8}
    kind = draw.weighted(weights) if kind is None else kind
    if kind == "integer":
        return _integers(draw, n, horizon)
    if kind == "closed":
        return _closed(draw, n, horizon)
    if kind == "period":
        freq = draw.pick(PERIODS)
        start = pd.Period(draw.pick(STARTS), freq=freq)
        times: pd.Index = pd.period_range(start, periods=n + horizon, freq=freq)
        return Clock(f"periods {freq}", times[:n], times[n:], None)
    if kind == "zone":
        return _zone(draw, n, horizon)
    freq = draw.pick(FIXED if kind == "fixed" else CALENDAR)
    offset = f" {draw.integer(0, 23):02}:30" if freq in ("h", "15min", "D") else ""
    times = pd.date_range(draw.pick(STARTS) + offset, periods=n + horizon, freq=freq)
    return Clock(freq, times[:n], times[n:], freq)


def _integers(draw: Draw, n: int, horizon: int) -> Clock:
    step = draw.pick([1, 1, 1, 2, 5, 7, 100])
    start = draw.pick([0, 1, -5, 17, 1000, 10**12])
    times = pd.Index(start + step * np.arange(n + horizon))
    return Clock(f"integers by {step}", times[:n], times[n:], step)


def _zone(draw: Draw, n: int, horizon: int) -> Clock:
    """Return times of a zone, often over a change of its clock."""
    zone, freq = draw.pick(ZONES), draw.pick(["h", "15min", "D", "W-MON", "MS"])
    start = pd.Timestamp(draw.pick(CHANGES))
    hour = draw.pick([0, 0, 2, 12]) if freq in ("D", "W-MON", "MS") else 0
    try:
        if freq in ("h", "15min"):
            begin = start.tz_localize(zone, nonexistent="shift_forward", ambiguous=True)
            times = pd.date_range(begin, periods=n + horizon, freq=freq)
        else:
            wall = pd.date_range(start + pd.Timedelta(hours=hour), periods=n + horizon, freq=freq)
            times = wall.tz_localize(zone)
    except ValueError:  # a midnight that does not exist
        times = pd.date_range(start, periods=n + horizon, freq=freq, tz="UTC")
    label = f"{freq} in a zone" if freq in ("D", "W-MON", "MS") else f"{freq} in UTC steps"
    return Clock(label, times[:n], times[n:], freq)


def _closed(draw: Draw, n: int, horizon: int) -> Clock:
    """Return the open days or hours of some weeks."""
    pattern = draw.pick(CLOSED)
    start = pd.Timestamp(draw.pick(STARTS[:3]))
    if pattern.startswith("hours"):
        first, last = map(int, pattern.removeprefix("hours ").split("-"))
        days = -(-(max(n, 29 * (last - first)) + horizon) // (last - first)) + 1
        times = pd.date_range(start, periods=24 * days, freq="h")
        times = times[(times.hour >= first) & (times.hour < last)]
    else:
        days = (max(n, 42) + horizon) * 3
        times = pd.date_range(start, periods=days, freq="D")
        times = times[np.isin(times.dayofweek, _open_days(pattern))]
    n = len(times) - horizon if pattern.startswith("hours") else max(n, 42)
    return Clock(f"closed: {pattern}", times[:n], times[n : n + horizon], None)


def _open_days(pattern: str) -> list[int]:
    if "-" not in pattern:
        return [_DAYS.index(day) for day in pattern.split()]
    first, last = map(_DAYS.index, pattern.split("-"))
    return [(first + i) % 7 for i in range((last - first) % 7 + 1)]


def same_times(got: pd.Index, wanted: pd.Index) -> bool:
    """Whether times are equal; integers may be of any type, time stamps of any unit."""
    if len(got) != len(wanted):
        return False
    if isinstance(wanted, pd.PeriodIndex):
        if isinstance(got, pd.DatetimeIndex):  # objects may be read as the times of their starts
            wanted = wanted.start_time
        return type(got) is type(wanted) and bool((got == wanted).all())
    if not isinstance(wanted, pd.DatetimeIndex):
        return pd.api.types.is_integer_dtype(got.dtype) and list(got) == list(wanted)
    if not isinstance(got, pd.DatetimeIndex) or (got.tz is None) != (wanted.tz is None):
        return False
    return bool((got == wanted).all())


def typed(draw: Draw, times: pd.Index) -> tuple[str, Any]:
    """Return times in another type that holds them, with its name."""
    if isinstance(times, pd.PeriodIndex):
        return draw.pick([("periods", times), ("objects of periods", times.astype(object))])
    if not isinstance(times, pd.DatetimeIndex):
        kind = draw.pick(["int64", "int32", "Int64", "float64", "object", "str", "int64[pyarrow]"])
        if kind == "int32" and abs(times[-1]) > 2**30:
            kind = "int64"
        return f"integers as {kind}", pd.Series(times).astype(kind).to_numpy(copy=True) if (
            kind in ("int64", "int32", "float64", "object")
        ) else pd.Series(times).astype(kind).array
    choices: dict[str, Any] = {
        "stamps": lambda: times,
        "stamps in seconds": lambda: times.as_unit("s"),
        "objects of stamps": lambda: times.astype(object),
        "datetimes": lambda: np.array(times.to_pydatetime(), dtype=object),
        "Arrow stamps": lambda: (
            pd.Series(times)
            .astype(
                "timestamp[us{}][pyarrow]".format("" if times.tz is None else f", tz={times.tz}")
            )
            .array
        ),
    }
    if times.tz is None and (times == times.normalize()).all():
        choices["dates"] = lambda: np.array([one.date() for one in times], dtype=object)
        choices["Arrow dates"] = lambda: pd.Series(times).astype("date32[pyarrow]").array
    if times.tz is None:
        choices["texts"] = lambda: np.array(times.astype(str), dtype=object)
        choices["string"] = lambda: pd.Series(times).dt.strftime("%Y-%m-%d %H:%M:%S").array
        choices["categories"] = lambda: pd.Categorical(times)
    name = draw.pick(list(choices))
    return name, choices[name]()
