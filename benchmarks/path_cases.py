"""Series of data sets, cut into histories and what came true after them, for joint paths."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow.parquet as pq

from timer_forecaster.corpus.held_out import HELD_OUT
from timer_forecaster.inference.frequency import Frequency, as_frequencies
from timer_forecaster.inference.residuals import unit_of
from timer_forecaster.inference.sampling.table import SUB_DAILY, kind_of

CONTEXT = 2048  # steps of a history that are read
CASES = 48  # of each data set, at most but for the last origins of its series
LEAST_CONTEXT = 32  # steps of a history, and twice the horizon

UNSEEN = HELD_OUT[: HELD_OUT.index("chicago_nmmaps__D")]
"""Held-out data sets that no checkpoint of the package was trained on."""

_UNKNOWN_STEP = "U"
_STEPS = {"W": 8, "M": 12, "Q": 8, "A": 8, "Y": 8}  # of a horizon, by the last letter of a name


class Cases(NamedTuple):
    """Cases of a data set."""

    name: str
    frequency: Frequency
    histories: list[np.ndarray]
    actual: np.ndarray
    """What came true, of shape (cases, horizon), NaN where missing."""

    @property
    def units(self) -> np.ndarray:
        """Mean absolute first difference of each history."""
        return np.array([unit_of(history) for history in self.histories])


def letter_of(name: str) -> str:
    """Return the letter of the frequency at the end of the name of a data set.

    Examples
    --------
    >>> [letter_of(name) for name in ("nn5__D", "vic_elec__30T", "gafa_stock__B")]
    ['D', 'T', 'D']
    """
    letter = name.rpartition("__")[2][-1]
    return "D" if letter == "B" else letter


def frequency_of(name: str) -> Frequency:
    """Return the frequency that the name of a data set ends with."""
    code = name.rpartition("__")[2]
    return as_frequencies(None if code == _UNKNOWN_STEP else code, 1)[0]


def horizon_of(name: str, sub_daily: int = 48) -> int:
    """Return the steps to forecast of a data set."""
    if kind_of(frequency_of(name)) == SUB_DAILY:
        return sub_daily
    return _STEPS.get(letter_of(name), 30)


def read_cases(
    path: Path,
    horizon: int,
    most: int = CASES,
    least_context: int = LEAST_CONTEXT,
    spread: float = 0.0,
) -> Cases:
    """Return windows of evenly chosen series: more of each where there are few.

    Windows of a series do not overlap. They are the newest ones, or lie evenly in the newest part
    of the series, whose share is ``spread``.
    """
    column = pq.read_table(path, columns=["target"])["target"]
    places = np.unique(np.linspace(0, len(column) - 1, min(most, len(column))).round().astype(int))
    count = -(-most // len(column))
    histories, actual = [], []
    for place in places.tolist():
        series = np.array(column[place].as_py(), dtype=float)
        step = max(horizon, int(spread * len(series)) // count)
        for number in range(count):
            origin = len(series) - horizon - number * step
            if origin < max(2 * horizon, least_context):
                break
            history, future = series[:origin][-CONTEXT:], series[origin : origin + horizon]
            if unit_of(history) > 0 and np.isfinite(future).mean() >= 0.5:
                histories.append(history)
                actual.append(future)
    values = np.array(actual).reshape(-1, horizon)
    return Cases(path.stem, frequency_of(path.stem), histories, values)
