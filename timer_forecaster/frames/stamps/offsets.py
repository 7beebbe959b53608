"""Offsets from UTC at the end of texts, and the zone that they show."""

from __future__ import annotations

from collections.abc import Hashable
from datetime import timezone as fixed
from datetime import tzinfo

import numpy as np
import pandas as pd

from timer_forecaster.frames.calendar.zones import zone_named, zone_of_offsets
from timer_forecaster.frames.stamps.readings import coverage

_OFFSET = (
    r"^(?P<wall>.*(?:\d:\d\d.*|[T ]\d{1,6}|[AaPp]\.?[Mm]\.?))\s*"
    r"(?P<zone>Z|UTC|GMT|(?:UTC|GMT)?\s?(?P<sign>[+-])(?P<hours>\d{1,2})(?::?(?P<minutes>\d{2}))?)$"
)
_LARGEST = pd.Timedelta(hours=14)

# Without a zone that explains them, more offsets than these are no offsets, but ends of intervals.
_MOST_OFFSETS = 3
_REGULAR = 0.5


def split_offsets(texts: pd.Series) -> tuple[pd.Series, pd.TimedeltaIndex]:
    """Return texts without their offsets from UTC, and the offsets, NaT where there is none.

    Examples
    --------
    >>> texts = pd.Series(["2024-01-01 12:00+01:00", "2024-01-01T12:00Z", "2024-01-01"])
    >>> wall, offsets = split_offsets(texts)
    >>> wall.tolist()
    ['2024-01-01 12:00', '2024-01-01T12:00', '2024-01-01']
    >>> (offsets / pd.Timedelta(hours=1)).tolist()
    [1.0, 0.0, nan]
    """
    parts = texts.str.extract(_OFFSET)
    numbers = parts[["hours", "minutes"]].astype("float64").fillna(0.0)
    minutes = (numbers["hours"] * 60 + numbers["minutes"]) * np.where(parts["sign"] == "-", -1, 1)
    offsets = pd.to_timedelta(minutes.where(parts["zone"].notna()), unit="min")
    offsets = offsets.where(offsets.abs() <= _LARGEST)
    wall = parts["wall"].where(offsets.notna(), texts).str.rstrip()
    return wall, pd.TimedeltaIndex(offsets)


def with_offsets(
    wall: pd.DatetimeIndex,
    offsets: pd.TimedeltaIndex,
    column: Hashable,
    timezone: str | None = None,
) -> pd.DatetimeIndex:
    """Return wall times with their offsets from UTC, in one zone.

    Parameters
    ----------
    wall : pandas.DatetimeIndex
    offsets : pandas.TimedeltaIndex
    column : hashable
        Name of the column, for errors.
    timezone : str, optional
        A zone that is given, whose local times are asked for.

    Returns
    -------
    pandas.DatetimeIndex
        In the zone that is given. Else with the offset, if there is one. Else in the best known
        zone whose clock shows these offsets; or in UTC, if the column holds several zones or the
        times are regular in UTC.

    Raises
    ------
    ValueError
        If the offsets are of no zone, and the times are not regular in UTC.
    """
    utc = (wall - offsets).tz_localize("UTC")
    if timezone is not None:
        return utc.tz_convert(zone_named(timezone))
    distinct = offsets.unique()
    if len(distinct) == 1:
        return utc.tz_convert(_fixed(distinct[0]))
    zone = zone_of_offsets(utc, offsets)
    if zone is None:
        several = wall.has_duplicates
        if not several and (len(distinct) > _MOST_OFFSETS or coverage(utc) < _REGULAR):
            raise ValueError(
                f"time column {column!r}: no time zone has the offsets from UTC of "
                f"{_text(distinct.min())} to {_text(distinct.max())} at these times; give the "
                "zone: pd.to_datetime(t, utc=True).dt.tz_convert('Europe/Berlin'), or the option "
                "timezone, or remove what is no offset"
            )
    return utc.tz_convert("UTC" if zone is None else zone)


def _fixed(offset: pd.Timedelta) -> tzinfo | str:
    return "UTC" if offset == pd.Timedelta(0) else fixed(offset.to_pytimedelta())


def _text(offset: pd.Timedelta) -> str:
    return str(fixed(offset.to_pytimedelta())).removeprefix("UTC") or "+00:00"
