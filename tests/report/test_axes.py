import pandas as pd

from timer_forecaster.report.axes import packed_times


def test_series_of_one_calendar_share_it():
    days = pd.date_range("2020-01-01", periods=500, freq="B")
    calendars, places = packed_times([days[i:] for i in range(100)])
    assert len(calendars) == 1
    assert places == [[0, i] for i in range(100)]


def test_series_of_other_steps_have_their_own():
    days = pd.date_range("2020-01-01", periods=50)
    weeks = pd.date_range("2020-01-05", periods=7, freq="W")
    calendars, places = packed_times([days, weeks])
    assert places == [[0, 0], [1, 0]]
    assert calendars[1]["r"] == [[1, 6]]


def test_numbers_and_dates_do_not_mix():
    days = pd.date_range("1970-01-01", periods=5)
    calendars, places = packed_times([days, pd.RangeIndex(5)])
    units = [calendars[calendar]["u"] for calendar, _ in places]
    assert units == ["day", "number"]


def test_an_hour_that_comes_twice():
    hours = pd.date_range("2024-10-27", periods=6, freq="h", tz="Europe/Paris")
    calendars, [[calendar, place]] = packed_times([hours])
    assert (calendar, place) == (1, 0)
    assert sum(count for _, count in calendars[1]["r"]) == 5
