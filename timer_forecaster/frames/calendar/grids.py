"""Regular grids: all times from the first to the last of a series by its step.

A time of the grid that the series does not have is a step with a missing value. The step of
several series is given, inferred for each of them, or shared by all.

The times of a series are called an axis, and series with the same times share one. Errors name
an axis as ``name(number)`` does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple, TypeGuard, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.tseries.offsets import BaseOffset, Day, Tick, Week

from timer_forecaster.arrays import FloatArray
from timer_forecaster.frames.calendar.advice import Remedy, asfreq_advice, off_grid, without_step
from timer_forecaster.frames.calendar.axes import (
    Axes,
    alike,
    chosen,
    index_of,
    sizes_of,
    stamps_of,
)
from timer_forecaster.frames.calendar.clock import local_times, on_wall_clock, wall_grid, wall_times
from timer_forecaster.frames.calendar.counting import StepCounter, step_counter
from timer_forecaster.frames.calendar.months import MonthDays, unanchored
from timer_forecaster.frames.calendar.opening import (
    DAY,
    PER_UNIT,
    OpenHours,
    base_step,
    found_opening,
    found_openings,
)
from timer_forecaster.frames.calendar.times import (
    Step,
    most_common_steps,
    regular_steps,
    step_name,
)

Namer = Callable[[int], str]
"""Returns the name of an axis in errors."""

Refusal = Callable[[int, ValueError], None]
"""Raises the error of an axis, or notes it. Only the last time of the axis is then used."""

# Share of a grid that must be observed. With fewer steps, a step that was only guessed is not
# evident.
_EVIDENT_SHARE = 0.5

# Where one step is shared by all, an axis may show another one, such as business days among days.
# If it has this share of the shared grid, or more, the rest counts as missing values.
_SAME_STEP_SHARE = 2 / 3

_LONGEST_GRID = 10_000_000

_NO_REMEDY = Remedy()

_LONGEST_CHANGE = pd.Timedelta(hours=3)  # of a clock


class Grid(NamedTuple):
    """A regular grid, from the first to the last time of an axis by a step."""

    axes: Sequence[pd.Index]
    number: int  # of the axis among them
    step: Step
    places: NDArray[np.intp]  # of each time of the axis, ascending from 0

    @classmethod
    def of(cls, axis: pd.Index, step: Step) -> Grid | None:
        """Return the grid of an axis; None if a time is not on it."""
        return grids_on([axis], [step])[0]

    @property
    def axis(self) -> pd.Index:
        """The times that are there."""
        return self.axes[self.number]

    @property
    def size(self) -> int:
        """Number of times of the grid."""
        return int(self.places[-1]) + 1

    @property
    def times(self) -> pd.Index:
        """All times of the grid."""
        return cast(pd.Index, regular_grid(self.axis, self.step))

    def lay(self, values: FloatArray) -> FloatArray:
        """Lay values (variables, times of the axis) on the grid: (variables, times of the grid)."""
        if values.shape[1] == self.size:
            return values
        laid = np.full((len(values), self.size), np.nan)
        laid[:, self.places] = values
        return laid

    def is_evident(self) -> bool:
        """Whether at least half of the grid's times are there."""
        return len(self.places) >= _EVIDENT_SHARE * self.size


def _raise(number: int, error: ValueError) -> None:
    raise error


def given_grids(
    axes: Sequence[pd.Index],
    step: Step,
    name: Namer,
    remedy: Remedy = _NO_REMEDY,
    refuse: Refusal = _raise,
) -> list[Grid]:
    """Return the grid of each axis by a step that is given.

    Parameters
    ----------
    axes : sequence of pandas.Index
        Each sorted and distinct.
    step : offset or int
    name : callable
    remedy : Remedy
        How to make the times regular, for errors.
    refuse : callable
        Raises or notes the error of an axis.

    Raises
    ------
    ValueError
        If a time is not on the grid.
    """
    grids = []
    for number, grid in enumerate(grids_on(axes, [step] * len(axes))):
        if grid is None:
            axis = axes[number]
            found = evident_grid(axis, own_step(axis), None)
            other = None if found is None else found.step
            refuse(number, off_grid(axis, step, other, name(number), remedy))
            grid = _last_alone(axis, step)
        grids.append(grid)
    return grids


