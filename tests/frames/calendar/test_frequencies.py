"""Frequencies by name, and the length of a step."""

import pandas as pd
import pytest

from timer_forecaster.frames.calendar.frequencies import as_offset, minutes_of
from timer_forecaster.frames.calendar.opening import OpenHours

HOUR = 3_600_000_000_000


@pytest.mark.parametrize(
    ("name", "minutes"),
    [
        ("h", 60),
        ("1h", 60),
        ("H", 60),
        ("60min", 60),
        ("60T", 60),
        ("3600s", 60),
        ("T", 1),
        ("15T", 15),
        ("15min", 15),
        ("30S", 0.5),
        ("D", 1_440),
        ("24h", 1_440),
        ("W", 10_080),
        ("W-SUN", 10_080),
        ("W-MON", 10_080),
        ("7D", 10_080),
        ("2W-WED", 20_160),
        ("MS", None),
        ("ME", None),
        ("M", None),
        ("QE", None),
        ("Q-DEC", None),
        ("A-DEC", None),
        ("YS", None),
        ("B", None),
        ("bh", None),
        ("SME", None),
    ],
)
def test_a_name_says_how_long_a_step_is(name, minutes):
    assert minutes_of(as_offset(name)) == minutes


@pytest.mark.parametrize("name", ["", "hourly", "-1h", "0h", "7", "X"])
def test_a_name_of_no_frequency_is_refused(name):
    with pytest.raises(ValueError):
        as_offset(name)


@pytest.mark.parametrize("freq", ["h", "15min", "D", "W-SUN", "MS", "QE", "B"])
def test_steps_of_an_index_are_as_long_as_those_of_its_name(freq):
    index = pd.date_range("2024-01-07", periods=5, freq=freq)
    assert minutes_of(index.freq) == minutes_of(as_offset(freq))
    if freq not in ("QE", "B", "MS"):
        assert minutes_of(index.to_period().freq) == minutes_of(index.freq)


def test_steps_along_open_hours_are_slots_and_along_open_days_differ():
    assert minutes_of(OpenHours(HOUR, 0, tuple(range(9, 18)))) == 60
    assert minutes_of(OpenHours(HOUR // 4, 0, (0, 1, 2))) == 15
    assert minutes_of(OpenHours(24 * HOUR, 0, (0, 1, 2, 3, 4, 5))) is None


def test_integers_say_nothing():
    assert minutes_of(60) is None
