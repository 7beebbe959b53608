"""What a forecaster remembers of a panel: the newest steps of each instance, on a regular grid.

A panel is a frame whose rows are indexed by time, or by instance levels and time; a single series
is a panel of one instance. A step that is absent from the grid is a missing value.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from timer_forecaster.inference.times import (
    Step,
    evident_grid,
    future_times,
    most_common_step,
    past_times,
    regular_grid,
    regular_step,
)

FloatArray = NDArray[np.float64]

# Share of the common step's grid above which an instance that shows another step, such as business
# days among days, is one with missing values.
_SAME_STEP_SHARE = 2 / 3


class History(NamedTuple):
    """The newest steps of an instance."""

    end: pd.Index  # the last time, alone; instances that end together share the object
    step: Step
    values: FloatArray  # (variables, steps), NaN where missing

    def times(self) -> pd.Index:
        """Return the times of all remembered steps."""
        return times_at(self, np.arange(1 - self.values.shape[1], 1))


Histories = Mapping[Hashable, History]
"""By instance; a single series has the key ``()``."""


class Panel(NamedTuple):
    """A frame cut by instance."""

    instances: pd.Index | None  # None for a single series
    keys: list[Hashable]
    axes: list[pd.Index]  # the distinct indices of times
    axis: list[int]  # number of each instance's axis
    rows: list[NDArray[np.intp]]  # of each instance
    values: list[FloatArray]  # of each instance, (variables, times)

    @classmethod
    def of(cls, y: pd.DataFrame) -> Panel:
        """Cut a frame; an instance is named by the levels of its rows above the time.

        Raises
        ------
        ValueError
            If a value is infinite, or a row has no instance.
        """
        values = y.to_numpy(dtype=np.float64, na_value=np.nan).T
        if np.isinf(values).any():
            variable, row = np.argwhere(np.isinf(values))[0]
            raise ValueError(
                f"y is infinite at {y.index[row]} in column {y.columns[variable]!r}; use NaN for "
                "missing values"
            )
        if not isinstance(y.index, pd.MultiIndex):
            return cls(None, [()], [y.index], [0], [np.arange(len(y))], [values])
        *outer, inner = (np.asarray(codes, dtype=np.int64) for codes in y.index.codes)
        if min(codes.min(initial=0) for codes in (*outer, inner)) < 0:
            raise ValueError("y has a row without an instance or a time: its index holds NaN")
        sizes = tuple(len(level) for level in y.index.levels[:-1])
        group, _ = pd.factorize(np.ravel_multi_index(tuple(outer), sizes))
        rows = np.split(np.argsort(group, kind="stable"), np.bincount(group).cumsum()[:-1])
        instances = y.index.take([block[0] for block in rows]).droplevel(-1)
        times = [inner[block] for block in rows]
        distinct = {codes.tobytes(): codes for codes in times}
        number = dict(zip(distinct, range(len(distinct)), strict=True))
        return cls(
            instances,
            instances.tolist(),
            [y.index.levels[-1].take(codes) for codes in distinct.values()],
            [number[codes.tobytes()] for codes in times],
            rows,
            [values[:, block] for block in rows],
        )

    def axis_label(self, axis: int) -> str:
        """Name of the first instance with these times, for errors."""
        return label(self.keys[self.axis.index(axis)])


def label(key: Hashable) -> str:
    """Name of an instance in errors."""
    return "y" if key == () else f"y, instance {key!r}"


def extended(histories: Histories, panel: Panel, memory: int) -> dict[Hashable, History]:
    """Write a panel's values over what is remembered; add its new instances.

    Parameters
    ----------
    histories : mapping of instance to History
    panel : Panel
    memory : int
        Newest steps to keep of each instance.

    Returns
    -------
    dict of instance to History
        All instances, new ones last.

    Raises
    ------
    ValueError
        If the panel's times are not distinct, have no evident step or several, or are not on the
        grid of what is remembered; if a new instance has a variable without any value.
    """
    known = dict(histories) | _started(panel, histories)
    ends = [times.take([-1]) for times in panel.axes]
    places: dict[tuple[int, int], NDArray[np.intp]] = {}
    for key, axis, values in zip(panel.keys, panel.axis, panel.values, strict=True):
        old = known[key]
        place = (axis, id(old.end))
        if place not in places:
            name = f"{panel.axis_label(axis)}: times"
            places[place] = steps_after(old, panel.axes[axis], name)
        merged = _overwritten(old.values, places[place], values)[:, -memory:]
        known[key] = History(ends[axis], old.step, merged.copy())
    return known


def _started(panel: Panel, histories: Histories) -> dict[Hashable, History]:
    """Histories of new instances; they end at the first time and hold nothing yet."""
    new = [i for i, key in enumerate(panel.keys) if key not in histories]
    steps = _steps(panel, {panel.axis[i] for i in new}, histories.values())
    starts = {axis: panel.axes[axis].take([0]) for axis in steps}
    started = {}
    for i in new:
        key, axis, values = panel.keys[i], panel.axis[i], panel.values[i]
        if np.isnan(values).all(axis=1).any():
            raise ValueError(f"{label(key)} has a variable without any observed value")
        started[key] = History(starts[axis], steps[axis], np.empty((len(values), 0)))
    return started


def _steps(panel: Panel, axes: Iterable[int], known: Iterable[History]) -> dict[int, Step]:
    """Find the step that the instances share, and check that it is each one's."""
    shown = {axis: _shown_step(panel, axis) for axis in axes}
    votes = Counter(history.step for history in known)
    if not votes:
        for axis, own in shown.items():
            times = panel.axes[axis]
            step = own if own is not None or len(times) < 2 else most_common_step(times)
            votes.update({step: len(times)} if step is not None else {})
    common = votes.most_common(1)[0][0] if votes else None
    return {axis: _checked_step(panel, axis, own, common) for axis, own in shown.items()}


