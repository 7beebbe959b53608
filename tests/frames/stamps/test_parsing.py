"""How a column of times is read."""

import datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stub_pipeline import StubPipeline, forecast_times, hourly

from timer_forecaster.frames.stamps import parse_times


@pytest.fixture
def pipeline():
    return StubPipeline()


@pytest.mark.parametrize(
    "texts, last",
    [
        (["2024-02-27", "2024-02-28", "2024-02-29"], "2024-03-01"),
        (["2024-02-27 00:00", "2024-02-27T12:00", "2024-02-28"], "2024-02-28 12:00"),
        (["20240227", "20240228", "20240229"], "2024-03-01"),
        (["12/02/2024", "13/02/2024", "14/02/2024"], "2024-02-15"),
        (["2/27/2024", "2/28/2024", "2/29/2024"], "2024-03-01"),
        (["2024-03-31T01:00+01:00", "2024-03-31T03:00+02:00", "2024-03-31T04:00+02:00"],
         "2024-03-31 03:00+00:00"),
    ],
)  # fmt: skip
def test_texts_are_read(pipeline, texts, last):
    assert forecast_times(pipeline, texts, horizon=1).tolist() == [pd.Timestamp(last)]


def test_dates_that_can_be_read_in_two_ways_are_refused():
    frame = pd.DataFrame({"t": [f"01/{month:02}/2023" for month in range(1, 13)], "y": range(12)})
    with pytest.raises(ValueError, match=r"data row 2, '01/02/2023', can be month first or day"):
        StubPipeline().predict_frame(frame, 2, time_column="t")


@pytest.mark.parametrize(
    "frame, options, message",
    [
        (hourly(time=["2024-01-01", "", "?", "2024-01-02"]), {}, "data row 2, '', cannot be read"),
        (hourly(time=["2024-01-01", "02", "x", "y"]), {}, "data row 2, '02', cannot be read"),
        (hourly(time=["2024-01-01", None, None, None]), {}, "data row 2 has no time"),
        (hourly(time=[1.0, 1.5, 2.0, 2.5]), {}, "data row 2, .*1.5.*, is neither a date nor"),
        (hourly(time=[True, False, True, False]), {}, "dtype bool"),
        (hourly(), {"freq": "hourly"}, "freq='hourly' is not a pandas frequency: use for example"),
        (hourly(), {"freq": 3}, "freq=3 is not a pandas frequency"),
    ],
)
def test_errors_say_what_was_given_and_what_works(pipeline, frame, options, message):
    with pytest.raises((ValueError, TypeError), match=message):
        pipeline.predict_frame(frame, 2, **{"time_column": "time", **options})
    assert pipeline.calls == []


@pytest.mark.parametrize(
    "times",
    [
        pd.Series(pd.date_range("2024-03-30", periods=3, tz="Europe/Paris")),
        pd.Series(pd.period_range("2024-01", periods=3, freq="M")),
        pd.Series([3, 1, 2]),
    ],
    ids=["zone", "periods", "integers"],
)
def test_times_that_are_times_stay_as_they_are(times):
    pd.testing.assert_series_equal(parse_times(times, "t"), times)


def test_whole_floats_and_texts_of_integers_become_integers():
    for values in ([1.0, 2.0], ["1", " +2"]):
        assert parse_times(pd.Series(values), "t").tolist() == [1, 2]
    assert parse_times(pd.Series(["20240101", "20249999"]), "t").tolist() == [20240101, 20249999]


DAYS = pd.date_range("2024-02-27", periods=4)


