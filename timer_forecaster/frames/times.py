"""Time stamps of a series: how they are read, their step, their regular grid and its future.

Times are a `pandas.DatetimeIndex` (with or without time zone), a `pandas.PeriodIndex` or an
`pandas.Index` of integers. A step is a pandas offset, or an integer for integer times.
"""

import warnings
from collections.abc import Hashable
from typing import Any, cast

import numpy as np
import pandas as pd
from pandas.tseries.frequencies import to_offset
from pandas.tseries.offsets import (
    BaseOffset,
    BDay,
    BMonthBegin,
    BMonthEnd,
    DateOffset,
    Day,
    MonthEnd,
)

Step = BaseOffset | int

# Below this share of observed steps a step that was only guessed is not evident any more.
_EVIDENT_SHARE = 0.5
_LONGEST_GRID = 10_000_000

# ISO 8601 leaves nothing to guess; then the order that pandas guesses from the first row, month
# first; then day first.
_ISO: dict[str, Any] = {"format": "ISO8601"}
_GUESSES: tuple[dict[str, Any], ...] = ({}, {"dayfirst": True})


def parse_times(values: pd.Series, column: Hashable) -> pd.Series:
    """Read a column of times.

    Parameters
    ----------
    values : pandas.Series
        Dates with or without time zone, periods, integers, or texts of dates or integers. Texts
        of eight digits that are all dates are read as year, month, day. Texts with more than one
        offset from UTC become times in UTC.
    column : hashable
        Name of the column, for the errors.

    Returns
    -------
    pandas.Series
        The same rows, as datetime64, period or int64.

    Raises
    ------
    ValueError
        If a row has no time or one that cannot be read; the first such row is named, counted
        from 1.
    """
    _refuse_missing(values, column)
    dtype = values.dtype
    if isinstance(dtype, pd.DatetimeTZDtype | pd.PeriodDtype) or dtype.kind == "M":
        return values
    if pd.api.types.is_bool_dtype(dtype):
        raise ValueError(f"time column {column!r} has dtype {dtype}: pass dates or integers")
    if pd.api.types.is_numeric_dtype(dtype):
        whole = values.to_numpy(dtype="float64") % 1 == 0
        if not whole.all():
            raise _row_error(values, ~whole, column, "is neither a date nor a whole number")
        return values.astype("int64")
    return _parse_text(values, column)


def _parse_text(values: pd.Series, column: Hashable) -> pd.Series:
    text = values.astype(str).str.strip()
    if text.str.fullmatch(r"[+-]?\d+").all():
        if text.str.fullmatch(r"\d{8}").all():
            dates = pd.to_datetime(text, format="%Y%m%d", errors="coerce")
            if dates.notna().all():
                return dates
        return text.astype("int64")
    iso = _to_datetime(text, _ISO)
    if iso.notna().all():
        return iso
    guesses = [_to_datetime(text, options) for options in _GUESSES]
    complete = [times for times in guesses if times.notna().all()]
    if not complete:
        unread = min((times.isna().to_numpy() for times in [iso, *guesses]), key=np.count_nonzero)
        raise _row_error(values, unread, column, "cannot be read as a time")
    if not complete[0].equals(complete[-1]):
        differ = (complete[0] != complete[-1]).to_numpy()
        raise _row_error(
            values, differ, column, "can be month first or day first; write dates as 2024-12-31"
        )
    return complete[0]


def _to_datetime(text: pd.Series, options: dict[str, Any]) -> pd.Series:
    with warnings.catch_warnings():
        # pandas tells how it guessed; a wrong guess shows as an unreadable row below.
        warnings.simplefilter("ignore")
        try:
            times = pd.to_datetime(text, errors="coerce", **options)
        except ValueError:  # several offsets from UTC in one column
            return pd.to_datetime(text, errors="coerce", utc=True, **options)
        if times.dtype == object:  # the same, as pandas 2 tells it
            return pd.to_datetime(text, errors="coerce", utc=True, **options)
    return times


def _refuse_missing(values: pd.Series, column: Hashable) -> None:
    missing = values.isna().to_numpy()
    if missing.any():
        raise ValueError(f"time column {column!r}: data row {missing.argmax() + 1} has no time")


def _row_error(values: pd.Series, bad: np.ndarray, column: Hashable, why: str) -> ValueError:
    row = int(bad.argmax())
    given = values.iloc[row]
    return ValueError(f"time column {column!r}: data row {row + 1}, {given!r}, {why}")


def as_step(freq: str | int | BaseOffset, times: pd.Index) -> Step:
    """Translate a step that the user gave.

    Parameters
    ----------
    freq : str, int or pandas offset
        For dates a pandas offset or its alias, such as "h", "15min", "B" or "MS"; for integer
        times an integer.
    times : pandas.Index
        The times that it is for.

    Raises
    ------
    ValueError
        If it is no step for times of this kind.
    """
    if isinstance(times, pd.PeriodIndex):
        raise ValueError(
            f"freq={freq!r}: the time column holds periods, which carry their frequency "
            f"({times.freqstr}); leave freq out"
        )
    if not isinstance(times, pd.DatetimeIndex):
        step = int(str(freq)) if str(freq).isdecimal() else 0
        if step < 1:
            raise ValueError(
                f"freq={freq!r}: the time column holds integers, so freq must be an integer >= 1"
            )
        return step
    try:
        offset = None if isinstance(freq, int) else to_offset(freq)
    except ValueError:
        offset = None
    if offset is None or offset.n < 1:
        raise ValueError(
            f"freq={freq!r} is not a pandas frequency: use for example 'h', '15min', 'D', 'B', "
            "'W-MON', 'MS' or 'QE'"
        )
    return offset


