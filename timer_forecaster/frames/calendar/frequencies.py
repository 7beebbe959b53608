"""Frequencies that users give by name, and the length of a step."""

from __future__ import annotations

import re

import pandas as pd
from pandas.tseries.frequencies import to_offset
from pandas.tseries.offsets import BaseOffset, Day, Week

from timer_forecaster.frames.calendar.opening import DAY, OpenHours, Step

_MINUTE = pd.Timedelta(minutes=1)
_MINUTES_OF_DAY = 1_440
# Names of pandas before 2.2, which files and programs still have.
_FORMER = {"H": "h", "T": "min", "S": "s", "L": "ms", "U": "us", "N": "ns", "BH": "bh"}
_FORMER |= {"M": "ME", "Q": "QE", "A": "YE", "Y": "YE", "BM": "BME", "BQ": "BQE"}
_PARTS = re.compile(r"(\d*)([A-Z]+)(-[A-Z]+)?")


def as_offset(freq: str) -> BaseOffset:
    """Return the offset of a name, also of one that pandas had before.

    Raises
    ------
    ValueError
        If it is no name of a frequency.

    Examples
    --------
    >>> as_offset("15T") == as_offset("15min")
    True
    """
    parts = _PARTS.fullmatch(freq)
    former = None if parts is None else _FORMER.get(parts[2])
    name = freq if former is None or parts is None else f"{parts[1]}{former}{parts[3] or ''}"
    offset = to_offset(name)
    if offset.n < 1:
        raise ValueError(f"{freq!r} runs backwards")
    return offset


def minutes_of(step: Step) -> float | None:
    """Return the length of a step in minutes; None if it differs from step to step.

    Steps along open hours are as long as a slot within a day. Along open days they differ, as those
    of business days do.

    Examples
    --------
    >>> [minutes_of(as_offset(name)) for name in ("h", "60min", "W-SUN", "MS", "B")]
    [60.0, 60.0, 10080.0, None, None]
    """
    if isinstance(step, OpenHours):
        return minutes_of(step.base) if step.width < DAY else None
    if not isinstance(step, BaseOffset):
        return None
    if isinstance(step, Week):
        return 7.0 * _MINUTES_OF_DAY * step.n
    if isinstance(step, Day):
        return float(_MINUTES_OF_DAY * step.n)
    try:
        return float(pd.Timedelta(step) / _MINUTE)  # type: ignore[arg-type]
    except (ValueError, TypeError):
        return None