@pytest.mark.parametrize(
    "values",
    [
        pd.Series(DAYS, dtype="timestamp[us][pyarrow]"),
        pd.Series(DAYS, dtype="timestamp[ns][pyarrow]"),
        pd.Series(DAYS, dtype="date32[pyarrow]"),
        pd.Series(DAYS, dtype="date64[pyarrow]"),
        pd.Series(DAYS.astype(str), dtype="string[pyarrow]"),
        pd.Series(DAYS.astype(str), dtype="category"),
        pd.Series(DAYS, dtype="category"),
        pd.Series(DAYS.date, dtype=object),
        pd.Series(list(DAYS.to_pydatetime()), dtype=object),
        pd.Series(list(DAYS), dtype=object),
        pd.Series(list(DAYS.to_numpy()), dtype=object),
        pd.Series([*DAYS[:2].date, *DAYS[2:].to_pydatetime()], dtype=object),
        pd.Series(["2024-02-27", *DAYS[1:]], dtype=object),
        pd.Series([Decimal(day) for day in DAYS.strftime("%Y%m%d")]),
        pd.Series(DAYS.strftime("%Y%m%d").astype("int64"), dtype="int64[pyarrow]"),
        pd.Series(DAYS.strftime("%Y%m%d").astype("int64"), dtype="Int32"),
        pd.Series(DAYS.strftime("%Y%m%d").astype("float64")),
        pd.Series(DAYS.strftime("%Y%m%d") + ".0"),
    ],
    ids=lambda values: f"{values.dtype} of {type(values.iloc[0]).__name__}",
)
def test_all_types_of_pandas_are_read_alike(values):
    times = parse_times(values, "t")
    assert times.dtype.kind == "M"
    assert times.tolist() == DAYS.tolist()


def test_arrow_times_keep_their_zone():
    berlin = DAYS.tz_localize("Europe/Berlin")
    arrow = pd.Series(berlin).astype("timestamp[us, tz=Europe/Berlin][pyarrow]")
    times = parse_times(arrow, "t")
    assert str(times.dt.tz) == "Europe/Berlin"
    assert times.tolist() == berlin.tolist()


def test_period_objects_are_periods():
    months = pd.period_range("2024-01", periods=3, freq="M")
    assert parse_times(pd.Series(list(months), dtype=object), "t").tolist() == months.tolist()


@pytest.mark.parametrize(
    "values, message",
    [
        (pd.Series([True, False]), "dtype bool"),
        (pd.Series([True, False], dtype="boolean"), "truth values"),
        (pd.Series([True, False], dtype=object), "truth values"),
        (pd.Series([True, 2], dtype=object), "data row 1, True, is one of truth values"),
        (pd.Series([1j, 2j]), "complex"),
        (pd.Series(pd.to_timedelta([1, 2], unit="D")), "durations"),
        (pd.Series([pd.Timedelta(1), pd.Timedelta(2)], dtype=object), "durations"),
        (pd.Series(pd.to_timedelta([1, 2])).astype("duration[ns][pyarrow]"), "durations"),
        (pd.Series([datetime.time(1), datetime.time(2)]), "without a date"),
        (pd.Series(pd.interval_range(0, 2)), "intervals"),
        (pd.Series([datetime.date(2024, 1, 1), 5], dtype=object), "data row 2, 5, is an? int"),
        (pd.Series([1, "a"], dtype=object), "data row 2, 'a', is an? str"),
        (
            pd.Series(["13/01/2024", datetime.datetime(2024, 2, 1)], dtype=object),
            "data row 1, '13/01/2024', is a text, and other rows are dates",
        ),
        (pd.Series([Decimal("1.5")]), "data row 1, .*1.5.*, is neither a date nor a whole number"),
        (pd.Series([1.0, np.inf]), "data row 2, .*inf.*, is neither a date"),
        (pd.Series([10**20, 10**20 + 1]), "data row 1, 1000.*, is too large"),
        (pd.Series(["1", str(10**20)]), "data row 2, '1000.*', is too large"),
        (pd.Series([1, 2**63], dtype="uint64"), "data row 2, .*9223372036854775808.*too large"),
        (pd.Series([1.0, 1e30]), "data row 2, .*1e\\+30.*, is too large"),
        (
            pd.Series([pd.Timestamp("2024-01-01", tz="UTC"), pd.Timestamp("2024-01-02")]),
            "data row 2, .*, has no time zone",
        ),
        (
            pd.Series([pd.Period("2024-01"), pd.Period("2024-01-02")], dtype=object),
            "data row 2, .*, is no period of 'M'",
        ),
    ],
)  # fmt: skip
def test_what_is_no_time_is_refused_by_name(values, message):
    with pytest.raises(ValueError, match=rf"^time column 't'.*{message}"):
        parse_times(values, "t")


@pytest.mark.parametrize(
    "texts, date_format, expected",
    [
        (["03/01/2024", "04/01/2024"], "%d/%m/%Y", "2024-01-04"),
        (["Jan-24", "Feb-24"], "%b-%y", "2024-02-01"),
        ([1012024, 2012024], "%d%m%Y", "2024-01-02"),
        ([202401, 202402], "%Y%m", "2024-02-01"),
        (["2024-01-01 00:00 +0100", "2024-01-01 00:00 +0200"], "%Y-%m-%d %H:%M %z",
         "2023-12-31 22:00+00:00"),
    ],
)  # fmt: skip
def test_a_format_that_is_given_decides(texts, date_format, expected):
    times = parse_times(pd.Series(texts), "t", date_format=date_format)
    assert times.iloc[-1] == pd.Timestamp(expected)