def regular_step(times: pd.Index) -> Step | None:
    """Step of sorted distinct dates or integers; None where they are too few or irregular."""
    if len(times) < 3:
        return None
    if isinstance(times, pd.DatetimeIndex):
        alias = pd.infer_freq(times)
        return None if alias is None else to_offset(alias)
    steps = np.diff(times.to_numpy())
    return int(steps[0]) if (steps == steps[0]).all() else None


def most_common_step(times: pd.Index) -> Step | None:
    """Step between most neighbours of sorted distinct dates or integers, at least two of them.

    A step of months or of business days is recognised by the calendar: by equal days of the
    month, month ends, or week-ends that are always absent.
    """
    if not isinstance(times, pd.DatetimeIndex):
        return int(_most_common(np.diff(times.to_numpy())))
    wall = times.tz_localize(None)
    step = pd.Timedelta(_most_common(np.diff(wall.to_numpy())))
    if step >= pd.Timedelta(days=28):
        months = _month_step(wall)
        if months is not None:
            return months
    if step == pd.Timedelta(days=1) and (wall.dayofweek < 5).all() and len(wall) > 5:
        return BDay()
    if step % pd.Timedelta(days=1) == pd.Timedelta(0):
        return Day(step.days)  # calendar days: 23 or 25 hours long where the clock changes
    return to_offset(step)


def _most_common(values: np.ndarray) -> Any:
    distinct, counts = np.unique(values, return_counts=True)
    return distinct[counts.argmax()]


def _month_step(wall: pd.DatetimeIndex) -> BaseOffset | None:
    months = int(_most_common(np.diff(wall.year.to_numpy() * 12 + wall.month.to_numpy())))
    if months < 1:
        return None
    if wall.is_month_end.all():
        return MonthEnd(months)
    if (wall.day == wall.day[0]).all() and wall.day[0] <= 28:
        return DateOffset(months=months)
    for offset in (BMonthEnd, BMonthBegin):
        if all(offset().is_on_offset(time) for time in wall):
            return offset(months)
    return None


def evident_grid(
    times: pd.Index, own: Step | None, common: Step | None
) -> tuple[Step, pd.Index] | None:
    """Find a step and its regular grid of which at least half is there, the rest being missing.

    Parameters
    ----------
    times : pandas.Index
        Sorted, distinct.
    own : offset or int, optional
        The step that these times show by themselves.
    common : offset or int, optional
        The step that most other series have, the second choice.

    Returns
    -------
    step : offset or int
    grid : pandas.Index
        Or None instead of both, where no step is evident.
    """
    guess = most_common_step(times) if own is None and len(times) > 1 else None
    for step in (own, common, guess):
        grid = None if step is None else regular_grid(times, step)
        if step is not None and grid is not None and len(times) >= _EVIDENT_SHARE * len(grid):
            return step, grid
    return None


def regular_grid(times: pd.Index, step: Step) -> pd.Index | None:
    """All times from the first to the last by `step`; None where a given time is not among them.

    None, too, for a grid so much longer than the times that it might not fit in memory.
    """
    first, last = times[0], times[-1]
    if _rough_length(times, step) > _LONGEST_GRID + 1000 * len(times):
        return None
    if isinstance(times, pd.PeriodIndex):
        grid: pd.Index = pd.period_range(first, last, freq=times.freq)
    elif isinstance(times, pd.DatetimeIndex):
        grid = pd.date_range(first, last, freq=cast(BaseOffset, step)).as_unit(times.unit)
    else:
        grid = pd.RangeIndex(int(first), int(last) + 1, cast(int, step))
    return grid if len(grid) >= len(times) and times.isin(grid).all() else None


def _rough_length(times: pd.Index, step: Step) -> float:
    """Count the steps from the first time to the last, to the order of magnitude."""
    first, last = times[0], times[-1]
    if isinstance(times, pd.PeriodIndex):
        return (last.ordinal - first.ordinal) / max(1, last.freq.n)
    if isinstance(times, pd.DatetimeIndex):
        start = pd.Timestamp("2024-01-01")
        return (last - first) / ((start + 10 * cast(BaseOffset, step)) - start) * 10
    return (int(last) - int(first)) / cast(int, step)


def future_times(times: pd.Index, step: Step, horizon: int) -> pd.Index:
    """Return the `horizon` times that follow the last of `times`, which lies on the grid of `step`.

    Examples
    --------
    >>> month_ends = pd.DatetimeIndex(["2023-12-31", "2024-01-31"])
    >>> future_times(month_ends, to_offset("ME"), 2).strftime("%Y-%m-%d").tolist()
    ['2024-02-29', '2024-03-31']
    """
    last = times[-1]
    if isinstance(times, pd.PeriodIndex):
        return pd.period_range(last, periods=horizon + 1, freq=times.freq)[1:]
    if isinstance(times, pd.DatetimeIndex):
        return pd.date_range(last, periods=horizon + 1, freq=cast(BaseOffset, step)).as_unit(
            times.unit
        )[1:]
    return pd.Index(int(last) + cast(int, step) * np.arange(1, horizon + 1))


def past_times(times: pd.Index, step: Step, count: int) -> pd.Index:
    """Return the `count` times before the first of `times`, which lies on the grid of `step`."""
    first = times[0]
    if isinstance(times, pd.PeriodIndex):
        return pd.period_range(end=first, periods=count + 1, freq=times.freq)[:-1]
    if isinstance(times, pd.DatetimeIndex):
        return pd.date_range(end=first, periods=count + 1, freq=cast(BaseOffset, step)).as_unit(
            times.unit
        )[:-1]
    return pd.Index(int(first) - cast(int, step) * np.arange(count, 0, -1))
