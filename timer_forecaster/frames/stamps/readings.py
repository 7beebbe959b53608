"""Readings of one column of times, and the one that the whole column or a frequency decides."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import pandas as pd

from timer_forecaster.frames.calendar.grids import regular_grid
from timer_forecaster.frames.calendar.times import Step, as_step, most_common_step, regular_step

# A reading is clearly more regular if the times fill this much more of their grid.
_CLEARLY = 2.0
_REGULAR = 0.5


class Reading(NamedTuple):
    """One way to read the distinct times of a column."""

    name: str  # such as "day first"
    times: pd.DatetimeIndex


def coverage(times: pd.Index, freq: Any = None) -> float:
    """Return the share of the grid of times that the times fill; 0 if they do not lie on one.

    Parameters
    ----------
    times : pandas.Index
    freq : str, int or offset, optional
        By default the step is inferred.

    Examples
    --------
    >>> coverage(pd.DatetimeIndex(["2024-01-01", "2024-02-01", "2024-04-01", "2024-05-01"]))
    0.8
    """
    times = times.unique().sort_values()
    step: Step | None
    if freq is not None:
        step = as_step(freq, times)
    elif len(times) < 2:
        return 1.0
    else:
        step = regular_step(times) or most_common_step(times)
    grid = None if step is None else regular_grid(times, step)
    return 0.0 if grid is None else len(times) / len(grid)


def is_count(freq: Any) -> bool:
    """Whether a frequency is a step of integers."""
    return freq is not None and str(freq).strip().lstrip("+-").isdecimal()


def decided(readings: Sequence[Reading], freq: Any = None) -> Reading | None:
    """Return the reading whose times lie on the grid of `freq`, or are clearly more regular.

    Return None if nothing decides.

    Examples
    --------
    >>> days = pd.date_range("2024-01-01", periods=5)
    >>> months = pd.date_range("2024-01-01", periods=5, freq="MS")
    >>> both = [Reading("day first", months), Reading("month first", days)]
    >>> decided(both), decided(both, "MS").name
    (None, 'day first')
    """
    shares = [coverage(reading.times, freq) for reading in readings]
    order = sorted(range(len(readings)), key=lambda i: -shares[i])
    best, *others = order
    if not others:
        return readings[best]
    second = shares[others[0]]
    clear = shares[best] >= _CLEARLY * second and shares[best] >= (0 if freq else _REGULAR)
    return readings[best] if clear and shares[best] > 0 else None


_ENDS = {
    "Q": pd.offsets.QuarterEnd(startingMonth=3),
    "M": pd.offsets.MonthEnd(),
    "W": pd.offsets.Day(6),
}


def anchored(starts: pd.DatetimeIndex, period: str, freq: Any) -> pd.DatetimeIndex:
    """Return the starts of periods, or their last days if `freq` is a frequency of last days.

    Parameters
    ----------
    starts : pandas.DatetimeIndex
    period : str
        "Q", "M" or "W"; empty if the times stand for themselves.
    freq : str or offset, optional
    """
    if not period or freq is None or coverage(starts, freq) > 0:
        return starts
    ends = starts + _ENDS[period]
    return ends if coverage(ends, freq) > 0 else starts
