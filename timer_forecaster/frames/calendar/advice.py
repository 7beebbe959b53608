"""Errors about times that have no regular step, with advice that works when it is followed."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from timer_forecaster.frames.calendar.axes import stamps_of
from timer_forecaster.frames.calendar.clock import wall_times
from timer_forecaster.frames.calendar.times import Step, step_name

# A grid to be filled in has at most so many times the steps that are there.
_LONGEST_FILLING = {"dates": 10, "integers": 100}

# Bins to aggregate irregular times to. At least half of the bins shall hold a time.
_BINS = {"min": 1, "5min": 5, "15min": 15, "h": 60, "D": 1440, "7D": 10080}  # minutes
_FILLED_BINS = 0.5

_DAY = pd.Timedelta(days=1)


class Remedy(NamedTuple):
    """How to make times regular; empty where the caller has no frame.

    Parameters
    ----------
    aggregated : str
        An expression that adds up rows, with a place for the frequency.
    on_clock : str
        An expression whose times are those of the clock of a zone, with a place for the zone.
    """

    aggregated: str = ""
    on_clock: str = ""

    @classmethod
    def of(
        cls,
        frame: pd.DataFrame,
        time_column: Hashable,
        id_column: Hashable | None,
        targets: Sequence[Hashable],
    ) -> Remedy:
        """Return the expressions for a frame of these columns."""
        return cls(
            aggregation(frame, time_column, id_column, targets), clock_times(frame, time_column)
        )

    def ways(self, axis: pd.Index, freq: str) -> list[str]:
        """Return how to aggregate the rows to a frequency, if they can be."""
        if not isinstance(axis, pd.DatetimeIndex) or not self.aggregated:
            return []
        return [f"aggregate the rows (levels by .mean()): {self.aggregated.format(freq=freq)}"]


def without_step(axis: pd.Index, name: str, remedy: Remedy) -> ValueError:
    """Return the error about times that show no step.

    Parameters
    ----------
    axis : pandas.Index
        Sorted and distinct.
    name : str
        Of the series.
    remedy : Remedy
    """
    if len(axis) == 1:
        example = "'D'" if isinstance(axis, pd.DatetimeIndex) else "1"
        return ValueError(
            f"{name}a frequency cannot be inferred from a single time; pass freq, for "
            f"example freq={example}"
        )
    ways = []
    if (clock := _clock_step(axis)) is not None:
        ways.append(_on_clock(axis, clock, remedy))
    elif (filling := _filling(axis)) is not None:
        ways.append(f"pass freq={filling!r} to fill in missing steps")
    if isinstance(axis, pd.DatetimeIndex):
        ways += remedy.ways(axis, _bin(axis))
    return ValueError(
        f"{name}no frequency can be inferred from its {len(axis)} times, {axis[0]} to "
        f"{axis[-1]}: they are irregular or more than half of them are missing; "
        f"{', or '.join(ways) or 'resample them to a regular step'}"
    )


def off_grid(
    axis: pd.Index, step: Step, found: Step | None, name: str, remedy: Remedy
) -> ValueError:
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
    elif (clock := _clock_step(axis)) is not None:
        other = "" if clock == step_name(step) else f", with freq={clock!r}"
        ways.append(_on_clock(axis, clock, remedy) + other)
    elif (filling := _filling(axis)) is not None:
        ways.append(f"pass freq={filling!r}")
    if (text := _frequency_of(step)) is not None:
        ways += remedy.ways(axis, text)
    return ValueError(
        f"{name}the times from {axis[0]} to {axis[-1]} do not all lie on the grid of "
        f"freq={step_name(step)!r}; {', or '.join(ways) or 'use another freq'}"
    )


def _frequency_of(step: Step) -> str | None:
    """Return the text by which pandas knows a step; None of a calendar that no text says."""
    if isinstance(step, int):
        return None
    try:
        return step.freqstr if pd.tseries.frequencies.to_offset(step.freqstr) == step else None
    except ValueError:
        return None


def aggregation(
    frame: pd.DataFrame,
    time_column: Hashable,
    id_column: Hashable | None,
    targets: Sequence[Hashable],
) -> str:
    """Return an expression that adds up the rows of a frame, with a place for the frequency.

    Bins without a row are missing values, and no zeros.

    Examples
    --------
    >>> frame = pd.DataFrame({"day": pd.date_range("2024-01-01", periods=3), "sold": 1})
    >>> aggregation(frame, "day", None, ["sold"]).format(freq="D")
    "frame.resample('D', on='day')[['sold']].sum(min_count=1).reset_index()"
    """
    text = "frame"
    if frame[time_column].dtype.kind != "M":
        texts = ".astype(str)" if frame[time_column].dtype.kind in "iu" else ""  # as 20240131
        text += f".assign(**{{{time_column!r}: pd.to_datetime(frame[{time_column!r}]{texts})}})"
    text += "" if id_column is None else f".groupby({id_column!r})"
    selected = f"on={time_column!r})[{list(targets)!r}].sum(min_count=1).reset_index()"
    return f"{_escaped(text)}.resample('{{freq}}', {_escaped(selected)}"


def clock_times(frame: pd.DataFrame, time_column: Hashable) -> str:
    """Return an expression for a frame with the times of a clock, with a place for its zone.

    Examples
    --------
    >>> days = pd.date_range("2024-01-01", periods=3, tz="UTC")
    >>> clock_times(pd.DataFrame({"t": days}), "t").format(zone="Europe/Berlin")
    "frame.assign(**{'t': frame['t'].dt.tz_convert('Europe/Berlin').dt.tz_localize(None)})"
    """
    column = f"frame[{time_column!r}]"
    if not isinstance(frame[time_column].dtype, pd.DatetimeTZDtype):
        column = f"pd.to_datetime({column}, utc=True)"
    before, after = f"frame.assign(**{{{time_column!r}: {column}.dt", ".dt.tz_localize(None)})"
    return f"{_escaped(before)}.tz_convert('{{zone}}'){_escaped(after)}"


def _escaped(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


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
    aggregated = (
        f"aggregate {name}, for example by {name}.resample('{_bin(axis)}').sum(min_count=1), or "
        ".mean() for levels"
    )
    clock, filling = _clock_step(axis), _filling(axis)
    if clock is not None:
        remedy = Remedy(on_clock=f"{name}.tz_localize(None)")
        return f"{_on_clock(axis, clock, remedy)}, or {aggregated}"
    if (
        not isinstance(filling, str)
        or not axis.isin(pd.date_range(axis[0], axis[-1], freq=filling)).all()
    ):
        return aggregated
    return (
        f"set it by {name}.asfreq('{filling}'), which makes absent times missing values, "
        f"or {aggregated}"
    )


def _filling(axis: pd.Index) -> str | int | None:
    """Return the longest step on whose grid all times lie; None if the grid is very long.

    Days are days of the clock, and shorter steps are steps of time.
    """
    if isinstance(axis, pd.PeriodIndex):
        return None
    if not isinstance(axis, pd.DatetimeIndex):
        return _divisor(axis, _LONGEST_FILLING["integers"])
    longest = _LONGEST_FILLING["dates"]
    days = _divisor(wall_times(axis), longest)
    if days is not None and pd.Timedelta(days, unit=axis.unit) % _DAY == pd.Timedelta(0):
        return _name_of(days, axis)
    divisor = _divisor(axis, longest)
    return None if divisor is None else _name_of(divisor, axis)


def _clock_step(axis: pd.Index) -> str | None:
    """Return the even step that the clock shows, but that changes of the clock break; else None.

    At least half of its grid is there, so that it is found in the times of the clock.
    """
    if not isinstance(axis, pd.DatetimeIndex) or axis.tz is None or len(axis) < 3:
        return None
    shown, passed = _divisor(axis.tz_localize(None), 2), np.gcd.reduce(np.diff(axis.asi8))
    if shown is None or shown <= passed or pd.Timedelta(shown, unit=axis.unit) % _DAY == 0 * _DAY:
        return None
    return _name_of(shown, axis)


def _on_clock(axis: pd.Index, step: str, remedy: Remedy) -> str:
    """Return the advice to take the times of the clock."""
    zone = str(getattr(axis, "tz", None))
    how = f": {remedy.on_clock.format(zone=zone)}" if remedy.on_clock else ", without their zone"
    return f"on the clock of {zone} their step is {step!r}; use its times{how}"


def _divisor(times: pd.Index, longest: int) -> int | None:
    """Return the longest step of a grid of times; None if it has over `longest` steps for each."""
    stamps = stamps_of(times)
    distances = np.diff(stamps)
    if len(distances) == 0 or distances.min() <= 0:  # the clock shows a time twice
        return None
    divisor = int(np.gcd.reduce(distances))
    return None if int(distances.sum()) // divisor > longest * len(stamps) else divisor


def _name_of(divisor: int, axis: pd.DatetimeIndex) -> str:
    step = pd.Timedelta(divisor, unit=axis.unit)
    if step % _DAY == 0 * _DAY:
        return "D" if step == _DAY else f"{step // _DAY}D"
    return str(pd.tseries.frequencies.to_offset(step).freqstr)


def _bin(axis: pd.DatetimeIndex) -> str:
    """Return the shortest of common frequencies whose bins are mostly filled."""
    minutes = axis.tz_localize(None).as_unit("s").asi8 // 60
    for freq, length in _BINS.items():
        filled = np.unique(minutes // length)
        if len(filled) > 1 and len(filled) >= _FILLED_BINS * (filled[-1] - filled[0] + 1):
            return freq
    return "MS" if minutes[-1] - minutes[0] > 90 * 1440 else "D"
