"""Days and hours that never occur are no steps; closed and missing steps are told apart."""

import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandas.tseries.offsets import BDay, CustomBusinessDay, Day, Hour
from stub_pipeline import StubPipeline, forecast_times, frame_of

from timer_forecaster.frames.calendar.opening import (
    DAY,
    OpenHours,
    base_step,
    found_opening,
    opening_name,
    week_slots,
)
from timer_forecaster.frames.calendar.times import step_name

MONDAY = "2024-01-01"


@pytest.fixture
def pipeline():
    return StubPipeline()


def open_days(*closed, weeks=12, start=MONDAY):
    days = pd.date_range(start, periods=7 * weeks)
    return days[~days.dayofweek.isin(closed)]


def clock(times):
    return times.hour * 60 + times.minute


def shop(times):
    return (times.dayofweek < 5) & (clock(times) >= 9 * 60) & (clock(times) <= 17 * 60 + 30)


def market(times):
    return (times.dayofweek < 5) & (clock(times) >= 9 * 60 + 30) & (clock(times) <= 16 * 60)


def night(times):
    return (times.hour >= 22) | (clock(times) <= 5 * 60)


def currencies(times):
    """From Sunday 22:00 to Friday 22:00."""
    day, hour = times.dayofweek, times.hour
    return (day < 4) | ((day == 4) & (hour < 22)) | ((day == 6) & (hour >= 22))


def short_saturday(times):
    day, hour = times.dayofweek, times.hour
    return ((day < 5) & (hour >= 8) & (hour < 20)) | ((day == 5) & (hour >= 8) & (hour < 13))


def lunch(times):
    return (times.hour >= 9) & (times.hour < 18) & (times.hour != 12)


def three_a_day(times):
    return times.hour.isin([8, 12, 18])


HOURS = {
    "shop": ("30min", shop),
    "market": ("5min", market),
    "night": ("30min", night),
    "night by the hour": ("h", night),
    "currencies": ("h", currencies),
    "short Saturday": ("h", short_saturday),
    "lunch": ("15min", lunch),
    "three a day": ("h", three_a_day),
    "weekends": ("h", lambda times: times.dayofweek >= 5),
}
CLOSED_DAYS = [(6,), (5,), (0,), (4, 5), (5, 6), (1, 3), (0, 6), (2,), (0, 1, 2, 3), (1, 3, 5, 6)]


def open_hours(kind, weeks=8, zone=None, start=MONDAY):
    freq, is_open = HOURS[kind]
    end = pd.Timestamp(start, tz=zone) + pd.DateOffset(weeks=weeks)
    times = pd.date_range(pd.Timestamp(start, tz=zone), end, freq=freq, inclusive="left")
    return times[is_open(times)]


# ------------------------------------------------------------- through a frame


@pytest.mark.parametrize("closed", CLOSED_DAYS, ids=str)
@pytest.mark.parametrize("zone", [None, "Europe/Paris"])
def test_closed_days_are_not_forecast(pipeline, closed, zone):
    times = open_days(*closed).tz_localize(zone)
    future = forecast_times(pipeline, times[:-9], horizon=9)
    assert future.tolist() == times[-9:].tolist()
    [(series, _)] = pipeline.calls
    assert len(series[0]) == len(times) - 9  # no missing values between


@pytest.mark.parametrize("kind", HOURS)
@pytest.mark.parametrize("zone", [None, "Europe/Paris", "America/New_York"])
def test_closed_hours_are_not_forecast(pipeline, kind, zone):
    times = open_hours(kind, zone=zone)
    horizon = len(times) // 3
    future = forecast_times(pipeline, times[:-horizon], horizon)
    assert future.tolist() == times[-horizon:].tolist()
    assert not np.isnan(pipeline.calls[0][0][0]).any()


