"""Panel: the series of a frame, whichever its layout, with their values and times."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, NamedTuple, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.tseries.offsets import BaseOffset

from timer_forecaster.arrays import FloatArray
from timer_forecaster.failures import Failures
from timer_forecaster.frames.calendar.advice import Remedy
from timer_forecaster.frames.calendar.axes import Axes
from timer_forecaster.frames.calendar.cycles import begins_anew
from timer_forecaster.frames.calendar.grids import Grid, given_grids, inferred_grids
from timer_forecaster.frames.calendar.local import on_local_clocks
from timer_forecaster.frames.calendar.times import Step, as_step
from timer_forecaster.frames.clock_column import clock_column
from timer_forecaster.frames.columns import chosen_targets, read_ids, read_numbers, with_columns
from timer_forecaster.frames.stamps import parse_times


@dataclass(frozen=True, eq=False)
class Panel:
    """The series of a frame by instance, which is an id or a tuple of index levels.

    The times of an instance are called its axis. Instances with the same times share an axis, so
    that its grid is found once for all of them.

    Parameters
    ----------
    names : sequence of hashable
        Names of the levels of an instance, none for a single series, and of the time.
    columns : sequence of hashable
        Names of the variables.
    instances : pandas.Index or None
        The instances in the order in which they come first; None for a single series.
    keys : sequence of hashable
        The same as Python objects; ``()`` for a single series.
    axes : sequence of pandas.Index
        The distinct axes.
    axis : list of int
        Number of each instance's axis.
    rows : list of ndarray of int
        Rows of each instance in the frame, in the order of its times.
    values : list of ndarray, each of shape (variables, times)
        Values of each instance, NaN where missing.
    grids : list of Grid
        Regular grid of each axis. `Panel.of` leaves it empty: the steps of its instances may be
        known from earlier values, which `timer_forecaster.frames.history` holds.
    stamps : dtype, optional
        Of the times in the frame. Axes and grids may be in another zone, which
        `timer_forecaster.frames.calendar.local` explains.
    """

    names: Sequence[Hashable]
    columns: Sequence[Hashable]
    instances: pd.Index | None
    keys: Sequence[Hashable]
    axes: Sequence[pd.Index]
    axis: list[int]
    rows: list[NDArray[np.intp]]
    values: list[FloatArray]
    grids: list[Grid]
    stamps: Any = None

    @classmethod
    def of(cls, y: pd.DataFrame, failures: Failures | None = None) -> Panel:
        """Cut a frame whose index holds the time, or the levels of an instance and the time.

        Parameters
        ----------
        y : pandas.DataFrame
        failures : Failures, optional
            Notes variables of instances with infinite values, by their names; all values of such a
            variable are then missing. Default: raise.

        Raises
        ------
        ValueError
            If a value is infinite, or a row has no instance.
        """
        values = _without_infinities(y, failures or Failures())
        names, columns, index = list(y.index.names), list(y.columns), y.index
        if not isinstance(index, pd.MultiIndex):
            rows = [np.arange(len(y))]
            return cls(names, columns, None, [()], [index], [0], rows, [values], [])
        *outer, inner = (np.asarray(codes, dtype=np.int64) for codes in index.codes)
        if min(codes.min(initial=0) for codes in (*outer, inner)) < 0:
            raise ValueError("y has a row without an instance or a time: its index holds NaN")
        sizes = tuple(len(level) for level in index.levels[:-1])
        instance, _ = pd.factorize(np.ravel_multi_index(tuple(outer), sizes))
        cut = _Cut.of(instance, inner, np.argsort(instance, kind="stable"))
        instances = index.take(cut.order[cut.bounds[:-1]]).droplevel(-1)
        axes = cut.axes(index.levels[-1], inner)
        keys = instances.tolist()
        return cls(names, columns, instances, keys, axes, cut.axis, cut.rows, cut.split(values), [])

    @classmethod
    def of_columns(
        cls,
        frame: pd.DataFrame,
        time_column: Hashable,
        id_column: Hashable | None = None,
        target_columns: Sequence[Hashable] | str | None = None,
        freq: str | int | BaseOffset | None = None,
        failures: Failures | None = None,
    ) -> Panel:
        """Cut a long or wide frame by its columns, and find the grid of each series.

        Parameters and errors are those of `ForecastPipeline.predict_frame`. `failures` notes
        series that cannot be forecast, by their places in `series`; the default raises. A series
        that is noted has no value; if its times are at fault, it has only the last of them.
        """
        frame = with_columns(frame, time_column, id_column)
        times = pd.Index(parse_times(frame[time_column], time_column, freq=freq))
        targets = chosen_targets(frame, target_columns, time_column, id_column, times)
        instance, instances, keys = np.zeros(len(frame), np.intp), None, [()]
        if id_column is not None:
            instance, instances = read_ids(frame[id_column], id_column)
            keys = instances.tolist()
        labels = ["" if instances is None else f"{id_column} {key!r}: " for key in keys]
        stamps = times.astype("int64").to_numpy()
        cut = _Cut.of(instance, stamps, np.lexsort((stamps, instance)))
        refusals = _Refusals(failures or Failures(), labels, targets, cut.axis)
        columns = time_column, id_column

        def twins() -> str:
            return _advice_on_twins(frame, columns, times, instance)

        axes = _distinct_times(cut, times, stamps, refusals, twins)
        _refuse_cycles(cut, axes, refusals, time_column)
        remedy = Remedy.of(frame, time_column, id_column, targets)
        grids = _grids(axes, cut.axis, freq, refusals, remedy)
        parts = _values(frame, instance, cut, refusals)
        parts = [
            values[:, : len(grids[number].places)]
            for values, number in zip(parts, cut.axis, strict=True)
        ]
        if refusals.failures.reasons:
            axes = [grid.axis for grid in grids]
        names = [time_column] if id_column is None else [id_column, time_column]
        return cls(
            names, targets, instances, keys, axes, cut.axis, cut.rows, parts, grids, times.dtype
        )

    def series(self) -> list[FloatArray]:
        """Return each variable of each instance in turn on its grid, NaN where missing.

        A series ends with its last observed value.
        """
        series: list[FloatArray] = []
        for values, number, last in zip(self.values, self.axis, self.last, strict=True):
            grid = self.grids[number]
            laid = grid.lay(values)
            if (last == values.shape[1] - 1).all():
                series += list(laid)
            else:
                stops = grid.places[last] + 1
                series += [one[:stop] for one, stop in zip(laid, stops.tolist(), strict=True)]
        return series

    def steps(self) -> list[Step]:
        """Return the step of each of the series that `series` returns."""
        return [self.grids[number].step for number in self.axis for _ in self.columns]

    @cached_property
    def last(self) -> list[NDArray[np.intp]]:
        """Place among an instance's times of the last observed value of each variable."""
        return [_last_observed(values) for values in self.values]

    def series_name(self, number: Hashable) -> str:
        """Return the name of one of the series that `series` returns, for warnings."""
        instance, variable = divmod(cast(int, number), len(self.columns))
        target = f"target {self.columns[variable]!r}"
        if self.instances is None:
            return target
        return f"{self.names[0]} {self.keys[instance]!r}: {target}"

    def axis_label(self, number: int) -> str:
        """Return the name of the first instance with an axis, for errors."""
        return label(self.keys[self.axis.index(number)])