def inferred_grids(
    axes: Sequence[pd.Index],
    series: Iterable[int],
    name: Namer,
    remedy: Remedy = _NO_REMEDY,
    refuse: Refusal = _raise,
) -> list[Grid]:
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
    remedy : Remedy
        How to make the times regular, for errors.
    refuse : callable
        Raises or notes the error of an axis.

    Raises
    ------
    ValueError
        If no step is evident.
    """
    own = own_steps(axes)
    votes = Counter(own[number] for number in series if own[number] is not None)
    common = votes.most_common(1)[0][0] if votes else None
    grids = []
    for number, grid in enumerate(evident_grids(axes, own, common)):
        if grid is None:
            error = without_step(axes[number], name(number), remedy)
            refuse(number, error)
            if common is None:
                raise error
            grid = _last_alone(axes[number], common)
        grids.append(grid)
    return grids


def _last_alone(axis: pd.Index, step: Step) -> Grid:
    return Grid([axis[-1:]], 0, step, np.zeros(1, dtype=np.intp))


def own_step(times: pd.Index) -> Step | None:
    """Return the step that times show: along open days or hours, or regular; None without one."""
    return own_steps([times])[0]


def own_steps(axes: Sequence[pd.Index]) -> list[Step | None]:
    """Return `own_step` of each axis."""
    own: list[Step | None] = [None] * len(axes)
    for numbers, same in alike(axes):
        found: list[Step | None] = [None] * len(same)
        if isinstance(same.joined, pd.DatetimeIndex):
            found = list(found_openings(same))
        others = np.array([i for i, step in enumerate(found) if step is None], dtype=np.intp)
        if len(others):
            for place, step in zip(others.tolist(), regular_steps(same.take(others)), strict=True):
                found[place] = step
        for number, step in zip(numbers.tolist(), found, strict=True):
            own[number] = step
    return own


def grids_on(axes: Sequence[pd.Index], steps: Sequence[Step | None]) -> list[Grid | None]:
    """Return the grid of each axis by its step; None where there is no step or it has none."""
    grids: list[Grid | None] = [None] * len(axes)
    for numbers, same in alike(axes):
        asked = np.array([i for i, n in enumerate(numbers) if steps[n] is not None], dtype=np.intp)
        if not len(asked):
            continue
        own = [cast(Step, steps[n]) for n in numbers[asked]]
        for place, found in zip(asked.tolist(), _all_places(same.take(asked), own), strict=True):
            if found is not None:
                number = int(numbers[place])
                grids[number] = Grid(axes, number, cast(Step, steps[number]), found)
    return grids


def _all_places(axes: Axes, steps: Sequence[Step]) -> list[NDArray[np.intp] | None]:
    """Return `places_on` of each axis of one type."""
    found, counted = counted_steps(axes, axes.joined[axes.starts], steps)
    for number in np.flatnonzero(~counted).tolist():
        found[number] = places_on(axes[number], steps[number])
    return found


def counted_steps(
    axes: Axes, ends: pd.Index, steps: Sequence[Step]
) -> tuple[list[NDArray[np.intp] | None], NDArray[np.bool_]]:
    """Count the steps from ends to axes, where they are counted in integers.

    Parameters
    ----------
    axes : Axes
    ends : pandas.Index
        A time for each axis, of the same type.
    steps : sequence of offset or int
        Of each axis.

    Returns
    -------
    found : list of ndarray of int, or None
        The number of steps from an end to each time. None if a time is no whole step, if they are
        very many, or if they are not counted.
    counted : ndarray of bool
        Whether the steps of each axis are counted in integers.
    """
    codes, counted = _codes(ends, steps), np.zeros(len(axes), dtype=bool)
    found: list[NDArray[np.intp] | None] = [None] * len(axes)
    for code in np.unique(codes):
        rows = np.flatnonzero(codes == code)
        counter = step_counter(ends[rows[:1]], steps[rows[0]])
        if counter is None:
            continue
        counted[rows], same = True, axes.take(rows)
        numbers, whole = counter.after(same.spread(stamps_of(ends)[rows]), same.stamps)
        fits = same.each(np.maximum, np.abs(numbers)) <= _longest_grid(same.sizes)
        whole_axes = (same.each(np.logical_and, whole) & fits).tolist()
        parts = pairwise(same.bounds.tolist())
        for row, is_whole, (start, stop) in zip(rows.tolist(), whole_axes, parts, strict=True):
            if is_whole:
                found[row] = numbers[start:stop].astype(np.intp, copy=False)
    return found, counted


def shared_grids(axes: Sequence[pd.Index], known: Iterable[Step], name: Namer) -> list[Grid]:
    """Return the grid of each axis, where all must have the same step.

    Steps along different open days or hours of one full calendar count as the same, and so do
    weeks, months, quarters and years that begin on different days or in different months.

    Parameters
    ----------
    axes : sequence of pandas.Index
        Sorted times.
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
    shown, votes = _shown_steps(axes, name), Counter(known)
    if not votes:
        for step, size in zip(_with_most_common(axes, shown), sizes_of(axes), strict=True):
            if step is not None:
                votes[step] += size
    common = votes.most_common(1)[0][0] if votes else None
    evident = evident_grids(axes, [common] * len(axes), None)
    return [
        _checked_grid(axes, number, shown[number], common, found, name)
        for number, found in enumerate(evident)
    ]