@pytest.mark.parametrize("kind", ["shop", "night", "currencies"])
@pytest.mark.parametrize("start", ["2024-02-12", "2024-09-16"], ids=["spring", "autumn"])
def test_open_hours_continue_across_a_change_of_the_clock(pipeline, kind, start):
    times = open_hours(kind, zone="Europe/Paris", start=start)
    for stop in (len(times) // 2, len(times) - 100):
        future = forecast_times(pipeline, times[:stop], len(times) - stop)
        assert future.tolist() == times[stop:].tolist()


@pytest.mark.parametrize("closed", [(6,), (4, 5), (5, 6), (1, 3)], ids=str)
def test_holidays_are_missing_values(pipeline, closed):
    times = open_days(*closed, weeks=30)
    holidays = [3, 40, 41, 42, 43, 44, 45, 46, 80]  # several in a row, more than a week
    future = forecast_times(pipeline, times.delete(holidays)[:-9], horizon=9)
    assert future.tolist() == times[-9:].tolist()
    values = pipeline.calls[0][0][0]
    assert np.flatnonzero(np.isnan(values)).tolist() == holidays


@pytest.mark.parametrize("kind", HOURS)
def test_absent_open_hours_are_missing_values(pipeline, kind):
    times = open_hours(kind)
    absent = [2, 3, 4, 30, len(times) // 2]
    future = forecast_times(pipeline, times.delete(absent)[:-5], horizon=5)
    assert future.tolist() == times[-5:].tolist()
    values = pipeline.calls[0][0][0]
    assert np.flatnonzero(np.isnan(values)).tolist() == absent


def test_a_holiday_week_and_a_closed_summer_are_missing_values(pipeline):
    times = open_hours("shop", weeks=20)
    summer = (times >= "2024-03-04") & (times < "2024-03-25")
    forecast_times(pipeline, times[~summer])
    assert np.isnan(pipeline.calls[0][0][0]).sum() == summer.sum()


@pytest.mark.parametrize("freq", ["D", Day(1)])
def test_a_given_frequency_keeps_the_full_calendar(pipeline, freq):
    times = open_days(6)
    future = forecast_times(pipeline, times, horizon=3, freq=freq)
    assert future.dt.day_name().tolist() == ["Sunday", "Monday", "Tuesday"]
    assert np.isnan(pipeline.calls[0][0][0]).sum() == 11


def test_a_given_frequency_keeps_the_nights(pipeline):
    times = open_hours("shop")
    future = forecast_times(pipeline, times, horizon=3, freq="30min")
    assert future.dt.strftime("%a %H:%M").tolist() == ["Fri 18:00", "Fri 18:30", "Fri 19:00"]


def test_periods_keep_the_full_calendar(pipeline):
    future = forecast_times(pipeline, open_days(6).to_period("D"), horizon=1)
    assert future.tolist() == [pd.Period("2024-03-24")]


def test_each_id_has_its_own_closing_days(pipeline):
    kinds = {"a": (6,), "b": (0,), "c": (1, 3), "d": (5, 6), "e": ()}
    frame = pd.concat([frame_of(open_days(*kinds[key])).assign(id=key) for key in kinds])
    forecast = pipeline.predict_frame(frame, 14, time_column="time", id_column="id")
    for key, closed in kinds.items():
        days = forecast.loc[forecast["id"] == key, "time"].dt.dayofweek
        assert set(days) == set(range(7)) - set(closed)


def test_a_short_id_takes_the_closing_days_of_most(pipeline):
    times = {"a": open_days(6), "b": open_days(6), "c": open_days(6)[-9:].delete(2)}
    frame = pd.concat([frame_of(times[key]).assign(id=key) for key in times])
    forecast = pipeline.predict_frame(frame, 1, time_column="time", id_column="id")
    assert forecast["time"].tolist() == [pd.Timestamp("2024-03-25")] * 3


# ------------------------------------------------------------- nothing is closed by chance


@pytest.mark.parametrize("weeks", [1, 2])
@pytest.mark.parametrize("closed", [(6,), (4, 5), (1, 3)], ids=str)
def test_one_or_two_weeks_show_no_closing_days(closed, weeks):
    assert found_opening(open_days(*closed, weeks=weeks)) is None


def test_two_weeks_from_monday_to_friday_step_by_business_days_as_ever(pipeline):
    friday = open_days(5, 6, weeks=2)
    assert forecast_times(pipeline, friday, 1)[0] == pd.Timestamp("2024-01-15")


@pytest.mark.parametrize("closed", CLOSED_DAYS, ids=str)
@pytest.mark.parametrize("weeks", [4, 5, 50])
def test_four_weeks_are_evidence(closed, weeks):
    assert found_opening(open_days(*closed, weeks=weeks)) is not None


@pytest.mark.parametrize("kind", HOURS)
@pytest.mark.parametrize("weeks", [4, 30])
def test_four_weeks_are_evidence_of_hours(kind, weeks):
    times = open_hours(kind, weeks)
    assert found_opening(times.delete([7])) == found_opening(times) is not None


@pytest.mark.parametrize("share", [0.1, 0.3, 0.4, 0.6, 0.9])
@pytest.mark.parametrize("freq", ["D", "h", "15min"])
def test_values_missing_at_random_close_nothing(share, freq):
    for seed in range(20):
        rng = np.random.default_rng(seed)
        for weeks in (6, 20):
            times = pd.date_range(
                MONDAY, pd.Timestamp(MONDAY) + pd.Timedelta(weeks=weeks), freq=freq
            )
            assert found_opening(times[rng.random(len(times)) < share]) is None


@pytest.mark.parametrize("share", [0.4, 0.7, 0.95])
def test_whole_days_missing_at_random_close_nothing(share):
    for seed in range(20):
        rng = np.random.default_rng(seed)
        kept = np.repeat(rng.random(70) < share, 24)
        assert found_opening(pd.date_range(MONDAY, periods=70 * 24, freq="h")[kept]) is None


@pytest.mark.parametrize(
    "freq", ["h", "D", "2D", "7D", "W-WED", "MS", "ME", "BMS", "QE", "YS", "5min", "WOM-3FRI"]
)
def test_regular_times_and_months_close_nothing(freq):
    times = pd.date_range("2020-01-01", periods=3000 if freq == "5min" else 200, freq=freq)
    assert found_opening(times) is None
    assert found_opening(times.delete([5, 17, 30])) is None


def test_irregular_times_close_nothing():
    rng = np.random.default_rng(0)
    minutes = np.unique(rng.integers(0, 200_000, 3000))
    assert found_opening(pd.Timestamp(MONDAY) + pd.to_timedelta(minutes, "min")) is None
    drift = np.arange(2000) * 61 + rng.integers(0, 3, 2000)
    assert found_opening(pd.Timestamp(MONDAY) + pd.to_timedelta(drift, "min")) is None


def test_a_logger_with_a_few_odd_stamps_shows_no_hours():
    times = pd.date_range(MONDAY, periods=20_000, freq="5min")
    odd = times[::1500] + pd.Timedelta(minutes=2)
    assert found_opening(times.union(odd)) is None


def test_a_day_that_occurs_is_open(pipeline):
    sundays = pd.DatetimeIndex(["2022-12-18", "2023-12-17"])
    times = open_days(6, weeks=156, start="2021-01-04").union(sundays)
    assert found_opening(times) is None
    assert forecast_times(pipeline, times, 1)[0].day_name() == "Sunday"
    closed_on_monday = open_days(0, 6, weeks=156, start="2021-01-04").union(sundays)
    future = forecast_times(pipeline, closed_on_monday, 12)
    assert set(future.dt.dayofweek) == {1, 2, 3, 4, 5, 6}


# ------------------------------------------------------------------- the value


@given(
    st.sampled_from(["30min", "h", "D", "4h"]),
    st.sets(st.integers(0, 41), min_size=1, max_size=30),
    st.integers(-300, 300),
    st.sampled_from(["s", "ms", "us", "ns"]),
)
def test_numbers_and_stamps_are_inverse(width, slots, number, unit):
    length = pd.Timedelta(1, "D") if width == "D" else pd.Timedelta("1h" if width == "h" else width)
    per_week = pd.Timedelta(weeks=1) // length
    hours = OpenHours(length.value, 0, tuple(sorted({slot % per_week for slot in slots})))
    numbers = np.arange(number, number + 100)
    stamps = hours.stamps(numbers, unit)
    assert (np.diff(stamps) > 0).all()
    back, is_open = hours.numbers(stamps, unit)
    np.testing.assert_array_equal(back, numbers)
    assert is_open.all()
    week = np.timedelta64(1, "W").astype(f"m8[{unit}]").astype(int)
    np.testing.assert_array_equal(hours.stamps(numbers + len(hours.open), unit), stamps + week)


def test_closed_stamps_have_no_number():
    hours = found_opening(open_hours("shop"))
    times = pd.DatetimeIndex(["2024-01-01 09:00", "2024-01-01 08:30", "2024-01-06 09:00",
                              "2024-01-01 09:10"])  # fmt: skip
    assert hours.numbers(times.asi8, times.unit)[1].tolist() == [True, False, False, False]


def test_hours_are_values():
    one, other = found_opening(open_hours("shop")), found_opening(open_hours("shop", weeks=9))
    assert one == other
    assert hash(one) == hash(other)
    assert pickle.loads(pickle.dumps(one)) == one  # noqa: S301
    assert one != found_opening(open_hours("night"))


@pytest.mark.parametrize(
    "times, name",
    [
        (open_days(6), "business days Mon–Sat"),
        (open_days(4, 5), "business days Sun–Thu"),
        (open_days(0), "business days Tue–Sun"),
        (open_days(5, 6), "business days Mon–Fri"),
        (open_days(1, 3, 5, 6), "business days Mon, Wed, Fri"),
        (open_hours("shop"), "hours Mon–Fri 09:00–17:30 every 30min"),
        (open_hours("market"), "hours Mon–Fri 09:30–16:00 every 5min"),
        (open_hours("night by the hour"), "hours 00:00–05:00 and 22:00–23:00 every 1h"),
        (open_hours("short Saturday"), "hours Mon–Fri 08:00–19:00; Sat 08:00–12:00 every 1h"),
        (open_hours("three a day"), "hours 08:00 and 12:00 and 18:00 every 2h"),
    ],
)
def test_steps_have_readable_names(times, name):
    step = found_opening(times)
    assert step_name(step) == opening_name(step) == name


def test_a_long_list_of_hours_is_counted():
    hours = OpenHours(3600 * 10**9, 0, tuple(range(0, 168, 5)))
    assert opening_name(hours) == "hours at 34 of 168 times of the week every 1h"


def test_other_steps_have_no_open_days():
    holidays = CustomBusinessDay(weekmask="Mon Tue", holidays=["2024-01-01"])
    for step in (Day(1), Hour(1), 3, BDay(2), holidays, None):
        assert opening_name(step) is None
        assert week_slots(step, 0) is None
        assert base_step(step) is step


def test_the_full_calendar_under_open_steps():
    assert base_step(BDay()) == base_step(found_opening(open_days(6))) == Day(1)
    assert base_step(found_opening(open_hours("market"))) == pd.offsets.Minute(5)


def test_days_keep_their_time_of_day(pipeline):
    times = open_days(6) + pd.Timedelta(hours=17)
    assert week_slots(found_opening(times), 17 * DAY // 24).phase == 17 * DAY // 24
    assert forecast_times(pipeline, times, 1)[0] == pd.Timestamp("2024-03-25 17:00")
