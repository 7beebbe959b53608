"""The steps and times that a forecasting horizon of sktime asks for."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.tseries.offsets import BaseOffset

from timer_forecaster.frames.calendar.times import Step
from timer_forecaster.frames.history import Histories, History, all_times_at, steps_after

StepsAndTimes = tuple[NDArray[np.intp], pd.Index]
"""Steps from the end of an instance, which is step 0, and the times of these steps."""

Asked = tuple[dict[Hashable, NDArray[np.intp]], Sequence[pd.Index]]
"""The steps of each instance, and the times of these steps."""


def steps_and_times(fh: Any, histories: Histories) -> Asked:
    """Return the steps and times that a horizon asks of each instance.

    Parameters
    ----------
    fh : sktime.forecasting.base.ForecastingHorizon
        Relative or absolute; of integers, times, periods or time differences.
    histories : mapping of instance to History

    Returns
    -------
    steps : dict of instance to ndarray of int
    times : sequence of pandas.Index

    Raises
    ------
    ValueError
        If a time or a time difference is not a whole number of steps from the end of an instance.
    """
    wanted = fh.to_pandas()
    if fh.is_relative and pd.api.types.is_integer_dtype(wanted):
        return _relative(wanted.to_numpy(dtype=np.intp), histories)
    by_end: dict[tuple[int, int], StepsAndTimes] = {}  # instances that end together share objects
    steps, times = {}, []
    for key, history in histories.items():
        end = (id(history.end), id(history.step))
        if end not in by_end:
            by_end[end] = _of_instance(wanted, fh.is_relative, history)
        steps[key], own = by_end[end]
        times.append(own)
    return steps, times


def _relative(steps: NDArray[np.intp], histories: Histories) -> Asked:
    """Return the same steps of each instance, and their times."""
    times = all_times_at(list(histories.values()), steps)
    if len(histories) == 1 and (np.diff(steps) == 1).all():
        (history,) = histories.values()
        times = [with_freq(times[0], history.step)]
    return dict.fromkeys(histories, steps), times


def _of_instance(wanted: pd.Index, is_relative: bool, history: History) -> StepsAndTimes:
    """Return absolute times, or times that are time differences after the end, and their steps."""
    if not is_relative:
        return steps_after(history, wanted, "fh: times"), wanted
    if not isinstance(history.end, pd.DatetimeIndex):
        raise ValueError(
            f"fh holds time differences and y's times are {history.end.dtype}; give whole steps"
        )
    times = pd.DatetimeIndex([history.end[-1] + by for by in wanted])
    return steps_after(history, times, "fh: times"), times


def with_freq(times: pd.Index, step: Step | None) -> pd.Index:
    """Return consecutive times with their step as ``freq``, where pandas can hold it there."""
    if isinstance(times, pd.DatetimeIndex) and isinstance(step, BaseOffset):
        with suppress(ValueError):  # a clock change that pandas walks in another way
            return pd.DatetimeIndex(times, freq=step)
    return times
