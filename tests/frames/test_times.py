"""How times are read, and the step between them."""

import numpy as np
import pandas as pd
import pytest
from pandas.tseries.offsets import BDay, DateOffset, Day, Hour, MonthEnd
from stub_pipeline import StubPipeline, forecast_times, hourly

from timer_forecaster.frames.times import (
    as_step,
    most_common_step,
    parse_times,
    regular_step,
    step_name,
)


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


@pytest.mark.parametrize(
    "times, expected",
    [
        (["2024-01-05", "2024-01-08", "2024-01-09", "2024-01-10"], BDay()),
        (["2024-01-01", "2024-01-02", "2024-01-04"], None),
        (["2024-01-01", "2024-01-02", "2024-01-03"], Day(1)),
        (["2024-01-01", "2024-01-02"], None),
        (["2024-01-31", "2024-02-29", "2024-03-31"], MonthEnd(1)),
    ],
)
def test_a_regular_step_needs_three_regular_times(times, expected):
    assert regular_step(pd.DatetimeIndex(times)) == expected


def test_a_regular_step_of_integers():
    assert regular_step(pd.Index([4, 7, 10])) == 3
    assert regular_step(pd.Index([4, 7, 11])) is None


@pytest.mark.parametrize(
    "times, expected",
    [
        (["2024-01-01 00:00", "2024-01-01 01:00", "2024-01-01 05:00"], Hour(1)),
        (["2024-01-15", "2024-02-15", "2024-05-15"], DateOffset(months=1)),
        (["2024-01-31", "2024-02-29", "2024-05-31"], MonthEnd(1)),
        (["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-04", "2024-01-05", "2024-01-09"],
         BDay()),
        (["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-06"], Day(1)),
    ],
)  # fmt: skip
def test_the_most_common_step_follows_the_calendar(times, expected):
    assert most_common_step(pd.DatetimeIndex(times)) == expected


def test_a_day_is_a_day_where_the_clock_changes():
    times = pd.date_range("2024-03-29", periods=5, tz="Europe/Paris").delete(1)
    assert most_common_step(times) == Day(1)


def test_a_step_that_is_given_fits_the_kind_of_times():
    dates, integers = pd.date_range("2024-01-01", periods=2), pd.Index([1, 2])
    assert as_step("15min", dates) == pd.tseries.frequencies.to_offset("15min")
    assert as_step("5", integers) == as_step(np.int64(5), integers) == 5
    for freq, times in ((0, integers), (-1, integers), ("-1D", dates), ("D", integers)):
        with pytest.raises(ValueError, match=f"freq={freq!r}"):
            as_step(freq, times)


def test_steps_have_names():
    assert [step_name(step) for step in (None, 3, Hour(6))] == ["None", "3", "6h"]
