"""Panels: the series of a frame, each on the regular grid of its times."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.tseries.offsets import BaseOffset

from timer_forecaster.arrays import FloatArray
from timer_forecaster.frames.times import (
    Step,
    as_step,
    evident_grid,
    most_common_step,
    parse_times,
    regular_grid,
    regular_step,
)


@dataclass(frozen=True)
class _Axis:
    """The regular times of one series, and where its rows stand among them."""

    grid: pd.Index
    step: Step
    positions: NDArray[np.intp]


@dataclass(frozen=True)
class _Block:
    """The rows of one id, oldest first."""

    label: str
    rows: NDArray[np.intp]
    times: pd.Index


def _blocks(frame: pd.DataFrame, time_column: Hashable, id_column: Hashable | None) -> list[_Block]:
    """Cut the frame by id, and sort and check each id's times."""
    times = pd.Index(parse_times(frame[time_column], time_column))
    if id_column is None:
        groups = {"": np.arange(len(frame))}
    else:
        missing = frame[id_column].isna().to_numpy()
        if missing.any():
            row = missing.argmax() + 1
            raise ValueError(f"id_column {id_column!r}: data row {row} has no id")
        codes, ids = pd.factorize(frame[id_column])
        rows = np.split(np.argsort(codes, kind="stable"), np.bincount(codes).cumsum()[:-1])
        groups = {f"{id_column} {id_!r}: ": row for id_, row in zip(ids, rows, strict=True)}
    return [_block(label, rows, times) for label, rows in groups.items()]


def _block(label: str, rows: NDArray[np.intp], times: pd.Index) -> _Block:
    own = times.take(rows)
    if not own.is_monotonic_increasing:
        order = own.argsort()
        rows, own = rows[order], own.take(order)
    if not own.is_unique:
        twice = own[own.duplicated()][0]
        raise ValueError(
            f"{label}the time {twice} is there more than once; aggregate such rows, name the "
            "id column if they belong to several series, or give clock times with their offset "
            "from UTC"
        )
    return _Block(label, rows, own)


def _axes(blocks: list[_Block], freq: str | int | BaseOffset | None) -> list[_Axis]:
    """Find the regular grid of each block; blocks with equal times are looked at once."""
    keys = [block.times.astype("int64").to_numpy().tobytes() for block in blocks]
    distinct = dict(zip(keys, blocks, strict=True))
    first = blocks[0].times
    given: Step | None = first.freq if isinstance(first, pd.PeriodIndex) else None
    if freq is not None:
        given = as_step(freq, first)
    if given is not None:
        known = {key: _given_axis(block, given) for key, block in distinct.items()}
        return [known[key] for key in keys]
    own = {key: regular_step(block.times) for key, block in distinct.items()}
    votes = Counter(own[key] for key in keys if own[key] is not None)
    common = votes.most_common(1)[0][0] if votes else None
    known = {key: _inferred_axis(block, own[key], common) for key, block in distinct.items()}
    return [known[key] for key in keys]


def _given_axis(block: _Block, step: Step) -> _Axis:
    grid = regular_grid(block.times, step)
    if grid is None:
        raise ValueError(
            f"{block.label}the times from {block.times[0]} to {block.times[-1]} do not all lie on "
            f"the grid of freq={_step_name(step)!r}; leave freq out to have it inferred"
        )
    return _Axis(grid, step, grid.get_indexer(block.times))


def _inferred_axis(block: _Block, own: Step | None, common: Step | None) -> _Axis:
    times = block.times
    found = evident_grid(times, own, common)
    if found is not None:
        step, grid = found
        return _Axis(grid, step, grid.get_indexer(times))
    if len(times) == 1:
        raise ValueError(
            f"{block.label}a frequency cannot be inferred from a single time; pass freq, for "
            "example freq='D'"
        )
    raise ValueError(
        f"{block.label}no frequency can be inferred from its {len(times)} times, {times[0]} to "
        f"{times[-1]}: they are irregular or more than half of them are missing; pass freq, for "
        "example freq='h', to fill in missing steps, or resample"
    )


def _step_name(step: Step) -> str:
    return str(step) if isinstance(step, int) else step.freqstr


# Share of the common step's grid above which an instance that shows another step, such as business
# days among days, is one with missing values.
_SAME_STEP_SHARE = 2 / 3


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


def common_steps(panel: Panel, axes: Iterable[int], known: Iterable[Step]) -> dict[int, Step]:
    """Find the step that the instances share, and check that it is each one's."""
    shown = {axis: _shown_step(panel, axis) for axis in axes}
    votes = Counter(known)
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