def _shown_step(panel: Panel, axis: int) -> Step | None:
    """Step of an axis as far as its times tell; integer times count by ones."""
    times = panel.axes[axis]
    if not times.is_unique:
        raise ValueError(
            f"{panel.axis_label(axis)}: time {times[times.duplicated()][0]} is there more than once"
        )
    if isinstance(times, pd.DatetimeIndex | pd.PeriodIndex):
        return times.freq or regular_step(times)
    if pd.api.types.is_integer_dtype(times.dtype):
        return 1
    raise TypeError(
        f"{panel.axis_label(axis)} has times of type {times.dtype}; they must be dates, periods or "
        "integers"
    )


def _checked_step(panel: Panel, axis: int, own: Step | None, common: Step | None) -> Step:
    """Return the step of a grid of which enough is there, the rest being missing values."""
    times = panel.axes[axis]
    found = evident_grid(times, common, None)
    regular = own is not None and own != common
    if found is not None and (not regular or len(times) >= _SAME_STEP_SHARE * len(found[1])):
        return found[0]
    alone = evident_grid(times, own, None)
    if alone is not None and alone[0] != common:
        raise ValueError(
            f"{panel.axis_label(axis)} has a step of {step_name(alone[0])}, others of "
            f"{step_name(common)}; frequencies cannot be mixed: resample y, or fit one forecaster "
            "for each frequency"
        )
    raise ValueError(
        f"{panel.axis_label(axis)} has no evident frequency in its {len(times)} times, {times[0]} "
        f"to {times[-1]}; set it, for example by y.asfreq('h'), resample, or use an integer index "
        "without gaps"
    )


def step_name(step: Step | None) -> str:
    """Name of a step in errors."""
    return str(getattr(step, "freqstr", step))


def steps_after(history: History, times: pd.Index, name: str) -> NDArray[np.intp]:
    """Count the steps from a history's end to sorted times; negative before it.

    Raises
    ------
    ValueError
        If the times, which errors call `name`, are not distinct steps of the history's grid.
    """
    end = history.end
    if isinstance(end, pd.DatetimeIndex | pd.PeriodIndex) and _kind(end) != _kind(times):
        raise ValueError(f"{name} are {times.dtype}, those of y are {end.dtype}; use the same kind")
    grid = regular_grid(end.union(times), history.step) if times.is_unique else None
    if grid is None:
        raise ValueError(
            f"{name} from {times[0]} to {times[-1]} are not all distinct and whole steps of "
            f"{step_name(history.step)} from {end[0]}"
        )
    return grid.get_indexer(times) - grid.get_indexer(end)[0]


def _kind(times: pd.Index) -> tuple[type, str]:
    """Tell what must agree for times to be compared: the type, and the period or time zone."""
    within = times.dtype if isinstance(times, pd.PeriodIndex) else getattr(times, "tz", None)
    return type(times), str(within)


def times_at(history: History, steps: NDArray[np.intp]) -> pd.Index:
    """Return the times of steps counted from a history's end, which is step 0."""
    end, step, _ = history
    past = past_times(end, step, max(0, -int(steps.min())))
    around = past.append(end).append(future_times(end, step, max(0, int(steps.max()))))
    return around.take(steps + len(past))


def _overwritten(old: FloatArray, after: NDArray[np.intp], new: FloatArray) -> FloatArray:
    """Write new values, (variables, times), over old ones, (variables, steps).

    The result reaches from the first step that is known to the last new one, whose places are
    given in steps after the last old one; what nobody gave is missing.
    """
    places = after + old.shape[1] - 1
    lead = max(0, -places[0])
    kept = old[:, : max(0, places[-1] + 1)]
    values = np.full((len(old), lead + places[-1] + 1), np.nan)
    values[:, lead : lead + kept.shape[1]] = kept
    values[:, lead + places] = new
    return values
