"""Periods of frequencies in steps."""

import pandas as pd
import pytest

from timer_forecaster.frames.calendar.opening import DAY, OpenHours
from timer_forecaster.frames.calendar.periods import periods_of


@pytest.mark.parametrize(
    ("freq", "periods"),
    [
        ("h", (24, 168, 8766)),
        ("30min", (48, 336, 17532)),
        ("2h", (12, 84, 4383)),
        ("D", (7, 365.25)),
        ("24h", (7, 365.25)),
        ("B", (5, 261)),
        ("bh", (8, 40, 40 * 365.25 / 7)),
        ("2bh", ()),
        (pd.offsets.BusinessHour(start="22:00", end="04:30"), (6.5, 32.5, 32.5 * 365.25 / 7)),
        (
            pd.offsets.CustomBusinessHour(
                start=["09:00", "14:00"], end=["12:00", "18:00"], weekmask="Mon Tue Sun"
            ),
            (7, 21, 21 * 365.25 / 7),
        ),
        ("7D", (52.18,)),
        ("W-MON", (52.18,)),
        ("2W", (26.09,)),
        ("ME", (12,)),
        ("BME", (12,)),
        ("3MS", (4,)),
        ("QS-OCT", (4,)),
        ("YE", ()),
        ("12h", ()),
        (3, ()),
        (None, ()),
        (pd.offsets.Hour(), (24, 168, 8766)),
        (pd.DateOffset(months=1), (12,)),
        (pd.DateOffset(years=1), ()),
        (pd.DateOffset(hours=1), (24, 168, 8766)),
        (pd.DateOffset(weekday=1), ()),
        (OpenHours(DAY, 0, tuple(range(6))), (6, 365.25 * 6 / 7)),
        (
            OpenHours(DAY // 24, 0, tuple(24 * d + h for d in range(5) for h in range(9, 18))),
            (9, 45, 45 * 365.25 / 7),
        ),
    ],
)
def test_day_week_and_year_in_steps(freq, periods):
    assert periods_of(freq) == pytest.approx(periods)
