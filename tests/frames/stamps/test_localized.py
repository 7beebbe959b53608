"""Local times without an offset, given a time zone."""

import numpy as np
import pandas as pd
import pytest
from stub_pipeline import StubPipeline, forecast_times

from timer_forecaster.frames.stamps import parse_times
from timer_forecaster.frames.stamps.localized import in_zone


def naive(times):
    return pd.Series(times.tz_localize(None))


@pytest.mark.parametrize(
    "zone, start",
    [
        ("Europe/Berlin", "2024-10-26 12:00"),
        ("Europe/Berlin", "2024-03-30 12:00"),
        ("America/New_York", "2024-11-02 12:00"),
        ("America/Santiago", "2024-04-06 12:00"),
        ("Australia/Sydney", "2024-04-06 12:00"),
    ],
)
@pytest.mark.parametrize("freq", ["h", "30min", "15min"])
def test_hours_over_a_change_are_told_apart(zone, start, freq):
    times = pd.date_range(start, periods=200, freq=freq, tz=zone)
    assert in_zone(naive(times), zone, "t").tolist() == times.tolist()
    texts = naive(times).astype(str)
    read = parse_times(texts, "t", timezone=zone)
    assert read.tolist() == times.tolist()
    ahead = forecast_times(StubPipeline(), read, 3)
    assert ahead.iloc[0] == times[-1] + pd.Timedelta(pd.tseries.frequencies.to_offset(freq))


def test_without_the_zone_doubled_hours_are_refused_and_the_advice_works():
    times = pd.date_range("2024-10-26 20:00", periods=20, freq="h", tz="Europe/Berlin")
    t = naive(times)
    with pytest.raises(ValueError, match=r"02:00:00 is there more than once.*tz_localize\("):
        forecast_times(StubPipeline(), t)
    aware = t.dt.tz_localize("Europe/Berlin", ambiguous="infer")
    assert forecast_times(StubPipeline(), aware, 1).iloc[0] == times[-1] + pd.Timedelta(hours=1)


def test_several_series_are_told_apart_by_their_ids():
    times = pd.date_range("2024-10-26 20:00", periods=20, freq="h", tz="Europe/Berlin")
    by_time, ids = times.repeat(2), pd.Series(["a", "b"] * 20)
    assert in_zone(naive(by_time), "Europe/Berlin", "t", ids).tolist() == by_time.tolist()
    by_id, ids = times.append(times), pd.Series(["a"] * 20 + ["b"] * 20)
    assert in_zone(naive(by_id), "Europe/Berlin", "t", ids).tolist() == by_id.tolist()
    assert in_zone(naive(by_id), "Europe/Berlin", "t").tolist() == by_id.tolist()


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/Santiago", "Australia/Sydney"])
@pytest.mark.parametrize("freq", ["h", "30min", "15min"])
def test_rows_may_be_newest_first(zone, freq):
    times = pd.date_range("2023-01-01", "2025-01-01", freq=freq, tz=zone)[::-1]
    assert in_zone(naive(times), zone, "t").tolist() == times.tolist()
    short = times[(times > "2024-04-01") & (times < "2024-04-09")]
    both = short.append(short[::-1])  # one series newest first, another oldest first
    ids = pd.Series(["a"] * len(short) + ["b"] * len(short))
    assert in_zone(naive(both), zone, "t", ids).tolist() == both.tolist()
    in_turn = np.arange(len(both)).reshape(2, -1).T.ravel()
    assert in_zone(naive(both[in_turn]), zone, "t", ids[in_turn]).tolist() == both[in_turn].tolist()


def test_parts_of_a_series_may_be_in_any_order():
    times = pd.date_range("2023-06-01", "2024-12-01", freq="h", tz="Europe/Berlin")
    parts = times[9000:].append(times[:9000])
    assert in_zone(naive(parts), "Europe/Berlin", "t").tolist() == parts.tolist()


def shuffled(times):
    return times[np.random.default_rng(0).permutation(len(times))]


def by_the_clock(times):
    return times[times.tz_localize(None).argsort()]


@pytest.mark.parametrize(
    ("freq", "order"), [("h", shuffled), ("15min", shuffled), ("15min", by_the_clock)]
)
def test_rows_without_an_order_of_their_doubled_hours_are_refused(freq, order):
    times = pd.date_range("2024-10-26", periods=300, freq=freq, tz="Europe/Berlin")
    t = naive(order(times)).astype(str)
    with pytest.raises(
        ValueError, match=r"2024-10-27 02:.*occurs twice.*sort the rows by time, or"
    ):
        parse_times(t, "t", timezone="Europe/Berlin")
    ids = pd.Series("a", index=t.index)
    with pytest.raises(ValueError, match=r"sort the rows by time, or give times with offsets"):
        parse_times(t, "t", timezone="Europe/Berlin", series=ids)
    found = parse_times(pd.Series(order(times).astype(str)), "t", timezone="Europe/Berlin")
    assert found.sort_values().tolist() == times.tolist()


def test_rows_in_no_order_mean_the_first_hour_where_there_is_one():
    times = pd.date_range("2024-10-26", periods=60, freq="h", tz="Europe/Berlin")
    times = shuffled(times[~times.tz_localize(None).duplicated()])
    assert in_zone(naive(times), "Europe/Berlin", "t").tolist() == times.tolist()


def test_times_that_several_rows_have_are_left_to_the_advice_on_them():
    times = pd.date_range("2024-10-26", periods=60, freq="h", tz="Europe/Berlin")
    read = in_zone(naive(shuffled(times.repeat(2))), "Europe/Berlin", "t")
    with pytest.raises(ValueError, match=r"once; aggregate such rows, or name the id .*series$"):
        forecast_times(StubPipeline(), read)


def test_days_at_a_skipped_time_are_moved():
    days = pd.Series(pd.date_range("2024-03-25 02:30", periods=10))
    times = in_zone(days, "Europe/Berlin", "t")
    assert times.dt.strftime("%H:%M").value_counts().to_dict() == {"02:30": 9, "03:00": 1}


def test_times_with_a_zone_are_converted():
    times = pd.Series(pd.date_range("2024-01-01", periods=3, tz="UTC"))
    assert in_zone(times, "Europe/Berlin", "t").dt.hour.tolist() == [1, 1, 1]
    texts = pd.Series(["2024-03-28 00:00+01:00", "2024-03-29 00:00+02:00"])
    assert str(parse_times(texts, "t", timezone="Europe/Berlin").dt.tz) == "Europe/Berlin"
    assert str(parse_times(pd.Series(["2024-01-01"]), "t", timezone="UTC").dt.tz) == "UTC"


@pytest.mark.parametrize(
    "values, timezone, message",
    [
        (["2024-03-31 01:00", "2024-03-31 02:00", "2024-03-31 03:00"], "Europe/Berlin",
         "data row 2, .*02:00.*, does not exist in Europe/Berlin"),
        (["2024-01-01"], "Berlin", "timezone='Berlin' is no time zone"),
        ([1, 2, 3], "UTC", "timezone='UTC': time column 't' holds int64, not dates"),
    ],
)  # fmt: skip
def test_what_cannot_be_local_is_refused(values, timezone, message):
    with pytest.raises(ValueError, match=message):
        parse_times(pd.Series(values), "t", timezone=timezone)


def test_rows_keep_their_index_and_name():
    days = pd.Series(pd.date_range("2024-01-01", periods=2), index=[5, 3], name="x")
    times = in_zone(days, "Asia/Tokyo", "t")
    assert (times.index.tolist(), times.name) == ([5, 3], "x")
    assert times.dt.hour.tolist() == [0, 0]
