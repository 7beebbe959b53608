"""Readings, and which one the column decides."""

import numpy as np
import pandas as pd
import pytest

from timer_forecaster.frames.stamps.readings import Reading, anchored, coverage, decided, is_count

MONTHS = pd.date_range("2024-01-01", periods=12, freq="MS")
DAYS = pd.date_range("2024-01-01", periods=12)


@pytest.mark.parametrize(
    "times, freq, share",
    [
        (DAYS, None, 1),
        (DAYS.delete(3), None, 11 / 12),
        (MONTHS.append(DAYS[1:]), None, 23 / 336),
        (MONTHS, "MS", 1),
        (MONTHS, "D", 12 / 336),
        (MONTHS, "W-MON", 0),
        (DAYS[:1], None, 1),
        (pd.Index([5, 1, 3, 3]), None, 1),
        (pd.Index([1, 2, 4]), None, 0.75),
    ],
)
def test_coverage_is_the_share_of_the_grid(times, freq, share):
    assert coverage(times, freq) == pytest.approx(share, abs=0.03)


def test_the_clearly_more_regular_reading_is_decided():
    two_years = pd.date_range("2023-01-01", periods=24, freq="MS")
    swapped = pd.DatetimeIndex([pd.Timestamp(t.year, t.day, t.month) for t in two_years])
    readings = [Reading("month first", swapped), Reading("day first", two_years)]
    assert decided(readings).name == "day first"
    assert decided(readings[::-1]).name == "day first"


def test_equal_readings_are_not_decided_but_by_a_frequency():
    readings = [Reading("days", DAYS), Reading("months", MONTHS)]
    assert decided(readings) is None
    assert decided(readings, "MS").name == "months"
    assert decided(readings, "D").name == "days"
    assert decided(readings, "W-WED") is None


def test_integers_are_steps_of_counts():
    assert all(is_count(freq) for freq in (1, "12", np.int64(3)))
    assert not any(is_count(freq) for freq in ("D", "15min", pd.offsets.Day(), None))


@pytest.mark.parametrize(
    "period, freq, first",
    [
        ("M", "ME", "2024-01-31"),
        ("M", "MS", "2024-01-01"),
        ("M", None, "2024-01-01"),
        ("M", "h", "2024-01-01"),
        ("", "ME", "2024-01-01"),
    ],
)
def test_periods_are_their_ends_if_the_frequency_says_so(period, freq, first):
    assert anchored(MONTHS, period, freq)[0] == pd.Timestamp(first)


def test_quarters_and_weeks_have_ends():
    quarters = pd.date_range("2024-01-01", periods=4, freq="QS")
    assert anchored(quarters, "Q", "QE")[-1] == pd.Timestamp("2024-12-31")
    mondays = pd.date_range("2024-01-01", periods=4, freq="W-MON")
    assert anchored(mondays, "W", "W-SUN")[0] == pd.Timestamp("2024-01-07")