def are_distinct(times: pd.Index) -> bool:
    """Whether no time is there twice."""
    if isinstance(times, pd.DatetimeIndex | pd.PeriodIndex):  # most are sorted: quick to see
        return bool((np.diff(times.asi8) > 0).all()) or times.is_unique
    return times.is_unique


def _shown_steps(axes: Sequence[pd.Index], name: Namer) -> list[Step | None]:
    """Return the steps that indexes have, or else those that their times show."""
    shown: list[Step | None] = [None] * len(axes)
    for numbers, same in alike(axes):
        _refuse_unusable(axes, numbers, same, name)
        parts = [same.joined] * len(same) if isinstance(axes, Axes) else [axes[n] for n in numbers]
        own = [_step_of_index(part) for part in parts]
        others = np.array([i for i, step in enumerate(own) if step is None], dtype=np.intp)
        single = pd.api.types.is_integer_dtype(same.joined.dtype) & (same.sizes == 1)
        for place, step in zip(others.tolist(), own_steps(chosen(same, others)), strict=True):
            own[place] = 1 if single[place] else step
        for number, step in zip(numbers.tolist(), own, strict=True):
            shown[number] = step
    return shown


def _refuse_unusable(
    axes: Sequence[pd.Index], numbers: NDArray[np.intp], same: Axes, name: Namer
) -> None:
    """Refuse times that are there twice, or that are neither dates, periods nor integers."""
    times = same.joined
    is_time = isinstance(times, pd.DatetimeIndex | pd.PeriodIndex)
    is_time = is_time or pd.api.types.is_integer_dtype(times.dtype)
    for number in numbers[same.shortest() <= 0] if is_time else numbers[:1]:
        axis = axes[number]
        if not axis.is_unique:
            twice = axis[axis.duplicated()][0]
            raise ValueError(f"{name(number)}: time {twice} is there more than once")
    if not is_time:
        raise TypeError(
            f"{name(int(numbers[0]))} has times of type {times.dtype}; they must be dates, periods "
            "or integers"
        )


def _with_most_common(axes: Sequence[pd.Index], steps: Sequence[Step | None]) -> list[Step | None]:
    """Return steps, and for those that are None the most common step of the axis, if it has one."""
    found = list(steps)
    sizes = sizes_of(axes)
    asked = [i for i, step in enumerate(steps) if step is None and sizes[i] > 1]
    for numbers, same in alike(chosen(axes, asked)):
        for place, step in zip(numbers.tolist(), most_common_steps(same), strict=True):
            found[asked[place]] = step
    return found


def _step_of_index(axis: pd.Index) -> Step | None:
    """Return the step that an index has."""
    if isinstance(axis, pd.DatetimeIndex | pd.PeriodIndex):
        return axis.freq
    return abs(axis.step) if isinstance(axis, pd.RangeIndex) else None


