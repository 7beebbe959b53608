"""Notations of dates in texts, and how their parts are read.

A notation is a pattern with named parts. It may have several readings, such as the day first and
the month first. Names of months and weekdays are English.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from timer_forecaster.frames.stamps.fields import (
    Dates,
    Fields,
    dates_of,
    days_of_year,
    full_years,
    moments_of,
    weeks_of,
)

_MONTHS = (
    "january february march april may june july august september october november december"
).split()
MONTHS = {
    name: number
    for number, full in enumerate(_MONTHS, start=1)
    for name in (full, full[:3], "sept" if number == 9 else full)
}
_WEEKDAYS = "monday tuesday wednesday thursday friday saturday sunday".split()
WEEKDAYS = {
    name: number
    for number, full in enumerate(_WEEKDAYS)
    for name in (full, full[:3], full[:4], full[:5])
}

_WEEKDAY = r"(?:(?P<weekday>(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*)\.?,? +)?"
_CLOCK = (
    r"(?P<hour>\d{1,2})(?=:| ?[ap]\.?m)(?::(?P<minute>\d{2})(?::(?P<second>\d{2})"
    r"(?:[.,](?P<part>\d{1,9}))?)?)?(?: ?(?P<half>[ap])\.?m\.?)?"
)
_TIME = rf"(?:(?:t|,? +){_CLOCK})?"
_NAME = r"(?P<name>[a-z]+)\.?"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?\.?"
_YEAR = r"(?P<year>\d{4})"
_GAP = r"[-/ .]*"
_EITHER_YEAR = r"(?:(?P<year>\d{4})|(?P<yy>\d{2}))"
_SAME = r"(?P<mark>[-/.]|\. | )"


class Notation(NamedTuple):
    """A pattern of texts, in lower case, and its readings: by name, the part for each field."""

    pattern: str
    readings: Mapping[str, Mapping[str, str]] = {"": {}}
    period: str = ""  # "Q", "M" or "W" if a text stands for a whole one


def _days(pattern: str, readings: Mapping[str, Mapping[str, str]] | None = None) -> Notation:
    return Notation(_WEEKDAY + pattern + _TIME, readings or {"": {}})


_DAY_FIRST, _MONTH_FIRST = {"day": "i", "month": "j"}, {"month": "i", "day": "j"}

NOTATIONS = (
    _days(rf"(?P<year>\d{{4}}){_SAME}(?P<month>\d{{1,2}})(?P=mark)(?P<day>\d{{1,2}})\.?"),
    _days(r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})"),
    _days(
        rf"(?P<i>\d{{1,2}}){_SAME}(?P<j>\d{{1,2}})(?P=mark)(?P<year>\d{{4}})",
        {"month first": _MONTH_FIRST, "day first": _DAY_FIRST},
    ),
    _days(
        rf"(?P<i>\d{{1,2}}){_SAME}(?P<j>\d{{1,2}})(?P=mark)(?P<k>\d{{2}})",
        {
            "month first": {**_MONTH_FIRST, "yy": "k"},
            "day first": {**_DAY_FIRST, "yy": "k"},
            "year first": {"yy": "i", "month": "j", "day": "k"},
        },
    ),
    _days(_DAY + _GAP + _NAME + r"[-/ .,]*" + _YEAR),
    _days(_NAME + _GAP + _DAY + r"[-/ ,]+" + _YEAR),
    _days(_YEAR + _GAP + _NAME + _GAP + _DAY),
    _days(_NAME + _GAP + _DAY + r"(?:, ?| '|/)(?P<yy>\d{2})"),
    _days(
        r"(?P<i>\d{1,2})[-/ .]*" + _NAME + r"[-/ .]*(?P<j>\d{2})",
        {"day first": {"day": "i", "yy": "j"}, "year first": {"yy": "i", "day": "j"}},
    ),
    Notation(_WEEKDAY + _NAME + " +" + _DAY + rf",? +{_CLOCK}(?: +(?:utc|gmt))? +" + _YEAR),
    _days(r"(?P<year>\d{4})-(?P<of_year>\d{3})"),
    Notation(_NAME + r"[-/ .,']*" + _YEAR, period="M"),
    Notation(_YEAR + _GAP + _NAME, period="M"),
    Notation(_NAME + r" ?'(?P<yy>\d{2})", period="M"),
    Notation(r"(?P<month>\d{1,2})[-/.]" + _YEAR, period="M"),
    Notation(_YEAR + r"(?:[-/](?P<month>\d{1,2})|\.(?P<month2>\d{2}))", period="M"),
    Notation(_EITHER_YEAR + r"[-/ :]?m(?P<month>\d{1,2})", period="M"),
    Notation(r"m(?P<month>\d{1,2})[-/ :]" + _YEAR, period="M"),
    Notation(_EITHER_YEAR + r"[-/ :]?q(?P<quarter>[1-4])", period="Q"),
    Notation(r"(?:q(?P<quarter>[1-4])|(?P<quarter2>[1-4])q)[-/ :]?'?" + _EITHER_YEAR, period="Q"),
    Notation(_YEAR + r"[-/ ]?w(?P<week>\d{1,2})", period="W"),
    Notation(r"w(?P<week>\d{1,2})[-/ ]" + _YEAR, period="W"),
    Notation(_YEAR + r"-?w(?P<week>\d{2})-?(?P<week_day>[1-7])" + _TIME),
)

MONTH_AND_NUMBER = (
    Notation(_NAME + r"[-/ .]*(?P<yy>\d{2})", period="M"),
    Notation(r"(?P<yy>\d{2})[-/ .]*" + _NAME, period="M"),
)
"""A month with two digits, which can be the year or the day."""


def parts_of(texts: pd.Series, notation: Notation) -> pd.DataFrame:
    """Return the parts of texts in lower case, NaN where a text is of another notation."""
    parts = texts.str.extract(rf"^(?P<all>{notation.pattern})$")
    for name in ("month2", "quarter2"):
        if name in parts:
            parts[name[:-1]] = parts[name[:-1]].fillna(parts.pop(name))
    return parts


def read_parts(parts: pd.DataFrame, meaning: Mapping[str, str]) -> Dates:
    """Return the times that parts of texts name, NaT where they name none.

    Parameters
    ----------
    parts : pandas.DataFrame
        From `parts_of`, without rows of other notations.
    meaning : mapping of str to str
        The part for each field whose part has another name.
    """

    def field(name: str, default: int = 0) -> Fields:
        part = parts.get(meaning.get(name, name))
        if part is None:
            return np.full(len(parts), default)
        return pd.to_numeric(part).fillna(default).to_numpy(dtype=np.int64)

    year = field("year", -1)
    if "yy" in parts or "yy" in meaning:
        year = np.where(year < 0, full_years(field("yy")), year)
        short = parts[meaning.get("yy", "yy")].str.len() == 1  # a day or a month
        year = np.where(short, -1, year)
    dates = _dates(parts, year, field)
    if "weekday" in parts:
        named = parts["weekday"].map(WEEKDAYS)
        weekday = (dates.astype("datetime64[D]").astype("int64") + 3) % 7
        right = parts["weekday"].isna() | (named == weekday)
        dates = np.where(right, dates, np.array("NaT", dates.dtype))
    return _with_clock(dates, parts, field) if "hour" in parts else dates


def _dates(parts: pd.DataFrame, year: Fields, field: Callable[..., Fields]) -> Dates:
    if "quarter" in parts:
        return dates_of(year, 3 * field("quarter") - 2)
    if "week" in parts:
        return weeks_of(year, field("week"), field("week_day", 1))
    if "of_year" in parts:
        return days_of_year(year, field("of_year"))
    if "name" in parts:
        month = np.asarray(parts["name"].map(MONTHS).fillna(0), dtype=np.int64)
    else:
        month = field("month", 1)
    return dates_of(year, month, field("day", 1))


def _with_clock(dates: Dates, parts: pd.DataFrame, field: Callable[..., Fields]) -> Dates:
    """Add the time of the day; 24:00 is the end of the day."""
    hour, minute, second = field("hour"), field("minute"), field("second")
    half = parts["half"]
    twelve = half.notna().to_numpy()
    hour = np.where(twelve & ((hour < 1) | (hour > 12)), 99, hour)
    hour = np.where(twelve & (hour <= 12), hour % 12 + 12 * (half == "p").to_numpy(), hour)
    end = ~twelve & (hour == 24) & (minute == 0) & (second == 0)
    days = dates + end.astype("timedelta64[D]")
    moments = moments_of(days, np.where(end, 0, hour), minute, second)
    part = parts["part"].fillna("0")
    unit = "ns" if part.str.len().max() > 6 else "us"
    digits = part.str.ljust(9, "0").astype("int64").to_numpy() // (1 if unit == "ns" else 1000)
    return moments.astype(f"datetime64[{unit}]") + digits.astype(f"timedelta64[{unit}]")
