"""Seasons by frequency."""

import pandas as pd
import pytest

from timer_forecaster.backtesting.seasons import season_of
from timer_forecaster.frames.calendar.opening import found_opening


@pytest.mark.parametrize(
    ("freq", "season"),
    [
        ("15min", 96),
        ("W-MON", 1),
        ("QS-OCT", 4),
        ("B", 5),
        (pd.offsets.Hour(2), 12),
        (pd.offsets.BMonthBegin(), 12),
        (pd.DateOffset(months=1), 12),
        (None, 1),
        (3, 1),
    ],
)
def test_seasons(freq, season):
    assert season_of(freq) == season


def test_open_hours_have_their_day():
    hours = pd.date_range("2024-01-01", periods=24 * 60, freq="h")
    assert season_of(found_opening(hours[(hours.hour > 8) & (hours.hour < 18)])) == 9
