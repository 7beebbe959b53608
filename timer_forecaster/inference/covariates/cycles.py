"""Cycles of the steps: columns for the position in the day, the week and the year.

They take part in the linear models, so that a covariate is not credited with what the time of day
explains. Positions count back from the end of the horizon: the core knows periods, not times.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from timer_forecaster.arrays import FloatArray
from timer_forecaster.checks import check_number

_MOST_POSITIONS = 24  # of a day; a step of half an hour shares a position with another
_DAYS = (7, 6, 5)  # of a week; fewer where days are closed
_MOST_STEPS_OF_BINS = 7  # longest period that has a column for each of its steps
_HARMONICS = 2


class Cycles:
    """The periods of a series in steps.

    Parameters
    ----------
    periods : sequence of float
        A period that has another one seven, six or five times as long is a day, and the other one
        a week.
    """

    def __init__(self, periods: Sequence[float]) -> None:
        self.day, self.week = _day_and_week(periods)
        others = [period for period in periods if period not in (self.day, self.week)]
        self.bins = [p for p in others if p <= _MOST_STEPS_OF_BINS and p == round(p)]
        self.waves = [p for p in others if p not in self.bins]

    @property
    def season(self) -> int:
        """Lag of seasonal differences: the shortest period up to 24 steps, else 1."""
        periods = [p for p in (self.day, *self.bins, *self.waves) if p is not None and p >= 2]
        season = round(min(periods, default=1))
        return season if season <= _MOST_POSITIONS else 1

    def columns(self, series: FloatArray, horizon: int) -> FloatArray:
        """Return columns for positions in the cycles.

        Parameters
        ----------
        series : ndarray, shape (steps,)
        horizon : int

        Returns
        -------
        ndarray, shape (steps + horizon, columns)
        """
        steps = len(series) + horizon
        place = np.arange(steps)[::-1]  # from the end
        columns = [_indicators(place % int(period), int(period)) for period in self.bins]
        if self.day is not None:
            columns += self._of_days(self.day, series, place)
        for period in self.waves:
            if steps > period:
                angle = 2 * np.pi * place[:, None] / period * np.arange(1, _HARMONICS + 1)
                columns += [np.sin(angle), np.cos(angle)]
        return np.concatenate(columns, axis=1) if columns else np.zeros((steps, 0))

    def _of_days(self, length: float, series: FloatArray, place: NDArray[Any]) -> list[FloatArray]:
        """Return columns for the position in the day, the same on days off, and the day."""
        positions = min(_MOST_POSITIONS, round(length))
        position = np.floor(place % length * positions / length).astype(int)
        in_day = _indicators(position, positions)
        columns = [in_day]
        if self.week is not None:
            days = round(self.week / length)
            day = np.floor(place % self.week / length).astype(int) % days
            columns.append(_indicators(day, days))
            hour = np.floor(place % self.week * positions / length).astype(int)
            off = days_off(series, hour[: len(series)], positions, days)
            if off is not None:
                columns.append(in_day * np.isin(hour, off)[:, None])
        return columns


def days_off(
    series: FloatArray, position: NDArray[Any], positions: int, days: int
) -> NDArray[Any] | None:
    """Return the positions in the week of the two days in a row that differ most from the others.

    Parameters
    ----------
    series : ndarray, shape (steps,)
    position : ndarray of int, shape (steps,)
        Position of each step in the week, below ``days * positions``.
    positions : int
        Positions in a day.
    days : int
        Days of a week.

    Returns
    -------
    ndarray of int, shape (2 * positions,), or None
        None if some position of the week was never observed.
    """
    length = days * positions
    seen = np.isfinite(series)
    counts = np.bincount(position[seen], minlength=length)
    if not counts.all():
        return None
    means = np.bincount(position[seen], series[seen], minlength=length) / counts
    weeks = means.reshape(days, positions)
    apart = weeks - weeks.mean(axis=0)  # from the mean day
    # Sums of two days in a row that begin at each position: (days, positions, positions)
    flat = np.concatenate([apart.ravel(), apart.ravel()])
    starts = np.arange(length)
    first = flat[starts[:, None] + np.arange(positions)]
    second = flat[starts[:, None] + positions + np.arange(positions)]
    best = int(np.argmax(((first + second) ** 2).sum(axis=1)))
    return (best + np.arange(2 * positions)) % length


def cycles_beside(cycles: Any, freq: Sequence[Any]) -> Any:
    """Return the cycles that were given or, without any, the periods of the frequencies.

    Parameters
    ----------
    cycles : sequence of float, or sequence of such sequences, or None
        As in `as_cycles`.
    freq : sequence of str, pandas offset, int or None
        Frequency of each series.

    Examples
    --------
    >>> cycles_beside(None, ["h", None]), cycles_beside((24,), ["h"])
    ([(24.0, 168.0, 8766.0), ()], (24,))
    """
    if cycles is not None or all(one is None for one in freq):
        return cycles
    return [_periods_of(one) for one in freq]


@lru_cache(maxsize=64)
def _periods_of(freq: Any) -> tuple[float, ...]:
    """Return the periods of a frequency, which most series share."""
    from timer_forecaster.frames.calendar.frequencies import as_offset
    from timer_forecaster.frames.calendar.periods import periods_of

    return periods_of(as_offset(freq) if isinstance(freq, str) else freq)


def as_cycles(cycles: Any, n_series: int) -> list[Cycles]:
    """Return the cycles of each series.

    Parameters
    ----------
    cycles : sequence of float, or sequence of such sequences
        Periods in steps, of all series or of each; None if there are none.
    n_series : int
    """
    if cycles is None:
        return [Cycles(())] * n_series
    if isinstance(cycles, str) or not np.iterable(cycles):
        raise TypeError(f"cycles={cycles!r} must be a sequence of periods in steps, as (24, 168)")
    given = list(cycles)
    if not any(np.iterable(item) and not isinstance(item, str) for item in given):
        return [_checked(given)] * n_series
    if len(given) != n_series:
        raise ValueError(f"cycles has {len(given)} sequences of periods for {n_series} series")
    for number, own in enumerate(given):
        if isinstance(own, str) or not np.iterable(own):
            raise TypeError(
                f"cycles[{number}]={own!r} must be a sequence of periods in steps, as the others "
                "are; () has none"
            )
    return [_checked(own) for own in given]


def _checked(periods: Sequence[Any]) -> Cycles:
    return Cycles(sorted({check_number("cycles", period, 1, above=True) for period in periods}))


def _day_and_week(periods: Sequence[float]) -> tuple[float | None, float | None]:
    for days in _DAYS:
        for day in periods:
            for week in periods:
                if day > 2 and np.isclose(week, days * day):
                    return day, week
    return None, None


def _indicators(position: NDArray[Any], number: int) -> FloatArray:
    return np.asarray(position[:, None] == np.arange(number), dtype=np.float64)