@pytest.mark.parametrize(
    "date_format, message",
    [
        ("%d/%m/%Y", "data row 2, '02/13/2024', is not of date_format='%d/%m/%Y'"),
        ("%d/%m", "date_format='%d/%m' has no year"),
        ("%Y %Q", "date_format='%Y %Q' cannot be used"),
    ],
)
def test_a_format_that_does_not_fit_is_refused(date_format, message):
    with pytest.raises(ValueError, match=message):
        parse_times(pd.Series(["01/02/2024", "02/13/2024"]), "t", date_format=date_format)


def test_the_day_can_be_said_to_be_first():
    texts = pd.Series(["01/02/2024", "02/02/2024"])
    assert parse_times(texts, "t", dayfirst=True).dt.day.tolist() == [1, 2]
    assert parse_times(texts, "t", dayfirst=False).dt.month.tolist() == [1, 2]
    with pytest.raises(ValueError, match=r"data row 1, '13/02/2024', cannot be read"):
        parse_times(pd.Series(["13/02/2024"]), "t", dayfirst=False)


def test_reading_twice_changes_nothing():
    for values in (["2024Q1", "2024Q2"], [202311, 202312, 202401], ["2024-01-01T00:00+01:00"]):
        once = parse_times(pd.Series(values), "t")
        pd.testing.assert_series_equal(parse_times(once, "t"), once)


@pytest.mark.parametrize("start", ["0001-01-01", "1500-01-01", "2262-04-03", "9999-01-01"])
@pytest.mark.parametrize("unit", ["s", "us"])
def test_far_dates_are_read_and_continued(pipeline, start, unit):
    days = pd.date_range(np.datetime64(start, unit), periods=9, unit=unit)
    for times in (days, days.strftime("%Y-%m-%d").str.zfill(10)):
        assert forecast_times(pipeline, times, 2).iloc[-1] == days[-1] + pd.Timedelta(days=2)


def test_nanoseconds_go_on_after_their_end(pipeline):
    times = pd.date_range("2262-04-02", periods=10, unit="ns")
    assert str(forecast_times(pipeline, times, 3).iloc[-1].date()) == "2262-04-14"


# ---------------------------------------------------------------------------- properties


NOTATIONS = {
    "D": ["%Y-%m-%d", "%Y/%m/%d", "%d %b %Y", "%b %d, %Y", "%A, %d %B %Y", "%Y%m%d", "%Y-%j"],
    "h": ["%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S", "%Y%m%d%H", "%Y%m%d%H%M", "%Y-%m-%d %I:%M %p"],
    "15min": ["%Y-%m-%d %H:%M:%S", "%d-%b-%Y %H:%M", "%Y%m%d%H%M%S", "%Y/%m/%d %I:%M:%S %p"],
    "W-MON": ["%Y-%m-%d", "%G-W%V", "%GW%V", "%Y%m%d", "%G-W%V-%u"],
    "B": ["%Y-%m-%d", "%a %d %b %Y", "%Y%m%d"],
    "MS": ["%Y-%m", "%b %Y", "%B %Y", "%m/%Y", "%Y/%m", "%Y%m", "%Ym%m", "%Y-%m-%d"],
    "YS": ["%Y-%m-%d", "%d %B %Y"],
}


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_any_regular_range_is_read_back_and_continued(data):
    freq = data.draw(st.sampled_from(sorted(NOTATIONS)))
    notation = data.draw(st.sampled_from(NOTATIONS[freq]))
    start = data.draw(st.datetimes(datetime.datetime(1970, 1, 1), datetime.datetime(2060, 1, 1)))
    count, horizon = data.draw(st.integers(13, 80)), data.draw(st.integers(1, 40))
    start = pd.Timestamp(start).floor("h" if freq in ("h", "15min") else "D")
    grid = pd.date_range(start, periods=count + horizon, freq=freq)
    texts = grid[:count].strftime(notation)
    shuffled = data.draw(st.permutations(range(count)))
    read = parse_times(pd.Series(texts).take(shuffled), "t")
    assert read.tolist() == grid[shuffled].tolist()
    assert forecast_times(StubPipeline(), texts, horizon).tolist() == grid[count:].tolist()