def _without_infinities(y: pd.DataFrame, failures: Failures) -> FloatArray:
    """Return the values (variables, rows) of a frame; refuse variables with infinite values."""
    values = y.to_numpy(dtype=np.float64, na_value=np.nan).T
    infinite = np.isinf(values)
    if not infinite.any():
        return values
    values = values.copy()
    single = not isinstance(y.index, pd.MultiIndex)
    instances = (
        np.zeros(len(y), np.intp) if single else pd.factorize(y.index.droplevel(cast(Any, -1)))[0]
    )
    for variable, row in np.argwhere(infinite):
        if np.isinf(values[variable, row]):  # the first of its instance
            where, column = y.index[row], y.columns[variable]
            error = ValueError(
                f"y is infinite at {where} in column {column!r}; use NaN for missing values"
            )
            key = () if single else where[:-1] if len(where) > 2 else where[0]
            failures.add(f"{label(key)}, column {column!r}", error)
            values[variable, instances == instances[row]] = np.nan
    return values


def label(key: Hashable) -> str:
    """Return the name of an instance in errors."""
    return "y" if key == () else f"y, instance {key!r}"


class _Cut(NamedTuple):
    """The rows of a frame by instance."""

    order: NDArray[np.intp]  # all rows, beginning with the rows of the first instance
    bounds: NDArray[np.intp]  # of the instances in that order, (instances + 1,)
    rows: list[NDArray[np.intp]]  # of each instance
    axis: list[int]  # number of each instance's axis
    first: NDArray[np.intp]  # first instance of each axis

    @classmethod
    def of(cls, instance: NDArray[Any], stamps: NDArray[Any], order: NDArray[np.intp]) -> _Cut:
        """Cut rows by the numbers of their instances; equal stamps are equal times."""
        bounds = np.append(0, np.bincount(instance).cumsum())
        marks = [times.tobytes() for times in _split(stamps[order], bounds)]
        number = {mark: i for i, mark in enumerate(dict.fromkeys(marks))}
        axis = [number[mark] for mark in marks]
        first = np.unique(np.asarray(axis, dtype=np.intp), return_index=True)[1]
        return cls(order, bounds, _split(order, bounds), axis, first)

    def axes(self, times: pd.Index, places: NDArray[np.int64]) -> Sequence[pd.Index]:
        """Return the distinct axes; `places` holds the place of each row's time in `times`."""
        if getattr(times, "freq", None) is not None and not isinstance(times, pd.PeriodIndex):
            return [times.take(places[self.rows[i]]) for i in self.first]  # may keep freq
        return Axes(times.take(places[self.order]), self.bounds).take(self.first)

    def split(self, values: FloatArray) -> list[FloatArray]:
        """Cut values (variables, rows) by instance."""
        return _split(values[:, self.order], self.bounds)


