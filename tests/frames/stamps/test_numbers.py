"""Columns of numbers."""

import re

import numpy as np
import pandas as pd
import pytest
from stub_pipeline import StubPipeline, forecast_times

from timer_forecaster.frames.stamps.numbers import read_numbers


def read(numbers, **options):
    return read_numbers(pd.Series(np.asarray(list(numbers), dtype="int64")), "t", **options)


@pytest.mark.parametrize(
    "numbers",
    [
        range(5),
        range(1000, 1100),
        range(1990, 2025),
        range(2001, 2013),
        range(1001, 1013, 3),
        range(100_001, 100_050),
        range(202001, 202113),
        range(202090, 202110),
        range(20240125, 20240206),
        range(20240120, 20240320),
        range(45292, 45330),
        range(1_704_067_200, 1_704_067_300),
        range(-5, 5),
        [7],
        [3, 1, 2],
        [2000, 2004, 2008],
        [10**17, 10**17 + 1, 10**17 + 2],
        [202001, 202031, 202061],
        [20240101, 20249999],
        [10122000, 10122001, 10122002],
    ],
)
def test_counts_stay_integers(numbers):
    assert read(numbers).tolist() == list(numbers)
    assert read(numbers).dtype == np.int64


@pytest.mark.parametrize(
    "format, freq",
    [
        ("%Y%m%d", "D"),
        ("%Y%m%d", "B"),
        ("%Y%m%d", "W-WED"),
        ("%Y%m%d", "ME"),
        ("%d%m%Y", "D"),
        ("%m%d%Y", "D"),
        ("%Y%m", "MS"),
        ("%y%m", "MS"),
        ("%y%m%d", "D"),
        ("%Y%j", "D"),
        ("%G%V", "W-MON"),
        ("%Y%m%d%H", "h"),
        ("%Y%m%d%H", "6h"),
        ("%Y%m%d%H%M", "15min"),
        ("%Y%m%d%H%M%S", "10s"),
    ],
)
def test_codes_are_read_and_forecast_as_dates(format, freq):
    dates = pd.date_range("2023-10-02", periods=100, freq=freq)
    numbers = dates.strftime(format).astype("int64")
    assert read(numbers).tolist() == dates.tolist()
    for values in (numbers, numbers.astype("float64"), dates.strftime(format)):
        ahead = forecast_times(StubPipeline(), values, 40)
        assert ahead.tolist() == pd.date_range(dates[-1], periods=41, freq=freq)[1:].tolist()


@pytest.mark.parametrize(
    "numbers, first, following",
    [
        (range(202001, 202013), "2020-01-01", "2021-01-01"),
        (range(20231, 20235), "2023-01-01", "2024-01-01"),
        (range(202301, 202353), "2023-01-02", "2024-01-01"),
        (range(20240101, 20240132), "2024-01-01", "2024-02-01"),
        (range(20240105, 20240132), "2024-01-05", "2024-02-01"),
        (range(2024001, 2024367), "2024-01-01", "2025-01-01"),
        ([20233, 20234, 20241, 20242], "2023-07-01", "2024-07-01"),
        (range(2024010100, 2024010124), "2024-01-01", "2024-01-02"),
    ],
)
def test_columns_of_one_cycle_are_read(numbers, first, following):
    times = read(numbers)
    assert times.iloc[0] == pd.Timestamp(first)
    assert forecast_times(StubPipeline(), list(numbers), 1).iloc[0] == pd.Timestamp(following)


@pytest.mark.parametrize(
    "numbers, names",
    [
        (range(202001, 202010), ["months (YYYYMM)", "weeks (YYYYWW)"]),
        (range(202003, 202009), ["months (YYYYMM)", "weeks (YYYYWW)"]),
        ([202001, 202003, 202004, 202007], ["months (YYYYMM)", "weeks (YYYYWW)"]),
        (range(202310, 202340), ["weeks (YYYYWW)"]),
        ([20231, 20232, 20233], ["quarters (YYYYQ)"]),
        (range(2024001, 2024032), ["days (YYYYDDD)"]),
        (range(240101, 240113), ["days (YYMMDD)"]),
        (range(2401, 2413), ["months (YYMM)"]),
        (range(1012024, 13012024, 1000000), ["days (DDMMYYYY)", "days (MMDDYYYY)"]),
        ([202001], ["months (YYYYMM)", "weeks (YYYYWW)"]),
    ],
)
def test_what_nothing_decides_is_refused_and_every_remedy_works(numbers, names):
    numbers = list(numbers)
    with pytest.raises(ValueError, match=r"^time column 't': .* or plain numbers") as caught:
        read(numbers)
    message = str(caught.value)
    assert all(name in message for name in names)
    remedies = re.findall(r"freq='?([\w-]+)'?", message)
    assert len(remedies) == len(names) + 1
    for freq in remedies[:-1]:
        frame = pd.DataFrame({"t": numbers, "y": np.arange(len(numbers), dtype=float)})
        ahead = StubPipeline().predict_frame(frame, 2, time_column="t", freq=freq)["t"]
        assert ahead.dtype.kind == "M"
    assert read(numbers, freq=int(remedies[-1])).tolist() == numbers


@pytest.mark.parametrize(
    "freq, first, last",
    [
        ("MS", "2020-01-01", "2020-09-01"),
        ("ME", "2020-01-31", "2020-09-30"),
        ("W-MON", "2019-12-30", "2020-02-24"),
        ("W-SUN", "2020-01-05", "2020-03-01"),
        (pd.offsets.MonthBegin(), "2020-01-01", "2020-09-01"),
    ],
)
def test_a_frequency_decides(freq, first, last):
    times = read(range(202001, 202010), freq=freq)
    assert (times.iloc[0], times.iloc[-1]) == (pd.Timestamp(first), pd.Timestamp(last))


@pytest.mark.parametrize(
    "numbers, code, row, value",
    [
        ([20240228, 20240229, 20240230, 20240301], "YYYYMMDD", 3, 20240230),
        ([*range(20240101, 20240132), 20240230], "YYYYMMDD", 32, 20240230),
        ([202011, 202012, 202099, 202101, 202102, 202103, 202104], "YYYYMM", 3, 202099),
        ([2024010122, 2024010123, 2024010124, 2024010200], "YYYYMMDDHH", 3, 2024010124),
    ],
)
def test_a_number_that_is_no_date_is_named(numbers, code, row, value):
    for options in ({}, {"freq": "D"}):
        with pytest.raises(
            ValueError, match=f"looks like {code}, but data row {row}, {value}, is no"
        ):
            read(numbers, **options)
    assert read(numbers, freq=1).tolist() == numbers


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("freq", ["MS", "D", "B", "h"])
def test_unix_time_is_forecast_as_dates(unit, freq):
    times = pd.date_range("2020-01-01", periods=48, freq=freq)
    ahead = forecast_times(StubPipeline(), times.as_unit(unit).asi8, 24)
    assert ahead.tolist() == pd.date_range(times[-1], periods=25, freq=freq)[1:].tolist()


def test_a_frequency_of_dates_makes_dates_of_odd_unix_times():
    numbers = [1_704_067_201, 1_704_070_801, 1_704_078_001]
    assert read(numbers, freq="h").iloc[0] == pd.Timestamp("2024-01-01 00:00:01")
