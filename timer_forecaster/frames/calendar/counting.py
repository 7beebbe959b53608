"""Times counted along a step, in integers: quicker than walking, and for many series at once.

Steps of equal length, along the open slots of a week and of months are counted here. `step_counter`
returns None for all others, such as the days of a time zone;
`timer_forecaster.frames.calendar.grids` walks along these by pandas.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.tseries.offsets import BaseOffset, Day, Tick, Week

from timer_forecaster.frames.calendar.axes import Stamps
from timer_forecaster.frames.calendar.months import Months, months_of
from timer_forecaster.frames.calendar.opening import DAY, PER_UNIT, OpenHours, week_slots
from timer_forecaster.frames.calendar.times import Step

_LARGEST = 2**63 - 1  # the number below its negative is NaT


class StepCounter(NamedTuple):
    """Counts times along a step from a first time, which is 0."""

    width: int  # of a step, in stamps; 0 along slots
    slots: OpenHours | Months | None
    unit: str  # of the stamps of dates
    weekday: int | None  # on which every time has to lie
    every: int = 1  # slots of a step

    def after(self, first: Stamps, stamps: Stamps) -> tuple[Stamps, NDArray[np.bool_]]:
        """Return the number of steps from first stamps to others, and which are whole steps.

        Shapes broadcast. The first stamps must be whole steps themselves.
        """
        if self.slots is not None:
            start, first_is_open = self.slots.numbers(first, self.unit)
            numbers, is_open = self.slots.numbers(stamps, self.unit)
            numbers, rest = np.divmod(numbers - start, self.every)
            return numbers, is_open & first_is_open & (rest == 0)
        numbers, rest = np.divmod(stamps - first, self.width)
        whole = rest == 0
        if self.weekday is not None:
            days = first // (DAY // PER_UNIT[self.unit])
            whole &= (days + 3) % 7 == self.weekday  # day 0 was a Thursday
        return numbers, whole

    def at(self, first: Stamps, numbers: Stamps) -> Stamps:
        """Return the stamps of numbers of steps after first stamps. Shapes broadcast.

        Raises
        ------
        ValueError
            If a stamp does not fit in 64 bits, and would begin anew at the other end.
        """
        self._refuse_overflow(first, numbers)
        if self.slots is not None:
            start, _ = self.slots.numbers(first, self.unit)
            return self.slots.stamps(start + numbers * self.every, self.unit)
        return first + numbers * self.width

    def _refuse_overflow(self, first: Stamps, numbers: Stamps) -> None:
        width = self.width
        if self.slots is not None:
            width = self.every * self.slots.longest // PER_UNIT[self.unit] + 1
        ends = [
            int(end) * width for end in (np.min(numbers, initial=0), np.max(numbers, initial=0))
        ]
        bounds = int(np.min(first, initial=0)) + ends[0], int(np.max(first, initial=0)) + ends[1]
        if -_LARGEST <= bounds[0] and bounds[1] <= _LARGEST:
            return
        advice = "; hold times in a longer unit, as by times.as_unit('s')" if self.unit else ""
        raise ValueError(
            "horizon: the times go beyond the range of 64 bits; ask for fewer steps"
            + (advice or ", or subtract the first time from all times")
        )


def step_counter(times: pd.Index, step: Step) -> StepCounter | None:
    """Return the counter of a step among times; None if the step has to be walked by pandas.

    Parameters
    ----------
    times : pandas.Index
        Not empty. The time of day of the first is the one of all days, and its day the one of all
        months.
    step : offset, OpenHours or int
    """
    if isinstance(times, pd.PeriodIndex):
        return StepCounter(cast(BaseOffset, times.freq).n, None, "", None)
    if not isinstance(times, pd.DatetimeIndex):
        return StepCounter(step, None, "", None) if isinstance(step, int) else None
    if isinstance(step, int):
        return None
    scale = PER_UNIT[times.unit]
    if times.tz is not None:
        return _ticks(step, times.unit)
    slots = week_slots(step, int(times.asi8[0]) * scale % DAY)
    if slots is not None:
        fits = slots.width % scale == 0 and slots.phase % scale == 0
        return StepCounter(0, slots, times.unit, None) if fits else None
    if isinstance(step, Day | Week):
        days = step.n * (7 if isinstance(step, Week) else 1)
        weekday = getattr(step, "weekday", None)
        return StepCounter(days * DAY // scale, None, times.unit, weekday)
    months = months_of(step, int(times.asi8[0]), times.unit)
    if months is not None:
        return StepCounter(0, months[0], times.unit, None, months[1])
    return _ticks(step, times.unit)


@lru_cache(maxsize=64)
def _ticks(step: Step, unit: str) -> StepCounter | None:
    """Return the counter of hours or shorter steps; None for other ones, or if a unit is longer."""
    if not isinstance(step, Tick) or isinstance(step, Day):
        return None
    length = pd.Timedelta(step).as_unit("ns").value
    return (
        None if length % PER_UNIT[unit] else StepCounter(length // PER_UNIT[unit], None, unit, None)
    )
