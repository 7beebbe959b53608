"""Days and hours that never occur: the steps of a week at which a series is open.

Shops and markets close on fixed days and at night. A week is cut into slots, one per weekday and
time of day. A slot that never occurs, although it often could have, is closed. The series is then
read as its open slots, and its forecast has no others.

The rule, for times on the clock of the wall:

1. Slots are as wide as the greatest common divisor of all distances between times.
2. Each closed slot had `_FEWEST_WEEKS` chances or more.
3. At least half of the chances of the open slots were taken.
4. Chance alone does not explain a closed slot. Were values missing at random, an open slot would
   stay empty over W weeks with probability (1 - p)^W, where p is the share of chances that were
   taken. This times the number of slots must be small.
5. The width is evident: it is the most common distance of the times, or every open slot was taken
   in at least half of its weeks.

A slot that occurs once is open. So a shop that opens on two Sundays of three years has steps on
every Sunday, and the Sundays without a row are missing values. Open slots that are absent, such
as public holidays, are missing values too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import Any, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.tseries.offsets import BaseOffset, BDay, CustomBusinessDay

from timer_forecaster.arrays import FloatArray
from timer_forecaster.frames.calendar.axes import Axes, most_common
from timer_forecaster.frames.calendar.clock import wall_times

DAY = 86_400 * 10**9  # in nanoseconds, as all lengths here
WEEK = 7 * DAY
PER_UNIT = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}
"""Nanoseconds in a unit of time stamps."""

_NAMES = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONDAY = 4 * DAY  # 1970-01-05
_FEWEST_WEEKS = 3
_OPEN_SHARE = 0.5
_CHANCE = 0.003  # largest accepted bound on the probability that chance closed a slot
_SHORTEST = 10**9  # slots of less than a second are not counted
_LONGEST_NAME = 120
_MOST_SLOTS = 2**20  # of all axes that are looked at together


@dataclass(frozen=True)
class OpenHours:
    """A step from one open slot of the week to the next.

    Parameters
    ----------
    width : int
        Length of a slot in nanoseconds, a divisor of the week.
    phase : int
        Nanoseconds from Monday 00:00 to the first slot.
    open : tuple of int
        Numbers of the open slots, ascending.
    """

    width: int
    phase: int
    open: tuple[int, ...]

    @property
    def base(self) -> BaseOffset:
        """The step between neighboring slots."""
        return pd.tseries.frequencies.to_offset(pd.Timedelta(self.width))

    @property
    def freqstr(self) -> str:
        """Name for errors, such as ``"hours Mon–Fri 09:00–17:30 every 30min"``."""
        return _hours_name(self)

    @property
    def longest(self) -> int:
        """Nanoseconds that a step takes at most, on the average of many."""
        return WEEK // len(self.open) + 1

    def numbers(
        self, stamps: NDArray[np.int64], unit: str
    ) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Return the numbers of stamps along the open slots, and which stamps are open slots."""
        scale = PER_UNIT[unit]
        week, within = np.divmod(stamps - (_MONDAY + self.phase) // scale, WEEK // scale)
        slot, rest = np.divmod(within, self.width // scale)
        rank = _ranks(self)[slot]
        return week * len(self.open) + rank, (rest == 0) & (rank >= 0)

    def stamps(self, numbers: NDArray[np.int64], unit: str) -> NDArray[np.int64]:
        """Return the stamps of numbers."""
        scale = PER_UNIT[unit]
        week, rank = np.divmod(numbers, len(self.open))
        slot = np.asarray(self.open, dtype=np.int64)[rank]
        first = (_MONDAY + self.phase) // scale
        return first + week * (WEEK // scale) + slot * (self.width // scale)


Step = BaseOffset | OpenHours | int


@lru_cache(maxsize=64)
def _ranks(hours: OpenHours) -> NDArray[np.int64]:
    """Return the place of each slot of the week among the open ones; -1 if it is closed."""
    ranks = np.full(WEEK // hours.width, -1, dtype=np.int64)
    ranks[list(hours.open)] = np.arange(len(hours.open))
    return ranks


def week_slots(step: object, time_of_day: int) -> OpenHours | None:
    """Return the slots of a step along the open days of a week; None if it is another step.

    Parameters
    ----------
    step : offset, OpenHours or int
        `BDay` and a `CustomBusinessDay` without holidays have slots of one day.
    time_of_day : int
        Nanoseconds from midnight at which days have their step.
    """
    if isinstance(step, OpenHours):
        return step
    if type(step) is BDay and _is_plain(step):
        return _days(time_of_day, tuple(range(5)))
    weekdays = _weekdays(step)
    return None if weekdays is None else _days(time_of_day, weekdays)


@lru_cache(maxsize=64)
def _days(time_of_day: int, weekdays: tuple[int, ...]) -> OpenHours:
    return OpenHours(DAY, time_of_day, weekdays)


def _weekdays(step: object) -> tuple[int, ...] | None:
    """Return the open weekdays of a `CustomBusinessDay` that has neither holidays nor leaps."""
    if type(step) is not CustomBusinessDay or not _is_plain(step):
        return None
    calendar = step.calendar
    return None if len(calendar.holidays) else tuple(np.flatnonzero(calendar.weekmask).tolist())


def _is_plain(step: Any) -> bool:
    """Whether a step along business days is one of them, without a shift of the time of day."""
    return step.n == 1 and not step.offset and not step.normalize


def base_step(step: Step | None) -> Step | None:
    """Return the step of the full calendar under a step that leaves days or hours out."""
    if isinstance(step, OpenHours):
        return step.base
    return pd.offsets.Day() if week_slots(step, 0) is not None else step


def found_opening(times: pd.DatetimeIndex) -> BaseOffset | OpenHours | None:
    """Return the step along the open days or hours that times show; None if they show none.

    Parameters
    ----------
    times : pandas.DatetimeIndex
        Sorted and distinct. Days and hours are those of the wall clock of its time zone.

    Returns
    -------
    offset or OpenHours or None
        `BDay` for Monday to Friday, a `CustomBusinessDay` for other open days.

    Examples
    --------
    >>> days = pd.date_range("2024-01-01", periods=60)
    >>> found_opening(days[days.dayofweek != 6]).weekmask
    'Mon Tue Wed Thu Fri Sat'
    >>> hours = pd.date_range("2024-01-01", periods=900, freq="h")
    >>> found_opening(hours[(hours.hour > 8) & (hours.hour < 18)]).freqstr
    'hours 09:00–17:00 every 1h'
    """
    return None if times.empty else found_openings(Axes.of([times]))[0]


def found_openings(axes: Axes) -> list[BaseOffset | OpenHours | None]:
    """Return the step along the open days or hours that each axis of dates shows, or None."""
    if getattr(axes.joined, "tz", None) is not None:
        axes = Axes.of([wall_times(cast(pd.DatetimeIndex, axis)) for axis in axes])
    found: list[BaseOffset | OpenHours | None] = [None] * len(axes)
    unit = cast(pd.DatetimeIndex, axes.joined).unit
    week = WEEK // PER_UNIT[unit]
    long = axes.lasts - axes.firsts >= (_FEWEST_WEEKS - 1) * week
    asked = np.flatnonzero(long & (axes.sizes >= 2 * _FEWEST_WEEKS))
    if not len(asked):
        return found
    axes = axes.take(asked)
    widths = np.gcd(axes.each(np.gcd, np.abs(axes.distances)), week)
    for width in np.unique(widths).tolist():
        if width < week and width * PER_UNIT[unit] >= _SHORTEST:
            same = np.flatnonzero(widths == width)
            at_once = max(1, _MOST_SLOTS * width // week)
            for start in range(0, len(same), at_once):
                some = same[start : start + at_once]
                for number, opening in _of_width(axes.take(some), width, unit):
                    found[asked[some[number]]] = opening
    return found


def _of_width(axes: Axes, width: int, unit: str) -> list[tuple[int, BaseOffset | OpenHours]]:
    """Return the numbers of axes with closed slots, whose slots have a width, and their steps."""
    scale = PER_UNIT[unit]
    monday, per_week = _MONDAY // scale, WEEK // scale // width
    phases = (axes.firsts - monday) % width
    places = (axes.stamps - monday - axes.spread(phases)) // width
    is_open, shares = _open_slots(axes, places, per_week)
    found = []
    for number in np.flatnonzero(~np.isnan(shares)).tolist():
        if shares[number] >= _OPEN_SHARE or most_common(axes.take(np.array([number])))[0] == width:
            slots = tuple(np.flatnonzero(is_open[number]).tolist())
            found.append((number, _opening(width * scale, int(phases[number]) * scale, slots)))
    return found


@lru_cache(maxsize=64)
def _opening(width: int, phase: int, slots: tuple[int, ...]) -> BaseOffset | OpenHours:
    """Return the step along open slots, whose lengths are in nanoseconds."""
    if width != DAY:
        return OpenHours(width, phase, slots)
    if slots == tuple(range(5)):
        return BDay()
    return CustomBusinessDay(weekmask=" ".join(_NAMES[day] for day in slots))


def _open_slots(
    axes: Axes, places: NDArray[np.int64], per_week: int
) -> tuple[NDArray[np.bool_], FloatArray]:
    """Return the open slots (axes, slots) of the week, and the least share of chances taken of any.

    `places` holds the number of each time's slot, counted through all weeks. The share is NaN if
    every slot is open, or if it is not evident that the others are closed.
    """
    shape = len(axes), per_week
    first, last = axes.each(np.minimum, places), axes.each(np.maximum, places)
    rows = axes.spread(np.arange(len(axes)) * per_week)
    taken = np.bincount(rows + places % per_week, minlength=shape[0] * per_week).reshape(shape)
    weeks, rest = np.divmod(last - first + 1, per_week)
    after_first = (np.arange(per_week) - first[:, None]) % per_week
    chances = weeks[:, None] + (after_first < rest[:, None])
    is_open = taken > 0
    closed = np.where(is_open, np.iinfo(np.int64).max, chances).min(axis=1)
    n_taken, n_chances = taken.sum(axis=1), (chances * is_open).sum(axis=1)
    share = (n_taken + 1) / (n_chances + 2)
    by_chance = per_week * (1 - share) ** closed
    evident = (n_taken >= _OPEN_SHARE * n_chances) & (by_chance <= _CHANCE)
    evident &= (closed >= _FEWEST_WEEKS) & ~is_open.all(axis=1)
    least = np.where(is_open, taken / np.maximum(chances, 1), np.inf).min(axis=1)
    return is_open, np.where(evident, least, np.nan)


def opening_name(step: object) -> str | None:
    """Return the name of a step along open days or hours, for errors; None of another step."""
    if isinstance(step, OpenHours):
        return step.freqstr
    days = week_slots(step, 0)
    return None if days is None else f"business days {_day_names(days.open)}"


def _day_names(weekdays: Sequence[int]) -> str:
    """Return for example "Mon–Fri", "Sun–Thu" or "Mon, Wed, Fri–Sun"."""
    names = []
    for day in weekdays:
        if (day - 1) % 7 not in weekdays:  # the first of a run, which may go on after Sunday
            last = next(end for end in range(day, day + 7) if (end + 1) % 7 not in weekdays) % 7
            names.append(_NAMES[day] if last == day else f"{_NAMES[day]}–{_NAMES[last]}")
    return ", ".join(names)


def _hours_name(hours: OpenHours) -> str:
    """Return the days and hours of open slots; their number if that is too long a list."""
    width = hours.base.freqstr
    every = f"every {width}" if width[0].isdigit() else f"every 1{width}"
    by_day: dict[int, list[int]] = {}
    for slot in hours.open:
        day, within = divmod(hours.phase + slot * hours.width, DAY)
        by_day.setdefault(day, []).append(within)
    alike: dict[tuple[str, ...], list[int]] = {}
    for day, own in by_day.items():
        alike.setdefault(tuple(_spans(own, hours.width)), []).append(day)
    parts = [
        ("" if len(days) == 7 else f"{_day_names(days)} ") + " and ".join(spans)
        for spans, days in alike.items()
    ]
    text = "; ".join(parts)
    if len(text) > _LONGEST_NAME:
        text = f"at {len(hours.open)} of {WEEK // hours.width} times of the week"
    return f"hours {text} {every}"


def _spans(within: Sequence[int], width: int) -> list[str]:
    """Return the first and the last of each run of times of day."""
    spans = []
    for _, run in groupby(enumerate(within), lambda pair: pair[1] - pair[0] * width):
        own = [_clock(time) for _, time in run]
        spans.append(own[0] if len(own) == 1 else f"{own[0]}–{own[-1]}")
    return spans


def _clock(nanoseconds: int) -> str:
    seconds = nanoseconds // 10**9
    text = f"{seconds // 3600:02}:{seconds // 60 % 60:02}"
    return text if seconds % 60 == 0 else f"{text}:{seconds % 60:02}"
