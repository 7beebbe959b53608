"""Zones that stamps show."""

import numpy as np
import pandas as pd
import pytest

from timer_forecaster.frames.calendar.zones import zone_named, zone_of_days, zone_of_offsets

# No zone that is better known has their rule.
ALONE = (
    "Europe/Berlin Europe/London Europe/Helsinki America/New_York America/Los_Angeles "
    "America/St_Johns America/Santiago Australia/Sydney Australia/Lord_Howe Pacific/Auckland "
    "Asia/Tehran Asia/Jerusalem"
).split()


def days_in(zone, freq="D", time="00:00", count=420):
    wall = pd.date_range(f"2021-01-01 {time}", periods=count, freq=freq)
    first = np.ones(len(wall), dtype=bool)
    return wall.tz_localize(zone, ambiguous=first, nonexistent="shift_forward")


@pytest.mark.parametrize("zone", ALONE)
@pytest.mark.parametrize("freq, count", [("D", 420), ("W", 80), ("MS", 30), ("h", 9000)])
def test_offsets_show_the_zone(zone, freq, count):
    times = (
        days_in(zone, freq, count=count)
        if freq != "h"
        else pd.date_range("2021-01-01", periods=count, freq="h", tz=zone)
    )
    utc = times.tz_convert("UTC")
    found = zone_of_offsets(utc, times.tz_localize(None) - utc.tz_localize(None))
    assert utc.tz_convert(found).tz_localize(None).equals(times.tz_localize(None))
    if freq in ("D", "h"):
        assert str(found) == zone


@pytest.mark.parametrize("zone", ALONE)
@pytest.mark.parametrize("freq, count", [("D", 420), ("W", 80), ("MS", 30)])
def test_local_midnights_show_their_clock(zone, freq, count):
    times = days_in(zone, freq, count=count)
    found = zone_of_days(times.tz_convert("UTC"))
    assert times.tz_convert(found).tz_localize(None).equals(times.tz_localize(None))


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "America/Santiago"])
def test_other_times_of_the_day_show_their_changes(zone):
    times = days_in(zone, time="06:00").tz_convert("UTC")
    local = times.tz_convert(zone_of_days(times)).tz_localize(None)
    assert (local - local.normalize()).nunique() == 1


@pytest.mark.parametrize(
    "times",
    [
        pd.date_range("2024-01-01", periods=400, tz="UTC"),
        pd.date_range("2024-01-01", periods=400, freq="h", tz="UTC"),
        days_in("Europe/Berlin").tz_convert("UTC")[:60],
        days_in("Europe/Berlin").tz_convert("UTC")[:2],
        pd.DatetimeIndex(["2024-02-01 08:00", "2024-02-02 09:00", "2024-02-03 08:00"], tz="UTC"),
        pd.DatetimeIndex(["2024-02-01 23:00", "2024-02-02 23:00", "2024-02-03 22:00"], tz="UTC"),
        pd.DatetimeIndex(["2024-02-01 03:00", "2024-02-02 09:00", "2024-02-03 15:00"], tz="UTC"),
    ],
)
def test_other_times_show_no_zone(times):
    assert zone_of_days(times) is None


def test_zones_have_names():
    assert zone_named("Asia/Tokyo").key == "Asia/Tokyo"
    for name in ("Berlin", "Europe/Nowhere", "../x", ""):
        with pytest.raises(ValueError, match="is no time zone: use a name such as"):
            zone_named(name)
