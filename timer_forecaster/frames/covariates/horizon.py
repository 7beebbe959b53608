"""The rows of known columns over the horizon of each series, found by ids and times."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from timer_forecaster.arrays import FloatArray
from timer_forecaster.failures import Failures
from timer_forecaster.frames.calendar.opening import PER_UNIT
from timer_forecaster.frames.calendar.times import step_name
from timer_forecaster.frames.covariates.roles import FUTURE
from timer_forecaster.frames.covariates.values import Values
from timer_forecaster.frames.files.report import time_text
from timer_forecaster.frames.long import future_times_of
from timer_forecaster.frames.panel import Panel

_MORE_STEPS = 8  # beyond the horizon, to see the shortest distance of steps

Stamps = NDArray[np.int64]
Rows = NDArray[np.intp]


class Horizon(NamedTuple):
    """The row of each step of each series in the frame and in its future; -1 if there is none."""

    frame: Rows
    """Of shape (series, horizon)."""
    future: Rows | None

    @classmethod
    def of(
        cls,
        panel: Panel,
        horizon: int,
        times: tuple[pd.Index, pd.Index | None],
        instance: tuple[Rows, Rows | None],
        failures: Failures,
    ) -> Horizon:
        """Find the rows of the horizon.

        Parameters
        ----------
        panel : Panel
        horizon : int
        times : tuple of pandas.Index
            Times of the rows of the frame, and of the future if there is one.
        instance : tuple of ndarray of int
            The number of the instance of each of these rows, -1 for none.
        failures : Failures
            Notes series that lack a row, or have several of one time.
        """
        ahead = future_times_of(panel, horizon + _MORE_STEPS)
        n_series = len(panel.keys) * len(panel.columns)
        wanted, own, later = _in_one_unit([ahead, *times])
        wanted, own = cast(Stamps, wanted), cast(Stamps, own)
        steps = wanted.reshape(n_series, -1)
        place = np.repeat(np.arange(len(panel.keys)), len(panel.columns))
        rows = _trailing(panel)
        found = _find(instance[0][rows], own[rows], place, steps[:, :horizon])
        in_frame = np.where(found < 0, -1, np.append(rows, -1)[found])
        in_future, codes = None, cast(Rows, instance[1])
        if later is not None:
            _refuse_repeated(panel, codes, cast(pd.Index, times[1]), later, failures)
            _refuse_finer(panel, codes, later, cast(pd.Index, times[1]), steps, horizon, failures)
            used = np.flatnonzero(codes >= 0)
            found = _find(codes[used], later[used], place, steps[:, :horizon])
            in_future = np.where(found < 0, -1, np.append(used, -1)[found])
        gone = in_frame < 0 if in_future is None else (in_frame < 0) & (in_future < 0)
        if gone.any():
            spans = None if later is None else _spans(codes, later, cast(pd.Index, times[1]))
            _refuse_missing(panel, gone, ahead, spans, failures)
        return cls(in_frame, in_future)

    def values(self, known: Values, panel: Panel, failures: Failures) -> FloatArray:
        """Return values (columns, series, horizon): the future's, else the frame's, else NaN.

        A column of a series without any value is noted in `failures`.
        """
        found = _at(known.frame, self.frame)
        if self.future is not None and known.future is not None:
            later = _at(known.future, self.future)
            found = np.where(np.isnan(later), found, later)
        for column, number in np.argwhere(np.isnan(found).all(axis=2)).tolist():
            text = (
                f"known column {known.names[column]!r} has no value in the horizon; name it in "
                "past_columns if its future is not known"
            )
            _refuse(panel, number, text, failures)
        return found


def _refuse_missing(
    panel: Panel,
    gone: NDArray[np.bool_],
    ahead: pd.Index,
    spans: Mapping[int, str] | None,
    failures: Failures,
) -> None:
    """Refuse series without a row for each step of the horizon.

    Parameters
    ----------
    panel : Panel
    gone : ndarray of bool, shape (series, horizon)
        Whether a step has no row.
    ahead : pandas.Index
        The steps of all series, and `_MORE_STEPS` more of each.
    spans : mapping of int to str, optional
        The first and last time of the future of each instance, if there is a future.
    failures : Failures
    """
    horizon = gone.shape[1]
    needed = f"known columns need a row for each step of the horizon ({horizon})"
    for number in np.flatnonzero(gone.any(axis=1)).tolist():
        time = time_text(ahead[number * (horizon + _MORE_STEPS) + int(gone[number].argmax())])
        if spans is None:
            text = (
                f"there is no row for {time}, and {needed}: add rows with an empty target, or pass "
                f"{FUTURE}"
            )
        else:
            span = spans.get(number // len(panel.columns), "it has no rows of this series")
            text = f"{FUTURE} has no row for {time}, and {needed}; {span}"
        _refuse(panel, number, text, failures)


def _spans(codes: Rows, stamps: Stamps, times: pd.Index) -> dict[int, str]:
    """Return the first and last time of the rows of each instance, in words."""
    by_code = pd.Series(stamps).groupby(codes)
    ends = zip(by_code.idxmin().items(), by_code.idxmax(), strict=True)
    return {
        cast(int, code): f"its rows of this series are from {time_text(times[first])} to "
        f"{time_text(times[last])}"
        for (code, first), last in ends
    }


def _refuse(panel: Panel, number: int, text: str, failures: Failures) -> None:
    if number not in failures.reasons:
        failures.add(number, ValueError(f"{panel.series_name(number)}: {text}"), text)


def _at(values: FloatArray, rows: Rows) -> FloatArray:
    """Return values (columns, series, horizon) of rows; NaN for the row -1."""
    padded = np.concatenate([values, np.full((len(values), 1), np.nan)], axis=1)
    return padded[:, rows]


def _trailing(panel: Panel) -> Rows:
    """Return the rows of the frame after the last target that ends first, of each instance."""
    parts = [rows[int(last.min()) + 1 :] for rows, last in zip(panel.rows, panel.last, strict=True)]
    return np.concatenate(parts)


def _in_one_unit(times: Sequence[pd.Index | None]) -> list[Stamps | None]:
    """Return times as integers in one unit."""
    dates = [one for one in times if isinstance(one, pd.DatetimeIndex)]
    unit = min((one.unit for one in dates), key=PER_UNIT.__getitem__, default=None)
    return [None if one is None else _stamps(one, unit) for one in times]


def _stamps(times: pd.Index, unit: Any) -> Stamps:
    if isinstance(times, pd.DatetimeIndex):
        return times.as_unit(unit).asi8
    if isinstance(times, pd.PeriodIndex):
        return times.asi8
    return times.to_numpy(dtype=np.int64)


def _find(codes: Rows, stamps: Stamps, place: Rows, wanted: Stamps) -> Rows:
    """Return the place of the row with the code and the stamp of each step, -1 for none.

    Parameters
    ----------
    codes, stamps : ndarray of int, shape (rows,)
    place : ndarray of int, shape (series,)
        The code of each series.
    wanted : ndarray of int, shape (series, horizon)
    """
    if not len(codes):
        return np.full(wanted.shape, -1)
    distinct, number = np.unique(stamps, return_inverse=True)
    keys = codes * len(distinct) + number
    order = np.argsort(keys, kind="stable")
    at = np.minimum(np.searchsorted(distinct, wanted), len(distinct) - 1)
    sought = place[:, None] * len(distinct) + at
    found = np.minimum(np.searchsorted(keys[order], sought), len(order) - 1)
    there = (distinct[at] == wanted) & (keys[order][found] == sought)
    return np.where(there, order[found], -1)


def _refuse_repeated(
    panel: Panel, codes: Rows, times: pd.Index, stamps: Stamps, failures: Failures
) -> None:
    """Refuse instances with a time that the future has more than once."""
    repeated = pd.DataFrame({"code": codes, "stamp": stamps}).duplicated().to_numpy() & (codes >= 0)
    for row in np.flatnonzero(repeated).tolist():
        text = f"{FUTURE} has the time {time_text(times[row])} more than once"
        for variable in range(len(panel.columns)):
            _refuse(panel, int(codes[row]) * len(panel.columns) + variable, text, failures)


def _refuse_finer(
    panel: Panel,
    codes: Rows,
    stamps: Stamps,
    times: pd.Index,
    steps: Stamps,
    horizon: int,
    failures: Failures,
) -> None:
    """Refuse rows of the future between the steps of the horizon, such as hours between days.

    Rows of closed days are no nearer to each other than steps are, and are left alone.
    """
    order = np.lexsort((stamps, codes))
    bounds = np.searchsorted(codes[order], np.arange(len(panel.keys) + 1))
    least = np.diff(steps, axis=1).min(axis=1)
    for number in range(len(steps)):
        place = number // len(panel.columns)
        own = order[bounds[place] : bounds[place + 1]]
        own = own[(stamps[own] >= steps[number, 0]) & (stamps[own] < steps[number, horizon])]
        near = np.diff(stamps[own]) < least[number]
        if near.any() and number not in failures.reasons:
            row = own[1:][near][0]
            step = step_name(panel.grids[panel.axis[place]].step)
            text = (
                f"{FUTURE} has a row at {time_text(times[row])}, between the steps of the "
                f"series ({step}); aggregate its rows to the step, as the history is"
            )
            _refuse(panel, number, text, failures)
