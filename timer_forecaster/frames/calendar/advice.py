"""Errors about times that have no regular step, with advice that works when it is followed."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
import pandas as pd

from timer_forecaster.frames.calendar.axes import stamps_of
from timer_forecaster.frames.calendar.times import Step, step_name

# A grid to be filled in has at most so many times the steps that are there.
_LONGEST_FILLING = {"dates": 10, "integers": 100}

# Bins to aggregate irregular times to. At least half of the bins shall hold a time.
_BINS = {"min": 1, "5min": 5, "15min": 15, "h": 60, "D": 1440, "7D": 10080}  # minutes
_FILLED_BINS = 0.5


def without_step(axis: pd.Index, name: str, remedy: str) -> ValueError:
    """Return the error about times that show no step.

    Parameters
    ----------
    axis : pandas.Index
        Sorted and distinct.
    name : str
        Of the series.
    remedy : str
        An expression that aggregates rows, with a place for the frequency, as `aggregation` makes.
    """
    if len(axis) == 1:
        example = "'D'" if isinstance(axis, pd.DatetimeIndex) else "1"
        return ValueError(
            f"{name}a frequency cannot be inferred from a single time; pass freq, for "
            f"example freq={example}"
        )
    filling = _filling(axis)
    ways = [] if filling is None else [f"pass freq={filling!r} to fill in missing steps"]
    if isinstance(axis, pd.DatetimeIndex) and remedy:
        ways.append(f"aggregate the rows: {remedy.format(freq=_bin(axis))}")
    return ValueError(
        f"{name}no frequency can be inferred from its {len(axis)} times, {axis[0]} to "
        f"{axis[-1]}: they are irregular or more than half of them are missing; "
        f"{', or '.join(ways) or 'resample them to a regular step'}"
    )


def off_grid(axis: pd.Index, step: Step, found: Step | None, name: str, remedy: str) -> ValueError:
    """Return the error about times that are not all on the grid of a frequency that was given.

    Parameters
    ----------
    axis : pandas.Index
        Sorted and distinct.
    step : offset or int
        The frequency.
    found : offset or int, optional
        The step that is inferred where no frequency is given.
    name, remedy : str
        As in `without_step`.
    """
    ways = []
    if found is not None:
        ways.append(f"leave freq out to have it inferred: {step_name(found)}")
    elif (filling := _filling(axis)) is not None:
        ways.append(f"pass freq={filling!r}")
    if isinstance(axis, pd.DatetimeIndex) and remedy:
        ways.append(f"aggregate the rows: {remedy.format(freq=step_name(step))}")
    return ValueError(
        f"{name}the times from {axis[0]} to {axis[-1]} do not all lie on the grid of "
        f"freq={step_name(step)!r}; {', or '.join(ways) or 'use another freq'}"
    )


def aggregation(
    frame: pd.DataFrame,
    time_column: Hashable,
    id_column: Hashable | None,
    targets: Sequence[Hashable],
) -> str:
    """Return an expression that adds up the rows of a frame, with a place for the frequency.

    Examples
    --------
    >>> frame = pd.DataFrame({"day": pd.date_range("2024-01-01", periods=3), "sold": 1})
    >>> aggregation(frame, "day", None, ["sold"]).format(freq="D")
    "frame.resample('D', on='day')[['sold']].sum().reset_index()"
    """
    text = "frame"
    if frame[time_column].dtype.kind != "M":
        texts = ".astype(str)" if frame[time_column].dtype.kind in "iu" else ""  # as 20240131
        text += f".assign(**{{{time_column!r}: pd.to_datetime(frame[{time_column!r}]{texts})}})"
    text += "" if id_column is None else f".groupby({id_column!r})"
    selected = f"on={time_column!r})[{list(targets)!r}].sum().reset_index()"
    before, after = (part.replace("{", "{{").replace("}", "}}") for part in (text, selected))
    return f"{before}.resample('{{freq}}', {after}"


def asfreq_advice(axis: pd.Index, name: str = "y") -> str:
    """Return how to make the times of a series of pandas regular.

    Parameters
    ----------
    axis : pandas.Index
        Sorted and distinct.
    name : str
        An expression for the series; "y" in sktime.
    """
    if not isinstance(axis, pd.DatetimeIndex):
        return f"count its rows instead, for example by {name}.reset_index(drop=True)"
    if len(axis) == 1:
        return f"set it, for example by {name}.asfreq('D')"
    filling = _filling(axis)
    aggregated = f"aggregate {name}, for example by {name}.resample('{_bin(axis)}').sum()"
    if filling is None:
        return aggregated
    return (
        f"set it by {name}.asfreq('{filling}'), which makes absent times missing values, "
        f"or {aggregated}"
    )


def _filling(axis: pd.Index) -> str | int | None:
    """Return the longest step on whose grid all times lie; None if the grid is very long."""
    if isinstance(axis, pd.PeriodIndex):
        return None
    stamps = stamps_of(axis.tz_localize(None) if isinstance(axis, pd.DatetimeIndex) else axis)
    divisor = int(np.gcd.reduce(np.abs(np.diff(stamps))))
    kind = "dates" if isinstance(axis, pd.DatetimeIndex) else "integers"
    longest = _LONGEST_FILLING[kind] * len(stamps)
    if (int(stamps[-1]) - int(stamps[0])) // divisor > longest:
        return None
    if not isinstance(axis, pd.DatetimeIndex):
        return divisor
    step = pd.Timedelta(divisor, unit=axis.unit)
    day = pd.Timedelta(days=1)
    if step % day == pd.Timedelta(0):
        return "D" if step == day else f"{step // day}D"
    return str(pd.tseries.frequencies.to_offset(step).freqstr)


def _bin(axis: pd.DatetimeIndex) -> str:
    """Return the shortest of common frequencies whose bins are mostly filled."""
    minutes = axis.tz_localize(None).as_unit("s").asi8 // 60
    for freq, length in _BINS.items():
        filled = np.unique(minutes // length)
        if len(filled) > 1 and len(filled) >= _FILLED_BINS * (filled[-1] - filled[0] + 1):
            return freq
    return "MS" if minutes[-1] - minutes[0] > 90 * 1440 else "D"
