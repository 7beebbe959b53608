"""The memory of a forecaster: the newest steps of each instance of a panel, on a regular grid.

A single series is a panel of one instance. A step of the grid without a value is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from itertools import islice
from typing import NamedTuple, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from timer_forecaster.arrays import FloatArray
from timer_forecaster.failures import Failures, warn_of_failures
from timer_forecaster.frames.calendar.axes import (
    Axes,
    chosen,
    index_of,
    last_times,
    sizes_of,
    stamps_of,
)
from timer_forecaster.frames.calendar.clock import last_time, local_times, on_wall_clock, wall_times
from timer_forecaster.frames.calendar.grids import (
    Grid,
    are_distinct,
    counted_steps,
    lies_too_far,
    shared_grids,
    steps_between,
    times_after,
)
from timer_forecaster.frames.calendar.opening import base_step
from timer_forecaster.frames.calendar.times import Step, step_name
from timer_forecaster.frames.panel import Panel, label


class History(NamedTuple):
    """The newest steps of an instance."""

    end: pd.Index  # whose last time is the last one; instances that end together share the object
    step: Step
    values: FloatArray  # (variables, steps), NaN where missing

    def times(self) -> pd.Index:
        """Return the times of all remembered steps."""
        return times_at(self, np.arange(1 - self.values.shape[1], 1))


Histories = Mapping[Hashable, History]
"""By instance; a single series has the key ``()``."""


def extended(
    histories: Histories, panel: Panel, memory: int, may_be_empty: bool = False
) -> dict[Hashable, History]:
    """Return histories with the values of a panel written over them, and its new instances.

    Parameters
    ----------
    histories : mapping of instance to History
    panel : Panel
    memory : int
        Newest steps to keep of each instance.
    may_be_empty : bool
        Whether a new instance may have a variable without any value.

    Returns
    -------
    dict of instance to History
        All instances, the new ones last.

    Raises
    ------
    ValueError
        If the times of an instance are not distinct, have no evident step or another step than
        the other instances, or are not on the grid of its history; if a new instance has a
        variable without any value.
    """
    for history in islice(histories.values(), 1):  # all have the same kind of times
        for times in islice(panel.axes, 1):
            refuse_other_kind(history.end, times, f"{panel.axis_label(0)}: times")
    started = _started(panel, histories, may_be_empty)
    known = dict(histories)
    ends = _ends(panel.axes)
    by_clock: dict[tuple[int, int], pd.Index] = {}
    new = [key not in known for key in panel.keys]
    places = iter(_all_steps_after(known, panel, lambda axis: f"{panel.axis_label(axis)}: times"))
    for key, is_new, axis, values in zip(panel.keys, new, panel.axis, panel.values, strict=True):
        if is_new:
            grid = started[axis]
            known[key] = History(ends[axis], grid.step, grid.lay(values)[:, -memory:].copy())
            continue
        old, end = known[key], ends[axis]
        if getattr(end, "tz", None) is not None:
            end = by_clock.setdefault((axis, id(old.end)), last_time(panel.axes[axis], old.end))
        merged = _overwritten(old.values, next(places), values)[:, -memory:]
        known[key] = History(end, old.step, merged.copy())
    return known


def _ends(axes: Sequence[pd.Index]) -> list[pd.Index]:
    """Return `last_time` of each axis, with no earlier one."""
    if isinstance(axes, Axes) and getattr(axes.joined, "tz", None) is None:
        return last_times(axes)
    return [last_time(axis, axis[:0]) for axis in axes]


def _started(panel: Panel, histories: Histories, may_be_empty: bool) -> dict[int, Grid]:
    """Return the grids of new instances by their axes."""
    new = [i for i, key in enumerate(panel.keys) if key not in histories]
    numbers = sorted({panel.axis[i] for i in new})
    steps = (history.step for history in histories.values())
    found = shared_grids(chosen(panel.axes, numbers), steps, lambda i: panel.axis_label(numbers[i]))
    grids = dict(zip(numbers, found, strict=True))
    for i in new:
        if not may_be_empty and np.isnan(panel.values[i]).all(axis=1).any():
            raise ValueError(f"{label(panel.keys[i])} has a variable without any observed value")
    return grids


def steps_after(history: History, times: pd.Index, name: str) -> NDArray[np.intp]:
    """Return the number of steps from the end of a history to sorted times; negative before it.

    Raises
    ------
    ValueError
        If the times, which errors call `name`, are not of the kind of the history's, or not
        distinct steps of its grid.
    """
    refuse_other_kind(history.end, times, name)
    steps = steps_between(history.end, times, history.step) if are_distinct(times) else None
    if steps is None:
        raise _off_steps(history, times, name)
    return steps


def _all_steps_after(
    histories: Histories, panel: Panel, name: Callable[[int], str]
) -> list[NDArray[np.intp]]:
    """Return `steps_after` for the instances of a panel that have a history, in their order.

    `name` returns the name of the times of an axis in errors.
    """
    pairs = [
        (histories[key], axis)
        for key, axis in zip(panel.keys, panel.axis, strict=True)
        if key in histories
    ]
    place: dict[tuple[int, int, int], int] = {}  # instances may share times
    own = [place.setdefault((axis, id(old.end), id(old.step)), len(place)) for old, axis in pairs]
    first = np.unique(np.array(own, dtype=np.intp), return_index=True)[1].tolist()
    pairs = [pairs[i] for i in first]
    counted = _counted(pairs, panel.axes)
    found = [
        steps_after(old, panel.axes[axis], name(axis)) if steps is None else steps
        for (old, axis), steps in zip(pairs, counted, strict=True)
    ]
    return [found[i] for i in own]


def _counted(
    pairs: Sequence[tuple[History, int]], axes: Sequence[pd.Index]
) -> list[NDArray[np.intp] | None]:
    """Return the steps from histories to axes, by their numbers, that are counted together.

    None stands for those that `steps_after` has to count, or refuse.
    """
    if len(pairs) < 2 or not isinstance(axes, Axes):
        return [None] * len(pairs)
    first = pairs[0][0].end
    if any(old.end.dtype != axes.joined.dtype for old, _ in pairs):
        return [None] * len(pairs)
    ends = index_of(np.array([stamps_of(old.end)[-1] for old, _ in pairs]), first)
    asked = axes.take(np.array([axis for _, axis in pairs], dtype=np.intp))
    found, _ = counted_steps(asked, ends, [old.step for old, _ in pairs])
    distinct = asked.shortest() > 0
    return [steps if own else None for steps, own in zip(found, distinct.tolist(), strict=True)]


def refuse_other_kind(known: pd.Index, times: pd.Index, name: str, owner: str = "y") -> None:
    """Refuse times, which errors call `name`, that do not compare to the known ones of an owner.

    Raises
    ------
    ValueError
    """
    if _kind(known) != _kind(times):
        raise ValueError(
            f"{name} are {times.dtype}, those of {owner} are {known.dtype}; use the same kind"
        )


def _kind(times: pd.Index) -> tuple[str, str]:
    """Return the kind of times, and their period or time zone; only equal kinds compare."""
    if isinstance(times, pd.PeriodIndex):
        return "periods", str(times.dtype)
    if isinstance(times, pd.DatetimeIndex):
        return "dates", str(times.tz)
    return ("integers" if pd.api.types.is_integer_dtype(times.dtype) else str(times.dtype)), ""


def _off_steps(history: History, times: pd.Index, name: str) -> ValueError:
    """Return the error about times that are no steps of a history."""
    end, step = history.end, history.step
    full = cast(Step, base_step(step))
    if full != step and times.is_unique and steps_between(end, times, full) is not None:
        closed = next(t for t in times if steps_between(end, pd.DatetimeIndex([t]), step) is None)
        return ValueError(
            f"{name}: {closed} is a {closed.day_name()} and no step of y, which has "
            f"{step_name(step)}; leave it out, or fit with the full calendar, as "
            f"y.asfreq({step_name(full)!r}) makes it"
        )
    if times.is_unique and lies_too_far(end, times, step):
        return ValueError(
            f"{name} from {times[0]} to {times[-1]} lie too far from {end[-1]}, the end of y, for "
            f"the steps of {step_name(step)} between to be filled in; leave the far ones out, or "
            "fit with y after the gap alone"
        )
    return ValueError(
        f"{name} from {times[0]} to {times[-1]} are not all distinct and whole steps of "
        f"{step_name(step)} from {end[-1]}"
    )


def times_at(history: History, steps: NDArray[np.intp]) -> pd.Index:
    """Return the times of steps that are counted from the end of a history, which is step 0."""
    end, step, _ = history
    if on_wall_clock(end, step):
        wall = times_after(wall_times(end)[-1:], [step], steps[None])
        return local_times(cast(pd.DatetimeIndex, wall), end.tz).where(steps != 0, end[-1])
    return times_after(end, [step], steps[None])


def all_times_at(histories: Sequence[History], steps: NDArray[np.intp]) -> Sequence[pd.Index]:
    """Return the times of the same steps from the end of each history."""
    if any(on_wall_clock(end, step) for end, step, _ in histories):
        return [times_at(history, steps) for history in histories]
    first, *others = [history.end for history in histories]
    numbers = np.broadcast_to(steps, (len(histories), len(steps)))
    times = times_after(first.append(others), [history.step for history in histories], numbers)
    return Axes(times, np.arange(0, len(times) + 1, len(steps)))


def _overwritten(old: FloatArray, after: NDArray[np.intp], new: FloatArray) -> FloatArray:
    """Return old values (variables, steps) with new values (variables, times) written over them.

    `after` holds the place of each new value, in steps after the last old one. The result reaches
    from the first step of both to the last new one; a step without a value is missing.
    """
    places = after + old.shape[1] - 1
    lead = max(0, -places[0])
    kept = old[:, : max(0, places[-1] + 1)]
    values = np.full((len(old), lead + places[-1] + 1), np.nan)
    values[:, lead : lead + kept.shape[1]] = kept
    values[:, lead + places] = new
    return values


class Memory(NamedTuple):
    """The newest steps of all series of a frame, with the labels of its rows and columns."""

    histories: Histories
    instances: pd.Index | None  # in the order of the histories; None for a single series
    columns: pd.Index
    index_names: list[Hashable]

    @classmethod
    def of(cls, y: pd.DataFrame, length: int, on_error: str = "raise") -> Memory:
        """Return the memory of a frame: of each series at most `length` steps."""
        return cls({}, None, y.columns, list(y.index.names)).updated(y, length, on_error)

    def updated(self, y: pd.DataFrame, length: int, on_error: str = "raise") -> Memory:
        """Return the memory after later values, which may bring new instances; see `extended`.

        With ``on_error="nan"`` a variable with infinite values has none, and a warning says so.
        """
        failures = Failures(on_error)
        panel = Panel.of(y, failures)
        n_series = len(panel.keys) * len(self.columns)
        warn_of_failures(failures.reasons, n_series, str)
        instances = self.instances
        if panel.instances is not None:
            new = [i for i, key in enumerate(panel.keys) if key not in self.histories]
            added = panel.instances.take(new)
            instances = added if instances is None else instances.append(added)
        histories = extended(self.histories, panel, length, failures.collects)
        return self._replace(histories=histories, instances=instances)

    def matched(self, y: pd.DataFrame) -> pd.DataFrame:
        """Return a frame with its columns in the order of this memory.

        Raises
        ------
        ValueError
            If the frame has other columns or another number of index levels.
        """
        given, known = y.columns, self.columns
        same = set(given) == set(known) or len(given) == len(known) == 1
        if not same or y.index.nlevels != len(self.index_names):
            raise ValueError(
                f"y has columns {list(given)} and {y.index.nlevels} index levels; it needs "
                f"{list(known)} and {len(self.index_names)}, as in fit"
            )
        return y[known] if len(known) > 1 else y

    def next_time(self) -> int:
        """Return the time of the next step, at which an array without times continues.

        Instances of different steps continue by ones.

        Raises
        ------
        ValueError
            If the times are not integers.
        """
        ends = [history.end for history in self.histories.values()]
        if not pd.api.types.is_integer_dtype(ends[0]):
            raise ValueError(
                f"y is an array, which has no times; the times of y in fit are {ends[0].dtype}: "
                "pass a pandas object with such an index"
            )
        return self.integer_step() + max(int(end[-1]) for end in ends)

    def integer_step(self) -> int:
        """Return the step of all instances if it is an integer, else 1."""
        step = self.common_step()
        return step if isinstance(step, int) else 1

    def common_step(self) -> Step | None:
        """Return the step of all instances; None if they differ."""
        steps = {history.step for history in self.histories.values()}
        return steps.pop() if len(steps) == 1 else None

    def steps_of(self, panel: Panel, name: str) -> dict[Hashable, NDArray[np.intp]]:
        """Return the steps of each instance of a panel, as `steps_after` counts them.

        Raises
        ------
        ValueError
            If an instance is unknown, or its times, which errors call `name`, are not on the grid.
        """
        for key in panel.keys:
            if key not in self.histories:
                raise ValueError(f"{label(key)} is not known; update with it, or leave it out")
        found = _all_steps_after(self.histories, panel, lambda axis: name)
        return dict(zip(panel.keys, found, strict=True))

    def reaches_beyond(self, frame: pd.DataFrame) -> bool:
        """Whether a frame has rows later than the end of an instance."""
        steps = self.steps_of(Panel.of(frame), "y: times")
        return any(own.max() > 0 for own in steps.values())

    def labeled(self, times: Sequence[pd.Index]) -> pd.Index:
        """Return the index of rows, from the times of each instance in turn."""
        if self.instances is None:
            return times[0].rename(self.index_names[0])
        outer = self.instances.repeat(sizes_of(times))
        levels = [outer.get_level_values(i) for i in range(outer.nlevels)]
        joined = times.joined if isinstance(times, Axes) else times[0].append(list(times[1:]))
        return pd.MultiIndex.from_arrays([*levels, joined], names=self.index_names)

    def frame(self) -> pd.DataFrame:
        """Return all remembered steps as a frame."""
        histories = self.histories.values()
        index = self.labeled([history.times() for history in histories])
        values = np.concatenate([history.values for history in histories], axis=1)
        return pd.DataFrame(values.T, index=index, columns=self.columns)


def shifted(y: pd.DataFrame, by: int, step: int = 1) -> pd.DataFrame:
    """Return a frame with integer times that are multiplied by a step and moved."""
    if isinstance(y.index, pd.MultiIndex):
        return y.set_axis(y.index.set_levels(list(y.index.levels[-1] * step + by), level=-1))
    return y.set_axis(y.index * step + by)
