"""Regular grids: all times from the first to the last of a series by its step.

A time of the grid that the series does not have is a step with a missing value. The step of
several series is given, inferred for each of them, or shared by all.

The times of a series are called an axis, and series with the same times share one. Errors name
an axis as ``name(number)`` does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.tseries.offsets import BaseOffset

from timer_forecaster.arrays import FloatArray
from timer_forecaster.frames.clock import local_times, on_wall_clock, wall_grid, wall_times
from timer_forecaster.frames.times import Step, most_common_step, regular_step, step_name

Namer = Callable[[int], str]
"""Returns the name of an axis in errors."""

# Share of a grid that must be observed. With fewer steps, a step that was only guessed is not
# evident.
_EVIDENT_SHARE = 0.5

# Where one step is shared by all, an axis may show another one, such as business days among days.
# If it has this share of the shared grid, or more, the rest counts as missing values.
_SAME_STEP_SHARE = 2 / 3

_LONGEST_GRID = 10_000_000


class Grid(NamedTuple):
    """A regular grid, and the places of an axis in it."""

    times: pd.Index
    step: Step
    places: NDArray[np.intp]  # of each time of the axis, ascending

    @classmethod
    def of(cls, axis: pd.Index, step: Step, times: pd.Index) -> Grid:
        """Return a grid whose times include those of an axis."""
        complete = len(axis) == len(times)
        return cls(times, step, np.arange(len(axis)) if complete else times.get_indexer(axis))

    def lay(self, values: FloatArray) -> FloatArray:
        """Lay values (variables, times of the axis) on the grid: (variables, times of the grid)."""
        if values.shape[1] == len(self.times):
            return values
        laid = np.full((len(values), len(self.times)), np.nan)
        laid[:, self.places] = values
        return laid


def given_grids(axes: Sequence[pd.Index], step: Step, name: Namer) -> list[Grid]:
    """Return the grid of each axis by a step that is given.

    Parameters
    ----------
    axes : sequence of pandas.Index
        Each sorted and distinct.
    step : offset or int
    name : callable

    Raises
    ------
    ValueError
        If a time is not on the grid.
    """
    grids = []
    for number, axis in enumerate(axes):
        times = regular_grid(axis, step)
        if times is None:
            raise ValueError(
                f"{name(number)}the times from {axis[0]} to {axis[-1]} do not all lie on "
                f"the grid of freq={step_name(step)!r}; leave freq out to have it inferred"
            )
        grids.append(Grid.of(axis, step, times))
    return grids


def inferred_grids(axes: Sequence[pd.Index], series: Iterable[int], name: Namer) -> list[Grid]:
    """Return the grid of each axis by its own step, which may differ from the steps of others.

    An axis that shows no step takes the step that most series have, then the most common distance
    of its times.

    Parameters
    ----------
    axes : sequence of pandas.Index
        Each sorted and distinct.
    series : iterable of int
        Number of the axis of each series.
    name : callable

    Raises
    ------
    ValueError
        If no step is evident.
    """
    own = [regular_step(axis) for axis in axes]
    votes = Counter(own[number] for number in series if own[number] is not None)
    common = votes.most_common(1)[0][0] if votes else None
    grids = []
    for number, axis in enumerate(axes):
        found = evident_grid(axis, own[number], common)
        if found is None:
            raise _without_step(axis, name(number))
        grids.append(Grid.of(axis, *found))
    return grids


def _without_step(axis: pd.Index, name: str) -> ValueError:
    if len(axis) == 1:
        return ValueError(
            f"{name}a frequency cannot be inferred from a single time; pass freq, for "
            "example freq='D'"
        )
    return ValueError(
        f"{name}no frequency can be inferred from its {len(axis)} times, {axis[0]} to "
        f"{axis[-1]}: they are irregular or more than half of them are missing; pass freq, for "
        "example freq='h', to fill in missing steps, or resample"
    )


def shared_steps(
    axes: Mapping[int, pd.Index], known: Iterable[Step], name: Namer
) -> dict[int, Step]:
    """Return the step of each axis, where all must have the same one.

    Parameters
    ----------
    axes : mapping of int to pandas.Index
        Sorted times by the number of the axis.
    known : iterable of offset or int
        Steps that are known from earlier series. The most common one is shared; if there is none,
        the step of most times.
    name : callable

    Raises
    ------
    ValueError
        If times are not distinct, or an axis has no evident step or another one.
    TypeError
        If times are neither dates, periods nor integers.
    """
    shown = {number: _shown_step(axis, number, name) for number, axis in axes.items()}
    votes = Counter(known)
    if not votes:
        for number, own in shown.items():
            axis = axes[number]
            step = own if own is not None or len(axis) < 2 else most_common_step(axis)
            votes.update({step: len(axis)} if step is not None else {})
    common = votes.most_common(1)[0][0] if votes else None
    return {
        number: _checked_step(axis, shown[number], common, number, name)
        for number, axis in axes.items()
    }


def _shown_step(axis: pd.Index, number: int, name: Namer) -> Step | None:
    """Return the step that the times of an axis show; integer times count by ones."""
    if not axis.is_unique:
        twice = axis[axis.duplicated()][0]
        raise ValueError(f"{name(number)}: time {twice} is there more than once")
    if isinstance(axis, pd.DatetimeIndex | pd.PeriodIndex):
        return axis.freq or regular_step(axis)
    if pd.api.types.is_integer_dtype(axis.dtype):
        return 1
    raise TypeError(
        f"{name(number)} has times of type {axis.dtype}; they must be dates, periods or integers"
    )


def _checked_step(
    axis: pd.Index, own: Step | None, common: Step | None, number: int, name: Namer
) -> Step:
    """Return the common step, or the step of an axis if that is no other."""
    found = evident_grid(axis, common, None)
    regular = own is not None and own != common
    if found is not None and (not regular or len(axis) >= _SAME_STEP_SHARE * len(found[1])):
        return found[0]
    alone = evident_grid(axis, own, None)
    if alone is not None and alone[0] != common:
        raise ValueError(
            f"{name(number)} has a step of {step_name(alone[0])}, others of "
            f"{step_name(common)}; frequencies cannot be mixed: resample y, or fit one forecaster "
            "for each frequency"
        )
    raise ValueError(
        f"{name(number)} has no evident frequency in its {len(axis)} times, {axis[0]} "
        f"to {axis[-1]}; set it, for example by y.asfreq('h'), resample, or use an integer index "
        "without gaps"
    )


def evident_grid(
    times: pd.Index, own: Step | None, common: Step | None
) -> tuple[Step, pd.Index] | None:
    """Return an evident step and its regular grid, or None if no step is evident.

    A step is evident if all times lie on its grid and are at least half of it.

    Parameters
    ----------
    times : pandas.Index
        Sorted and distinct.
    own : offset or int, optional
        The step that these times show, the first choice.
    common : offset or int, optional
        The step that most series have, the second choice.

    Returns
    -------
    step : offset or int
    grid : pandas.Index
    """
    guess = most_common_step(times) if own is None and len(times) > 1 else None
    for step in (own, common, guess):
        grid = None if step is None else regular_grid(times, step)
        if step is not None and grid is not None and len(times) >= _EVIDENT_SHARE * len(grid):
            return step, grid
    return None


def regular_grid(times: pd.Index, step: Step) -> pd.Index | None:
    """Return all times from the first to the last by a step; None if a given time is not on it.

    Return None also if the grid is so much longer than the times that it might not fit in memory.
    """
    if on_wall_clock(times, step):
        return wall_grid(times, lambda wall: regular_grid(wall, step))
    first, last = times[0], times[-1]
    if _rough_length(times, step) > _LONGEST_GRID + 1000 * len(times):
        return None
    if isinstance(times, pd.PeriodIndex):
        grid: pd.Index = pd.period_range(first, last, freq=times.freq)
    elif isinstance(times, pd.DatetimeIndex):
        grid = pd.date_range(first, last, freq=cast(BaseOffset, step)).as_unit(times.unit)
    else:
        grid = pd.RangeIndex(int(first), int(last) + 1, cast(int, step))
    if grid.equals(times):  # quicker than to look up each time
        return grid
    return grid if len(grid) >= len(times) and times.isin(grid).all() else None


def _rough_length(times: pd.Index, step: Step) -> float:
    """Return the number of steps from the first time to the last, to the order of magnitude."""
    first, last = times[0], times[-1]
    if isinstance(times, pd.PeriodIndex):
        return (last.ordinal - first.ordinal) / max(1, last.freq.n)
    if isinstance(times, pd.DatetimeIndex):
        start = pd.Timestamp("2024-01-01")
        return (last - first) / ((start + 10 * cast(BaseOffset, step)) - start) * 10
    return (int(last) - int(first)) / cast(int, step)


def future_times(times: pd.Index, step: Step, horizon: int) -> pd.Index:
    """Return the `horizon` times after the last of `times`, which lies on the grid of `step`.

    Examples
    --------
    >>> month_ends = pd.DatetimeIndex(["2023-12-31", "2024-01-31"])
    >>> future_times(month_ends, pd.offsets.MonthEnd(), 2).strftime("%Y-%m-%d").tolist()
    ['2024-02-29', '2024-03-31']
    """
    if on_wall_clock(times, step):
        wall = cast(pd.DatetimeIndex, future_times(wall_times(times), step, horizon))
        return local_times(wall, times.tz)
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
    if on_wall_clock(times, step):
        wall = cast(pd.DatetimeIndex, past_times(wall_times(times), step, count))
        return local_times(wall, times.tz)
    first = times[0]
    if isinstance(times, pd.PeriodIndex):
        return pd.period_range(end=first, periods=count + 1, freq=times.freq)[:-1]
    if isinstance(times, pd.DatetimeIndex):
        return pd.date_range(end=first, periods=count + 1, freq=cast(BaseOffset, step)).as_unit(
            times.unit
        )[:-1]
    return pd.Index(int(first) - cast(int, step) * np.arange(count, 0, -1))
