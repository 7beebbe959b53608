"""Unix time and day numbers."""

import numpy as np
import pandas as pd
import pytest

from timer_forecaster.frames.stamps.epochs import days_of, unix_of

MONTHS = pd.date_range("2020-01-01", periods=20, freq="MS")


@pytest.mark.parametrize(
    "unit, noun", [("s", ""), ("ms", "milli"), ("us", "micro"), ("ns", "nano")]
)
@pytest.mark.parametrize("freq", ["MS", "D", "h", "min"])
def test_unix_time_is_found_in_each_unit(unit, noun, freq):
    times = pd.date_range("2020-01-01", periods=20, freq=freq)
    counted = unix_of(times.as_unit(unit).asi8)
    assert counted.name == f"{noun}seconds since 1970"
    assert counted.evident
    assert counted.times.tolist() == times.tolist()


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_times_are_those_of_the_clock_of_a_zone(unit):
    months = MONTHS.tz_localize("Europe/Berlin")
    counted = unix_of(months.as_unit(unit).asi8, "Europe/Berlin")
    assert counted.evident and counted.times.tolist() == months.tolist()
    assert str(counted.times.tz) == "Europe/Berlin"
    made = pd.to_datetime(pd.Series(months.as_unit(unit).asi8), unit=unit, utc=True)
    assert counted.advice == f"pd.to_datetime(t, unit={unit!r}, utc=True)"
    assert made.tolist() == months.tolist()


def test_odd_numbers_of_that_size_are_not_evidently_unix_time():
    assert not unix_of(1_704_067_201 + np.arange(20)).evident
    assert not unix_of(1_704_067_200_001 + 7 * np.arange(20)).evident


@pytest.mark.parametrize(
    "numbers", [[1, 2], [20240101, 20240102], [10**9, 10**13], [10**18, 10**19 - 1]]
)
def test_numbers_of_another_size_are_not(numbers):
    assert unix_of(np.array(numbers, dtype="float64")) is None


def test_fractions_keep_their_parts_of_a_second():
    assert unix_of(np.array([1704067200.25])).times[0] == pd.Timestamp("2024-01-01 00:00:00.25")


def serials(times):
    return ((times - pd.Timestamp("1899-12-30")) / pd.Timedelta(days=1)).to_numpy()


@pytest.mark.parametrize(
    "freq, evident", [("MS", True), ("B", True), ("QS", True), ("D", False), ("7D", False)]
)
def test_day_numbers_are_evident_where_days_are_irregular(freq, evident):
    times = pd.date_range("2024-01-01", periods=20, freq=freq)
    counted = days_of(serials(times).astype("int64"))
    assert counted.times.tolist() == times.tolist()
    assert counted.evident == evident


def test_fractions_of_days_are_rounded_to_seconds():
    times = pd.date_range("2024-01-01", periods=50, freq="h")
    counted = days_of(serials(times))
    assert counted.times.tolist() == times.tolist()
    assert not counted.evident


def test_the_advice_works():
    days, milliseconds = pd.Series(serials(MONTHS)), pd.Series(MONTHS.as_unit("ms").asi8)
    assert days_of(days.to_numpy()).advice == (
        "pd.to_datetime(t, unit='D', origin='1899-12-30').dt.round('s')"
    )
    made = pd.to_datetime(days, unit="D", origin="1899-12-30").dt.round("s")
    assert made.tolist() == MONTHS.tolist()
    assert unix_of(milliseconds.to_numpy()).advice == "pd.to_datetime(t, unit='ms')"
    assert pd.to_datetime(milliseconds, unit="ms").tolist() == MONTHS.tolist()