def _last_observed(values: FloatArray) -> NDArray[np.intp]:
    """Return the place of the last value of each row that is not NaN."""
    newest = values.shape[1] - 1
    if not np.isnan(values[:, -1]).any():
        return np.full(len(values), newest)
    return newest - np.argmax(~np.isnan(values[:, ::-1]), axis=1)


def _split(values: NDArray[Any], bounds: NDArray[np.intp]) -> list[NDArray[Any]]:
    """Return views of the parts of the last axis between bounds."""
    return [values[..., start:stop] for start, stop in pairwise(bounds.tolist())]


class _Refusals(NamedTuple):
    """Notes or raises the errors of series, as `Failures` does."""

    failures: Failures
    labels: list[str]  # of each instance
    targets: list[Hashable]
    axis: list[int]  # number of each instance's axis

    def axis_name(self, number: int) -> str:
        """Return the name of the first instance with an axis, for errors."""
        return self.labels[self.axis.index(number)]

    def of_axis(self, number: int, error: ValueError) -> None:
        """Refuse all series of the instances with an axis."""
        for instance, own in enumerate(self.axis):
            if own == number:
                for variable in range(len(self.targets)):
                    self.of_series(instance, variable, error)

    def of_series(self, instance: int, variable: int, error: ValueError) -> None:
        """Refuse one series."""
        reason = str(error).removeprefix(self.labels[instance])
        for end in (": ", " "):
            reason = reason.removeprefix(f"target {self.targets[variable]!r}{end}")
        self.failures.add(instance * len(self.targets) + variable, error, reason)