def _checked_grid(
    axes: Sequence[pd.Index],
    number: int,
    own: Step | None,
    common: Step | None,
    found: Grid | None,
    name: Namer,
) -> Grid:
    """Return the grid of the common step, or of the step of an axis if that is no other.

    `found` is the grid of the common step, if that is evident.
    """
    if found is not None and (own is None or own is common):
        return found
    axis, full = axes[number], base_step(common)
    if own is not None and own != common and base_step(own) == full and _is_opening(axis):
        return cast(Grid, Grid.of(axis, own))
    regular = own is not None and own != common
    if found is not None and (not regular or len(axis) >= _SAME_STEP_SHARE * found.size):
        return found
    alone = evident_grid(axis, own, full)
    if alone is not None and unanchored(base_step(alone.step)) == unanchored(full):
        return alone
    if alone is not None:
        raise ValueError(
            f"{name(number)} has a step of {step_name(alone.step)}, others of "
            f"{step_name(common)}; frequencies cannot be mixed: resample y, or fit one forecaster "
            "for each frequency"
        )
    raise ValueError(
        f"{name(number)} has no evident frequency in its {len(axis)} times, {axis[0]} "
        f"to {axis[-1]}; {asfreq_advice(axis)}"
    )


def _is_opening(axis: pd.Index) -> bool:
    return isinstance(axis, pd.DatetimeIndex) and found_opening(axis) is not None


def evident_grid(times: pd.Index, own: Step | None, common: Step | None) -> Grid | None:
    """Return the grid of an evident step, or None if no step is evident.

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
    Grid or None
    """
    return evident_grids([times], [own], common)[0]


def evident_grids(
    axes: Sequence[pd.Index], own: Sequence[Step | None], common: Step | None
) -> list[Grid | None]:
    """Return `evident_grid` of each axis, by its own step."""
    grids = _evident(axes, own)
    others = [common if grid is None else None for grid in grids]
    grids = _filled_in(grids, _evident(axes, others))
    irregular: list[Step | None] = [None] * len(axes)
    asked = [i for i, grid in enumerate(grids) if grid is None and own[i] is None]
    part = chosen(axes, asked)
    for number, step in zip(asked, _with_most_common(part, [None] * len(part)), strict=True):
        irregular[number] = step
    return _filled_in(grids, _evident(axes, irregular))


def _evident(axes: Sequence[pd.Index], steps: Sequence[Step | None]) -> list[Grid | None]:
    if all(step is None for step in steps):
        return [None] * len(axes)
    grids = grids_on(axes, steps)
    return [grid if grid is not None and grid.is_evident() else None for grid in grids]


def _filled_in(grids: list[Grid | None], others: list[Grid | None]) -> list[Grid | None]:
    return [grid or other for grid, other in zip(grids, others, strict=True)]


def places_on(times: pd.Index, step: Step) -> NDArray[np.intp] | None:
    """Return the places of sorted times in their regular grid; None if one is not on it."""
    counter = step_counter(times, step)
    if counter is None:
        grid = regular_grid(times, step)
        return None if grid is None else grid.get_indexer(times)
    stamps = stamps_of(times)
    places, whole = counter.after(stamps[0], stamps)
    if not whole.all() or places[-1] > _longest_grid(len(times)):
        return None
    return places.astype(np.intp, copy=False)


def _longest_grid(sizes: Any) -> Any:
    """Return the length of a grid, for a number of times, that surely fits in memory."""
    return _LONGEST_GRID + 1000 * sizes


def steps_between(start: pd.Index, times: pd.Index, step: Step) -> NDArray[np.intp] | None:
    """Return the number of steps from one time to others; None if one is no whole step.

    Parameters
    ----------
    start : pandas.Index
        Whose last time is counted from.
    times : pandas.Index
        Sorted, distinct and of the same kind.
    step : offset or int
    """
    if isinstance(start, pd.DatetimeIndex) and isinstance(times, pd.DatetimeIndex):
        finest = min(start.unit, times.unit, key=PER_UNIT.__getitem__)
        start, times = start.as_unit(finest), times.as_unit(finest)
    counter = step_counter(start, step)
    if counter is None:
        grid = regular_grid(start.union(times), step)
        return None if grid is None else grid.get_indexer(times) - grid.get_indexer(start)[-1]
    numbers, whole = counter.after(stamps_of(start)[-1], stamps_of(times))
    if not whole.all() or np.abs(numbers).max(initial=0) > _longest_grid(len(times)):
        return None
    return numbers.astype(np.intp, copy=False)


