"""The steps and times that a forecasting horizon of sktime asks for."""

from __future__ import annotations

from collections.abc import Hashable
from contextlib import suppress
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.tseries.offsets import BaseOffset

from timer_forecaster.frames.history import Histories, History, steps_after, times_at
from timer_forecaster.frames.times import Step

StepsAndTimes = tuple[NDArray[np.intp], pd.Index]
"""Steps from the end of an instance, which is step 0, and the times of these steps."""


def steps_and_times(fh: Any, histories: Histories) -> dict[Hashable, StepsAndTimes]:
    """Return the steps and times that a horizon asks of each instance.

    Parameters
    ----------
    fh : sktime.forecasting.base.ForecastingHorizon
        Relative or absolute; of integers, times, periods or time differences.
    histories : mapping of instance to History

    Returns
    -------
    dict of instance to (ndarray of int, pandas.Index)

    Raises
    ------
    ValueError
        If a time or a time difference is not a whole number of steps from the end of an instance.
    """
    by_end: dict[int, StepsAndTimes] = {}  # instances that end together share the object
    for history in histories.values():
        if id(history.end) not in by_end:
            by_end[id(history.end)] = _of_instance(fh, history)
    return {key: by_end[id(history.end)] for key, history in histories.items()}


def _of_instance(fh: Any, history: History) -> StepsAndTimes:
    wanted = fh.to_pandas()
    if fh.is_relative and pd.api.types.is_integer_dtype(wanted):
        steps = wanted.to_numpy(dtype=np.intp)
        times = times_at(history, steps)
        return steps, with_freq(times, history.step) if (np.diff(steps) == 1).all() else times
    if not fh.is_relative:
        return steps_after(history, wanted, "fh: times"), wanted
    if not isinstance(history.end, pd.DatetimeIndex):
        raise ValueError(
            f"fh holds time differences and y's times are {history.end.dtype}; give whole steps"
        )
    times = pd.DatetimeIndex([history.end[0] + by for by in wanted])
    return steps_after(history, times, "fh: times"), times


def with_freq(times: pd.Index, step: Step | None) -> pd.Index:
    """Return consecutive times with their step as ``freq``, where pandas can hold it there."""
    if isinstance(times, pd.DatetimeIndex) and isinstance(step, BaseOffset):
        with suppress(ValueError):  # a clock change that pandas walks in another way
            return pd.DatetimeIndex(times, freq=step)
    return times