def _distinct_times(
    cut: _Cut,
    times: pd.Index,
    stamps: NDArray[np.int64],
    refusals: _Refusals,
    advice: Callable[[], str],
) -> Sequence[pd.Index]:
    """Return the axes; refuse times that an instance has more than once."""
    repeated = np.diff(stamps[cut.order]) == 0
    repeated[cut.bounds[1:-1] - 1] = False  # two instances may share a time
    axes = on_local_clocks(cut.axes(times, np.arange(len(times))))
    places = np.flatnonzero(repeated)
    instances = np.searchsorted(cut.bounds, places, side="right") - 1
    what_to_do = advice() if len(places) else ""
    for instance, place in dict(zip(instances[::-1], places[::-1], strict=True)).items():
        error = ValueError(
            f"{refusals.labels[instance]}the time {times[cut.order[place]]} is there more than "
            f"once; {what_to_do}"
        )
        number = cut.axis[instance]
        refusals.of_axis(number, error)
        axes = [*axes[:number], axes[number][-1:], *axes[number + 1 :]]
    return axes


def _advice_on_twins(
    frame: pd.DataFrame,
    columns: tuple[Hashable, Hashable | None],
    times: pd.Index,
    instance: NDArray[np.intp],
) -> str:
    """Return what to do about times that a series has more than once."""
    clock = clock_column(frame, times.astype("int64").to_numpy(), instance, columns)
    if clock is None and isinstance(times, pd.DatetimeIndex) and times.tz is None:
        return (
            "aggregate such rows, name the id column if they belong to several series, or give "
            "clock times with their offset from UTC or their zone, for example "
            "t.dt.tz_localize('Europe/Berlin', ambiguous='infer')"
        )
    if clock is None:
        return "aggregate such rows, or name the id column if they belong to several series"
    date = columns[0]
    return (
        f"column {clock!r} tells such rows apart: join it to the dates in one column of times; a "
        f"file is read so with time_column=[{date!r}, {clock!r}] "
        f"(--time-column {shlex.quote(str(date))} {shlex.quote(str(clock))})"
    )


def _refuse_cycles(
    cut: _Cut, axes: Sequence[pd.Index], refusals: _Refusals, time_column: Hashable
) -> None:
    """Refuse integer times that begin anew in the middle of a series."""
    if not pd.api.types.is_integer_dtype(axes[0].dtype):
        return
    for instance, (rows, number) in enumerate(zip(cut.rows, cut.axis, strict=True)):
        reason = begins_anew(axes[number], rows)
        if reason is not None:
            label = refusals.labels[instance]
            error = ValueError(f"{label}time column {time_column!r}: {reason}")
            for variable in range(len(refusals.targets)):
                refusals.of_series(instance, variable, error)


def _grids(
    axes: Sequence[pd.Index],
    series: list[int],
    freq: str | int | BaseOffset | None,
    refusals: _Refusals,
    remedy: Remedy,
) -> list[Grid]:
    """Return the grid of each axis: by `freq`, the frequency of periods, or the times."""
    step: Step | None = axes[0].freq if isinstance(axes[0], pd.PeriodIndex) else None
    if freq is not None:
        step = as_step(freq, axes[0])
    if step is None:
        try:
            return inferred_grids(axes, series, refusals.axis_name, remedy, refusals.of_axis)
        except ValueError as error:  # no series is left that shows a step
            raise refusals.failures.first or error from None
    return given_grids(axes, step, refusals.axis_name, remedy, refusals.of_axis)


def _values(
    frame: pd.DataFrame, instance: NDArray[np.intp], cut: _Cut, refusals: _Refusals
) -> list[FloatArray]:
    """Return the values of each instance; refuse series with none, and values that are no numbers.

    A series that was refused has no value.
    """
    n_targets = len(refusals.targets)
    columns = []
    for variable, name in enumerate(refusals.targets):

        def refuse(row: int, error: ValueError, variable: int = variable) -> None:
            refusals.of_series(int(instance[row]), variable, error)

        columns.append(read_numbers(frame[name], name, refuse))
    parts = cut.split(np.stack(columns))
    for number in refusals.failures.reasons:
        place, variable = divmod(cast(int, number), n_targets)
        parts[place][variable] = np.nan
    for place, part in enumerate(parts):
        for variable in np.flatnonzero(np.isnan(part).all(axis=1)).tolist():
            label, target = refusals.labels[place], refusals.targets[variable]
            error = ValueError(f"{label}target {target!r} has no value")
            refusals.of_series(place, variable, error)
    return parts
