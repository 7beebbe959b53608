"""Times that a wall clock shows twice."""

import numpy as np
import pandas as pd
import pytest

from timer_forecaster.frames.stamps.doubled import told_apart


def tell(texts, series=None):
    """Tell minutes past midnight apart, of which those of the third hour are there twice."""
    wall = pd.DatetimeIndex([f"2024-10-27 0{text}" for text in texts.split()])
    twice = np.asarray(wall.hour == 2)
    told = told_apart(wall, twice, None if series is None else pd.Series(list(series)))
    return "".join("?" if u else "2" if a else "1" for a, u in zip(*told, strict=True))


@pytest.mark.parametrize(
    ("texts", "found"),
    [
        ("1:00 2:00 2:30 2:00 2:30 3:00", "111221"),
        ("3:00 2:30 2:00 2:30 2:00 1:00", "122111"),
        ("2:00 2:30 2:00 2:30", "1122"),  # the first row is the oldest, if no other row tells
        ("3:00 2:00 2:00", "121"),  # one row tells
        ("2:00 2:00 1:00", "211"),
        ("2:30 3:00", "11"),
        ("3:00 2:30", "11"),
        ("1:00 2:00 2:30 2:15 3:00", "11121"),  # a step is absent
        ("3:00 2:00 2:00 3:30", "1??1"),
        ("2:00 1:00 2:00 3:00", "?1?1"),
        ("1:00 2:00 2:00 2:30 2:30 3:00", "112??1"),
        ("1:00 1:00 2:00 2:00 2:00 3:00", "111221"),  # repeated times are refused elsewhere
    ],
)
def test_the_rows_around_tell(texts, found):
    assert tell(texts) == found


def test_each_series_tells_by_itself():
    assert tell("1:00 3:00 2:00 2:00 2:00 2:00 3:00 1:00", "abababab") == "11122111"


def test_without_doubled_hours_there_is_nothing_to_tell():
    assert tell("4:00 1:00 3:00") == "111"