def lies_too_far(start: pd.Index, times: pd.Index, step: Step) -> bool:
    """Whether times are whole steps from another, but too many for a grid that fits in memory.

    The parameters are those of `steps_between`, which returns None for such times.
    """
    finest = start[-1:].union(times)
    counter = step_counter(finest, step)
    if counter is None:
        return _rough_length(cast(pd.DatetimeIndex, finest), step) > _longest_grid(len(times))
    numbers, whole = counter.after(stamps_of(finest)[0], stamps_of(finest))
    return bool(whole.all() and numbers[-1] > _longest_grid(len(times)))


def regular_grid(times: pd.Index, step: Step) -> pd.Index | None:
    """Return all times from the first to the last by a step; None if a given time is not on it.

    Return None also if the grid is so much longer than the times that it might not fit in memory.
    """
    if _needs_wall(times, step):
        grid = regular_grid(times.tz_localize(None).unique().sort_values(), step)
        grid = None if grid is None else _localized(cast(pd.DatetimeIndex, grid), times)
        return grid if grid is not None and times.isin(grid).all() else None
    if on_wall_clock(times, step):
        return wall_grid(times, lambda wall: regular_grid(wall, step))
    if step_counter(times, step) is not None:
        places = places_on(times, step)
        return None if places is None else _counted(times, step, 0, int(places[-1]) + 1)
    times = cast(pd.DatetimeIndex, times)
    if _rough_length(times, step) > _longest_grid(len(times)):
        return None
    walked = pd.date_range(times[0], times[-1], freq=cast(BaseOffset, step)).as_unit(times.unit)
    if walked.equals(times):  # quicker than to look up each time
        return walked
    return walked if len(walked) >= len(times) and times.isin(walked).all() else None


def _rough_length(times: pd.DatetimeIndex, step: Step) -> float:
    """Return the number of steps from the first time to the last, to the order of magnitude."""
    start = pd.Timestamp("2024-01-01")
    return (times[-1] - times[0]) / ((start + 10 * cast(BaseOffset, step)) - start) * 10


def future_times(times: pd.Index, step: Step, horizon: int) -> pd.Index:
    """Return the `horizon` times after the last of `times`, which lies on the grid of `step`.

    Examples
    --------
    >>> month_ends = pd.DatetimeIndex(["2023-12-31", "2024-01-31"])
    >>> future_times(month_ends, pd.offsets.MonthEnd(), 2).strftime("%Y-%m-%d").tolist()
    ['2024-02-29', '2024-03-31']
    """
    last = times[-1:]
    if _needs_wall(last, step):
        wall = last.tz_localize(None)
        grid = _localized(_both_ways(wall, step, 0, horizon), last)
        return grid[grid > last[0]][:horizon]
    if on_wall_clock(times, step):
        return local_times(_dates(future_times(wall_times(times), step, horizon)), times.tz)
    if step_counter(last, step) is not None:
        return _counted(last, step, 1, horizon + 1)
    walked = pd.date_range(last[0], periods=horizon + 1, freq=cast(BaseOffset, step))
    return walked.as_unit(cast(pd.DatetimeIndex, times).unit)[1:]


def times_after(ends: pd.Index, steps: Sequence[Step], numbers: NDArray[np.intp]) -> pd.Index:
    """Return the times that lie numbers of steps after each end by its own step.

    Parameters
    ----------
    ends : pandas.Index
    steps : sequence of offset or int
        Of each end.
    numbers : ndarray of int, shape (ends, n)

    Returns
    -------
    pandas.Index
        The `n` times of the first end first.
    """
    stamps, codes = stamps_of(ends), _codes(ends, steps)
    found = np.empty(numbers.shape, dtype=np.int64)
    for code in np.unique(codes):
        rows = np.flatnonzero(codes == code)
        step = steps[rows[0]]
        counter = step_counter(ends[rows[:1]], step)
        if counter is not None:
            found[rows] = counter.at(stamps[rows, None], numbers[rows].astype(np.int64))
            continue
        asked, which = np.unique(
            np.column_stack([stamps[rows], numbers[rows]]), axis=0, return_inverse=True
        )
        walked = [_walked(index_of(row[:1], ends), step, row[1:]) for row in asked]
        found[rows] = np.stack(walked)[which.ravel()]
    return index_of(found.ravel(), ends)


