"""Offsets from UTC in texts."""

import pandas as pd
import pytest

from timer_forecaster.frames.stamps.offsets import split_offsets, with_offsets


@pytest.mark.parametrize(
    "text, wall, hours",
    [
        ("2024-01-01 00:00:00+01:00", "2024-01-01 00:00:00", 1),
        ("2024-01-01 00:00:00.5 -0330", "2024-01-01 00:00:00.5", -3.5),
        ("2024-01-01T05-08", "2024-01-01T05", -8),
        ("2024-01-01T00:00Z", "2024-01-01T00:00", 0),
        ("1 Jan 2024 00:00:00 GMT", "1 Jan 2024 00:00:00", 0),
        ("1/1/2024 1:00 PM UTC+2", "1/1/2024 1:00 PM", 2),
        ("2024-01-01", "2024-01-01", None),
        ("01-02-2024", "01-02-2024", None),
        ("2024-01-01 00:00", "2024-01-01 00:00", None),
        ("2024-01-01 22:00-23:00", "2024-01-01 22:00-23:00", None),
    ],
)
def test_offsets_are_split(text, wall, hours):
    walls, offsets = split_offsets(pd.Series([text]))
    assert walls.tolist() == [wall]
    assert offsets[0] == pd.Timedelta(hours=hours) if hours is not None else pd.isna(offsets[0])


def aware(times, hours, **options):
    return with_offsets(pd.DatetimeIndex(times), pd.to_timedelta(hours, unit="h"), "t", **options)


def test_one_offset_stays():
    times = aware(["2024-01-01", "2024-07-01"], [1, 1])
    assert str(times.tz) == "UTC+01:00"
    assert str(aware(["2024-01-01"], [0]).tz) == "UTC"


@pytest.mark.parametrize(
    "zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Tehran"]
)
def test_changing_offsets_are_a_zone(zone):
    days = pd.date_range("2021-01-01 12:00", periods=200, tz=zone)
    offsets = (days.tz_localize(None) - days.tz_convert("UTC").tz_localize(None)) / pd.Timedelta(
        "1h"
    )
    times = aware(days.tz_localize(None), offsets)
    assert str(times.tz) == zone
    assert times.tolist() == days.tolist()


def test_offsets_of_no_zone_are_refused_and_the_advice_works():
    days = pd.date_range("2024-03-01", periods=4)
    with pytest.raises(
        ValueError, match=r"^time column 't': no time zone has .* \+01:00 to \+02:00"
    ):
        aware(days, [1, 2, 2, 2])
    assert str(aware(days, [1, 2, 2, 2], timezone="Europe/Berlin").tz) == "Europe/Berlin"


def test_ends_of_intervals_are_no_offsets():
    hours = pd.date_range("2024-01-01", periods=6, freq="h")
    with pytest.raises(ValueError, match="remove what is no offset"):
        aware(hours, [-1, -2, -3, -4, -5, -6])


def test_several_zones_are_in_utc():
    days = pd.date_range("2024-03-01", periods=4)
    times = aware(days.append(days), [1] * 4 + [-5] * 4)
    assert str(times.tz) == "UTC"