ZONES = (
    "Europe/Berlin America/New_York America/Santiago Africa/Cairo Asia/Tehran Australia/Lord_Howe "
    "America/Havana Asia/Kolkata Pacific/Auckland Europe/London"
).split()

# Offsets do not tell them from zones that are better known, unless a change of theirs is there.
LIKE_OTHERS = ("Africa/Cairo", "America/Havana")


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_any_regular_range_of_a_zone_is_read_back_and_continued(data):
    zone, freq = (
        data.draw(st.sampled_from(ZONES)),
        data.draw(st.sampled_from(["D", "W", "MS", "h"])),
    )
    start = data.draw(st.datetimes(datetime.datetime(2012, 1, 1), datetime.datetime(2024, 1, 1)))
    count, horizon = data.draw(st.integers(12, 400)), data.draw(st.integers(1, 60))
    if freq == "h":
        start = pd.Timestamp(start).floor("h").tz_localize("UTC").tz_convert(zone)
        grid = pd.date_range(start, periods=count + horizon, freq="h")
    else:
        wall = pd.date_range(pd.Timestamp(start).floor("D"), periods=count + horizon, freq=freq)
        first = np.ones(len(wall), dtype=bool)
        grid = wall.tz_localize(zone, ambiguous=first, nonexistent="shift_forward")
    past, future = grid[:count], grid[count:]
    assert forecast_times(StubPipeline(), past, horizon).tolist() == future.tolist()
    texts = past.astype(str)
    assert parse_times(pd.Series(texts), "t").tolist() == past.tolist()
    if len({time.utcoffset() for time in past}) > 1 and zone not in LIKE_OTHERS:
        assert forecast_times(StubPipeline(), texts, horizon).tolist() == future.tolist()


BERLIN = "Europe/Berlin"


@pytest.mark.parametrize("start", ["2024-03-28", "2024-10-24"])
@pytest.mark.parametrize("freq", ["15min", "h", "D", "W", "MS"])
@pytest.mark.parametrize("kind", ["s", "ms", "texts", "fractions"])
def test_times_from_1970_are_instants(start, freq, kind):
    """They are what the same instants are in texts that end in Z."""
    local = pd.date_range(start, periods=500, freq=freq, tz=BERLIN)
    utc = local.tz_convert("UTC")
    seconds = pd.Series(utc.as_unit("s").asi8)
    given = {
        "s": seconds,
        "ms": seconds * 1000,
        "texts": seconds.astype(str),
        "fractions": seconds + 0.25,
    }[kind]
    texts = pd.Series(utc.strftime(f"%Y-%m-%dT%H:%M:%S{'.25' if kind == 'fractions' else ''}Z"))
    step = freq if kind == "fractions" else None
    found = parse_times(given, "t", timezone=BERLIN, freq=step)
    assert found.tolist() == parse_times(texts, "t", timezone=BERLIN).tolist()
    assert str(found.dt.tz) == BERLIN
    if kind != "fractions":
        assert parse_times(given, "t", timezone=BERLIN, freq=freq).tolist() == local.tolist()
        assert parse_times(given, "t").tolist() == utc.tz_localize(None).tolist()


def test_day_numbers_of_excel_stay_times_of_the_clock():
    hours = pd.date_range("2024-03-25", periods=48, freq="h")
    numbers = pd.Series((hours - pd.Timestamp("1899-12-30")) / pd.Timedelta(days=1))
    found = parse_times(numbers, "t", timezone=BERLIN, freq="h")
    assert found.tolist() == hours.tz_localize(BERLIN).tolist()


def test_the_advice_on_fractions_of_seconds_works_with_a_zone():
    seconds = pd.Series([1711846800.5, 1711850400.5])
    with pytest.raises(ValueError, match=r"unit='s', utc=True\)"):
        parse_times(seconds, "t", timezone=BERLIN)
    made = parse_times(pd.to_datetime(seconds, unit="s", utc=True), "t", timezone=BERLIN)
    assert made.dt.hour.tolist() == [3, 4]
    with pytest.raises(ValueError, match="timezone='Berlin' is no time zone"):
        parse_times(seconds.astype("int64"), "t", timezone="Berlin")
