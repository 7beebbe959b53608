"""Errors of times that cannot be read: the row, and what it lacks."""

from __future__ import annotations

import re
from collections.abc import Hashable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from timer_forecaster.frames.stamps.notations import MONTHS, WEEKDAYS

_CLOCK = r"\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?( ?[ap]\.?m\.?)?|\d{1,2} ?[ap]\.?m\.?"
_OTHER_WORDS = {"am", "pm", "utc", "gmt", "st", "nd", "rd", "th", "t", "z", "w", "q", "m"}
_WITH_MONTH = rf"({'|'.join(sorted(MONTHS, key=len, reverse=True))})\.?"


def row_error(values: pd.Series, bad: NDArray[np.bool_], column: Hashable, why: str) -> ValueError:
    """Return an error that names the first bad row, counted from 1, and its value."""
    row = int(bad.argmax())
    given = values.iloc[row]
    return ValueError(f"time column {column!r}: data row {row + 1}, {given!r}, {why}")


def why_unread(text: str) -> str:
    """Return why a text cannot be read as a time.

    Examples
    --------
    >>> why_unread("12:30")
    'has a time of the day and no date; add the date, as in 2024-12-31 12:30'
    >>> why_unread("3. Januar 2024")
    "cannot be read as a time: 'Januar' is no English name of a month; write 2024-12-31"
    """
    lower = text.lower().strip()
    if re.fullmatch(_CLOCK, lower):
        return "has a time of the day and no date; add the date, as in 2024-12-31 12:30"
    if lower.rstrip(".") in WEEKDAYS:
        return "is a weekday and no date; write dates as 2024-12-31"
    day = r"\d{1,2}(st|nd|rd|th)?\.?"
    without_year = (_WITH_MONTH, rf"{_WITH_MONTH}[-/ .]*{day}", rf"{day}[-/ .]*{_WITH_MONTH}")
    numbers = r"\d{1,2}[-/.]\d{1,2}\.?"
    if any(re.fullmatch(rf"({p})(,? +({_CLOCK}))?", lower) for p in (*without_year, numbers)):
        return "has no year, or its year has no four digits; write dates as 2024-12-31"
    zone = re.search(r"\d ?([A-Z]{2,5}|\[?[A-Za-z]+/[A-Za-z_/]+\]?)$", text.strip())
    if zone and ":" in text:
        return (
            f"cannot be read as a time: {zone[1]!r} is no offset from UTC; write the offset, as in "
            "+01:00, or remove it and give the time zone"
        )
    for word in re.findall(r"[^\W\d_]+", text):
        if (
            word.lower() not in (MONTHS | WEEKDAYS)
            and word.lower() not in _OTHER_WORDS
            and any(digit.isdigit() for digit in text)
        ):
            return (
                f"cannot be read as a time: {word!r} is no English name of a month; write "
                "2024-12-31"
            )
    return "cannot be read as a time; write dates as 2024-12-31 or 2024-12-31 12:30"
