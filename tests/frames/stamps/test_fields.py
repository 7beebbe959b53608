"""Dates from their fields."""

import datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from timer_forecaster.frames.stamps.fields import (
    dates_of,
    days_of_year,
    full_years,
    moments_of,
    weeks_of,
)


def numbers(*values):
    return [np.array([value]) for value in values]


@given(st.dates(datetime.date(1, 1, 10), datetime.date(9998, 12, 20)))
def test_fields_of_any_date_give_the_date(date):
    expected = [date.isoformat()]
    assert dates_of(*numbers(date.year, date.month, date.day)).astype(str).tolist() == expected
    of_year = date.timetuple().tm_yday
    assert days_of_year(*numbers(date.year, of_year)).astype(str).tolist() == expected
    assert weeks_of(*numbers(*date.isocalendar())).astype(str).tolist() == expected


@pytest.mark.parametrize(
    "dates",
    [
        dates_of(*numbers(2023, 2, 29)),
        dates_of(*numbers(2024, 13, 1)),
        dates_of(*numbers(2024, 0, 1)),
        dates_of(*numbers(2024, 1, 0)),
        dates_of(*numbers(0, 1, 1)),
        dates_of(*numbers(10_000, 1, 1)),
        days_of_year(*numbers(2023, 366)),
        days_of_year(*numbers(2024, 0)),
        weeks_of(*numbers(2024, 53)),
        weeks_of(*numbers(2024, 0)),
        weeks_of(*numbers(2024, 1, 8)),
        moments_of(dates_of(*numbers(2024)), *numbers(24)),
        moments_of(dates_of(*numbers(2024)), *numbers(0, 60)),
        moments_of(dates_of(*numbers(2024)), *numbers(0, 0, 60)),
    ],
)
def test_fields_that_name_no_date_give_none(dates):
    assert np.isnat(dates).all()


def test_moments_and_years_of_two_digits():
    moment = moments_of(dates_of(*numbers(2024)), *numbers(23, 59, 58))
    assert pd.Timestamp(moment[0]) == pd.Timestamp("2024-01-01 23:59:58")
    assert full_years(np.array([0, 68, 69, 99])).tolist() == [2000, 2068, 1969, 1999]