def _walked(end: pd.Index, step: Step, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the stamps that lie numbers of steps after one time, walked by pandas."""
    if not numbers.size:
        return numbers
    past = past_times(end, step, max(0, -int(numbers.min())))
    around = past.append(end).append(future_times(end, step, max(0, int(numbers.max()))))
    return stamps_of(around)[numbers + len(past)]


def _codes(ends: pd.Index, steps: Sequence[Step]) -> NDArray[np.intp]:
    """Return equal numbers for ends that are counted alike, by one `step_counter`."""
    code = {step: i for i, step in enumerate(dict.fromkeys(steps))}
    by_step = np.array([code[step] for step in steps], dtype=np.intp)
    if not isinstance(ends, pd.DatetimeIndex) or all(map(_counts_from_any_time, code)):
        return by_step
    day = DAY // PER_UNIT[ends.unit]
    marks = ends.asi8 % day
    if any(type(step) is pd.DateOffset for step in code):  # which keep the day of the month
        marks += day * MonthDays.of(ends.asi8, ends.unit).day
    _, clock = np.unique(marks, return_inverse=True)
    return by_step * (1 + clock.max(initial=0)) + clock


def _counts_from_any_time(step: Step) -> bool:
    """Whether steps are counted alike, at whatever time of the day or month they begin."""
    return isinstance(step, int | OpenHours | Tick | Day | Week)


def past_times(times: pd.Index, step: Step, count: int) -> pd.Index:
    """Return the `count` times before the first of `times`, which lies on the grid of `step`."""
    first = times[:1]
    if _needs_wall(first, step):
        wall = first.tz_localize(None)
        grid = _localized(_both_ways(wall, step, count, 0), first)
        before = grid[grid < first[0]]
        return before[len(before) - count :]
    if on_wall_clock(times, step):
        return local_times(_dates(past_times(wall_times(times), step, count)), times.tz)
    if step_counter(first, step) is not None:
        return _counted(first, step, -count, 0)
    walked = pd.date_range(end=first[0], periods=count + 1, freq=cast(BaseOffset, step))
    return walked.as_unit(cast(pd.DatetimeIndex, times).unit)[:-1]


def _dates(times: pd.Index) -> pd.DatetimeIndex:
    return cast(pd.DatetimeIndex, times)


def _counted(times: pd.Index, step: Step, start: int, stop: int) -> pd.Index:
    """Return the times of a range of numbers of steps after the first of `times`."""
    counter = cast(StepCounter, step_counter(times, step))
    return index_of(counter.at(stamps_of(times)[0], np.arange(start, stop)), times)


def _needs_wall(times: pd.Index, step: Step) -> TypeGuard[pd.DatetimeIndex]:
    """Whether to walk on the clock of the wall: open hours are hours of a time zone."""
    return isinstance(step, OpenHours) and getattr(times, "tz", None) is not None


def _both_ways(wall: pd.DatetimeIndex, step: Step, past: int, future: int) -> pd.DatetimeIndex:
    """Return times before and after one, with some more at both ends for changes of the clock."""
    more = 1 + _LONGEST_CHANGE // pd.Timedelta(cast(OpenHours, step).width)
    return cast(pd.DatetimeIndex, _counted(wall, step, -past - more, future + more + 1))


def _localized(wall: pd.DatetimeIndex, like: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Return times of the wall in a time zone: hours that are skipped not, repeated ones twice."""
    once, twice = (
        wall.tz_localize(like.tz, ambiguous=np.full(len(wall), is_dst), nonexistent="NaT")
        for is_dst in (True, False)
    )
    both = once.union(twice)
    return both[both.notna()].as_unit(like.unit)
