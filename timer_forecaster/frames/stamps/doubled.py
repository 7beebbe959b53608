"""Times that a wall clock shows twice: which of the two each row means, by the order of rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

_LONGEST_CHANGE = np.timedelta64(3, "h")

_Rows = NDArray[np.intp]
_Truth = NDArray[np.bool_]


class Told(NamedTuple):
    """What the order of the rows tells of each row."""

    again: _Truth
    """Whether its time is the second one of its name."""
    unclear: _Truth
    """Whether nothing tells which of the two it is."""


def told_apart(wall: pd.DatetimeIndex, twice: _Truth, series: pd.Series | None = None) -> Told:
    """Tell times apart that the clock shows twice.

    The rows of a series run forward or backward over a change of the clock. In the order of time,
    they mean the first time of a name until they go back or repeat one.

    Parameters
    ----------
    wall : pandas.DatetimeIndex
    twice : ndarray of bool, shape (n_rows,)
        Whether the clock shows the time of a row twice.
    series : pandas.Series, optional
        The id of each row, if there are several series.

    Returns
    -------
    Told
        Rows are unclear if one time of a series is there twice, or is the second, and the rows
        around it are in no order. Rows of a series that repeats other times too are left to who
        refuses these.

    Examples
    --------
    >>> newest_first = ["2024-10-27 03:00", "2024-10-27 02:00", "2024-10-27 02:00"]
    >>> twice = np.array([False, True, True])
    >>> told_apart(pd.DatetimeIndex(newest_first), twice).again.tolist()
    [False, True, False]
    """
    again, unclear = np.zeros((2, len(wall)), dtype=bool)
    if not twice.any():
        return Told(again, unclear)
    codes = np.zeros(len(wall), np.intp) if series is None else pd.factorize(series)[0]
    times = wall.to_numpy()
    runs = list(_runs(times, twice, codes))
    for run in runs:
        again[run.rows] = _second(times[run.rows], run.falls)
    rows = np.concatenate([run.rows for run in runs])
    numbers = np.repeat(np.arange(len(runs)), [len(run.rows) for run in runs])
    unclear[rows] = _unclear(codes[rows], wall[rows], numbers, again[rows])
    if unclear.any():
        others = pd.DataFrame({"series": codes, "wall": wall})[~twice]
        unclear &= ~np.isin(codes, others["series"][others.duplicated()])
    return Told(again, unclear)


class _Run(NamedTuple):
    """Rows of a series that follow each other, whose times one change of the clock doubles."""

    rows: _Rows
    falls: bool | None
    """Whether the newest row is the first one; None if the rows around them contradict this."""


def _runs(times: NDArray[Any], twice: _Truth, codes: _Rows) -> Iterator[_Run]:
    order = np.argsort(codes, kind="stable")
    times, codes = times[order], codes[order]
    places = np.flatnonzero(twice[order])
    starts = np.diff(places) > 1
    starts |= np.diff(codes[places]) != 0
    starts |= np.abs(np.diff(times[places])) >= _LONGEST_CHANGE
    for run in np.split(places, np.flatnonzero(starts) + 1):
        first, last = run[0], run[-1]
        falls = set()
        if first > 0 and codes[first - 1] == codes[first]:
            falls.add(bool(times[first - 1] > times[first]))
        if last + 1 < len(order) and codes[last + 1] == codes[last]:
            falls.add(bool(times[last] > times[last + 1]))
        yield _Run(order[run], None if len(falls) > 1 else True in falls)


def _second(times: NDArray[Any], falls: bool | None) -> _Truth:
    """Return which times of a run are the second of their name."""
    if falls is None:
        return np.zeros(len(times), dtype=bool)
    if falls:
        return _second(times[::-1], False)[::-1]
    back = np.diff(times) <= np.timedelta64(0)
    return np.logical_or.accumulate(np.concatenate([[False], back]))


def _unclear(codes: _Rows, wall: pd.DatetimeIndex, runs: _Rows, again: _Truth) -> _Truth:
    """Return which rows are one time, or belong to runs of one change that are apart."""
    rows = pd.DataFrame({"series": codes, "wall": wall, "run": runs, "again": again})
    change = rows.groupby(["series", wall.normalize()])
    apart = (change["run"].transform("nunique") > 1) & change["again"].transform("any")
    return (rows.duplicated(["series", "wall", "again"], keep=False) | apart).to_numpy()
