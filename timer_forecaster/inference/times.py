"""Times of series of pandas and xarray, read as frames are.

A step that is absent from the regular grid of the times is a missing value. Times that are there
twice, or that show no regular step, are refused with what to pass instead. Only a series that has
times needs pandas and the calendar.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from timer_forecaster.arrays import FloatArray
from timer_forecaster.failures import Failures
from timer_forecaster.values import library_of

if TYPE_CHECKING:
    from timer_forecaster.frames.calendar.grids import Grid
    from timer_forecaster.frames.calendar.opening import Step

_KINDS = ("DatetimeIndex", "PeriodIndex", "TimedeltaIndex")


class Times(NamedTuple):
    """The times of one series: sorted, distinct, and on a regular grid.

    Parameters
    ----------
    index : pandas.DatetimeIndex or pandas.PeriodIndex
        The times that are there.
    grid : Grid, optional
        Of their step. None where the times are plainly one step after another.
    """

    index: Any
    grid: Grid | None = None

    @property
    def n_steps(self) -> int:
        """Number of steps, with those that are absent."""
        return len(self.index) if self.grid is None else self.grid.size

    @property
    def n_absent(self) -> int:
        """Number of steps without a time."""
        return self.n_steps - len(self.index)

    def lay(self, values: FloatArray) -> FloatArray:
        """Return values with NaN at the steps that are absent."""
        return values if self.grid is None else self.grid.lay(values[None])[0]

    def with_future(self, ahead: int) -> Any:
        """Return the times of all steps and of some after them; None if the step is unknown."""
        from timer_forecaster.frames.calendar.grids import future_times
        from timer_forecaster.frames.calendar.local import like

        times = self.index if self.grid is None else self.grid.times
        if ahead:
            step = _step_of(self.index) if self.grid is None else self.grid.step
            if step is None:
                return None
            times = times.append(future_times(times, step, ahead))
        return like(times, self.index.dtype)


def _step_of(index: Any) -> Any:
    """Return the step of times that follow each other; None of a single time."""
    from timer_forecaster.frames.calendar.grids import own_step

    return index.freq if index.freq is not None else own_step(index)


def steps_of(times: Sequence[Times | None]) -> list[Step | None]:
    """Return the step of each series by its times; None where it has none, or shows none."""
    from timer_forecaster.frames.calendar.grids import own_steps
    from timer_forecaster.frames.calendar.local import on_local_clock

    steps: list[Step | None] = [None] * len(times)
    asked = {}
    for number, one in enumerate(times):
        if one is not None:
            steps[number] = one.index.freq if one.grid is None else one.grid.step
            if steps[number] is None:
                asked[number] = one.index
    axes = {id(index): on_local_clock(index) for index in asked.values()}
    found = dict(zip(axes, own_steps(list(axes.values())), strict=True))
    for number, index in asked.items():
        steps[number] = found[id(index)]
    return steps


class Owner(NamedTuple):
    """A series that has times."""

    index: Any
    name: str
    expression: str
    """The series as a `pandas.Series` with these times alone, for advice."""


def owner_of(series: Any, name: str, dim: Any = None) -> Owner | None:
    """Return the times of a series of pandas or xarray; None if it has none.

    Parameters
    ----------
    series : object
    name : str
        Its name in errors.
    dim : hashable, optional
        The dimension of a DataArray that has the times.
    """
    if dim is not None:
        others = [f"{other}=0" for other in series.dims if other != dim]
        cut = f"{name}.isel({', '.join(others)})" if others else name
        index, expression = series.indexes.get(dim), f"{cut}.to_series()"
    else:
        index, expression = getattr(series, "index", None), name
        outer = getattr(index, "nlevels", 1) - 1
        if index is not None and outer:
            index = index.get_level_values(-1)
            expression = f"{name}.droplevel({list(range(outer))})"
    times = index_of_times(index)
    if times is None:
        return None
    if times is not index:
        expression = f"{expression}.set_axis(pd.to_datetime({expression}.index.to_numpy()))"
    return Owner(times, name, expression)


def index_of_times(index: Any) -> Any:
    """Return an index of times, Arrow times and dates of Python as a DatetimeIndex; else None.

    Parameters
    ----------
    index : object

    Examples
    --------
    >>> import pandas as pd
    >>> days = pd.date_range("2024-01-29", periods=2)
    >>> index_of_times(pd.Index(days.date)).equals(days)
    True
    >>> index_of_times(pd.RangeIndex(2)) is None
    True
    """
    if type(index).__name__ in _KINDS:
        return index
    if library_of(index) != "pandas" or not _holds_dates(index):
        return None
    import pandas as pd

    try:
        return pd.DatetimeIndex(index)
    except ValueError:  # of several zones
        return pd.to_datetime(index, utc=True)


def _holds_dates(index: Any) -> bool:
    """Whether an index of pandas, of no type of its own for times, holds dates."""
    if getattr(index.dtype, "kind", "") == "M":  # Arrow
        return True
    if index.dtype != object:
        return False
    from pandas.api.types import infer_dtype

    return infer_dtype(index, skipna=True) in ("date", "datetime", "datetime64")


def read_times(owners: Sequence[Owner | None], failures: Failures) -> list[Times | None]:
    """Return the times of each series, on the grid that `ForecastPipeline.predict_frame` finds.

    A series whose times show no step has the step that most of the series have.

    Parameters
    ----------
    owners : sequence of Owner or None
        None for a series without times.
    failures : Failures
        Notes series whose times are missing, repeated, irregular, or run backwards.

    Returns
    -------
    list of Times or None
        None for a series without times, with durations as times, or with an error.
    """
    found: list[Times | None] = [None] * len(owners)
    plain: dict[int, bool] = {}  # by the identity of an index, which series often share
    asked = {}
    for number, owner in enumerate(owners):
        if owner is None:
            continue
        mark = id(owner.index)
        if mark not in plain:
            plain[mark] = _is_plain(owner.index)
        if plain[mark]:
            found[number] = Times(owner.index)
            continue
        try:
            _check(owner)
        except ValueError as error:
            failures.add(number, error)
            continue
        if type(owner.index).__name__ != "TimedeltaIndex":
            asked[number] = owner
    voters = [times.index for times in found if times is not None]
    for number, grid in _grids(asked, voters).items():
        if grid is not None:
            found[number] = Times(asked[number].index, grid)
        else:
            failures.add(number, _irregular(asked[number]))
    return found


def _is_plain(index: Any) -> bool:
    """Whether it is quickly seen that times follow each other by one step."""
    if type(index).__name__ == "TimedeltaIndex":
        return False
    stamps = index.asi8
    if len(stamps) < 2:
        return not index.hasnans
    if type(index).__name__ == "PeriodIndex":
        return bool((np.diff(stamps) == index.freq.n).all())
    if index.freq is not None:
        return bool(index.freq.n > 0)
    distance = stamps[1] - stamps[0]
    return bool(len(stamps) > 2 and distance > 0 and (np.diff(stamps) == distance).all())


def _check(owner: Owner) -> None:
    """Refuse times that are missing, run backwards or are there twice."""
    index, name, series = owner
    if index.hasnans:
        raise ValueError(
            f"{name} has {int(index.isna().sum())} rows without a time (NaT), the first at place "
            f"{int(index.isna().argmax())}; pass {series}[{series}.index.notna()]"
        )
    durations = type(index).__name__ == "TimedeltaIndex"
    if len(index) < 2 or (index.is_monotonic_increasing and (durations or index.is_unique)):
        return
    times = index.to_timestamp() if hasattr(index, "to_timestamp") else index
    far = np.diff(times.to_numpy()).min() <= np.timedelta64(-1, "D")
    if far or times[-1] < times[0] or (index.is_unique and not durations):
        raise ValueError(
            f"{name} has times that run backwards, from {index[0]} to {index[-1]}; pass "
            f"{series}.sort_index(), oldest step first"
        )
    if not durations:
        raise _repeated(owner)


def _repeated(owner: Owner) -> ValueError:
    """Return the error about times that are there more than once."""
    index, name, series = owner
    clock = ""
    if getattr(index, "tz", 0) is None:  # of dates without a zone
        clock = (
            ", or clock times with their zone, for example "
            f"{series}.tz_localize('Europe/Berlin', ambiguous='infer')"
        )
    return ValueError(
        f"{name} has the time {index[index.duplicated()][0]} more than once; pass "
        f"{series}.groupby(level=0).sum(min_count=1) or .mean() to aggregate such rows, each "
        f"series by itself if they belong to several{clock}"
    )


def _irregular(owner: Owner) -> ValueError:
    """Return the error about times that show no step."""
    from timer_forecaster.frames.calendar.advice import asfreq_advice

    index, name, series = owner
    return ValueError(
        f"{name} has no evident frequency in its {len(index)} times, {index[0]} to {index[-1]}: "
        "they are irregular, or more than half of the steps are absent; "
        f"{asfreq_advice(index, series)}, or pass {series}.to_numpy() if its rows are the steps"
    )


def _grids(asked: Mapping[int, Owner], voters: Sequence[Any]) -> dict[int, Grid | None]:
    """Return the grids of series by their numbers; None where no step is evident.

    Parameters
    ----------
    asked : mapping of int to Owner
        With times that are sorted and distinct.
    voters : sequence of index
        The times of other series, whose step counts where a series shows none.
    """
    if not asked:
        return {}
    from timer_forecaster.frames.calendar.grids import Grid, evident_grids, own_steps
    from timer_forecaster.frames.calendar.local import on_local_clock

    given = [owner.index for owner in asked.values()] + list(voters)
    dated = [index for index in given if type(index).__name__ == "DatetimeIndex" and len(index)]
    axes = {id(index): on_local_clock(index) for index in dated}
    steps = dict(zip(axes, own_steps(list(axes.values())), strict=True))
    votes = Counter(steps[id(index)] for index in dated if steps[id(index)] is not None)
    common = votes.most_common(1)[0][0] if votes else None
    marks = dict.fromkeys(id(owner.index) for owner in asked.values() if id(owner.index) in axes)
    evident = evident_grids([axes[m] for m in marks], [steps[m] for m in marks], common)
    grids = dict(zip(marks, evident, strict=True))
    return {
        number: grids[id(owner.index)]
        if id(owner.index) in grids
        else Grid.of(owner.index, owner.index.freq)
        for number, owner in asked.items()
    }
