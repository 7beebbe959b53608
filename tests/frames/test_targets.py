"""Columns that hold no measurements are not forecast unasked."""

import warnings

import numpy as np
import pandas as pd
import pytest
from stub_pipeline import StubPipeline

from timer_forecaster.frames.targets import LeftOutWarning, choose_targets

HOURS = pd.date_range("2023-12-28 05:00", periods=200, freq="h")
DAYS = pd.date_range("2023-12-01", periods=200)
SOLD = np.random.default_rng(0).integers(20, 90, size=200)


def choice_of(times=DAYS, **columns):
    return choose_targets(pd.DataFrame({"time": times, "sold": SOLD, **columns}), "time")


@pytest.mark.parametrize("name", ["Unnamed: 0", "", "index", "id", "row_number", "count", "x"])
@pytest.mark.parametrize("first", [0, 1])
def test_row_numbers(name, first):
    choice = choice_of(**{name: np.arange(first, first + 200)})
    assert choice.targets == ["sold"]
    assert choice.left_out == {name: "row numbers"}


def test_row_numbers_within_each_id():
    frame = pd.DataFrame({"time": [*DAYS[:100]] * 2, "id": ["a"] * 100 + ["b"] * 100})
    frame = frame.assign(n=np.tile(np.arange(1, 101), 2), sold=SOLD)
    assert choose_targets(frame, "time", "id").left_out == {"n": "row numbers"}
    shuffled = frame.sort_values(["time", "id"])
    assert choose_targets(shuffled, "time", "id").left_out == {"n": "row numbers"}


@pytest.mark.parametrize(
    ("part", "values"),
    [
        ("year", HOURS.year),
        ("month", HOURS.month),
        ("day", HOURS.day),
        ("hour", HOURS.hour),
        ("weekday", HOURS.dayofweek),
        ("weekday", HOURS.dayofweek + 1),
        ("weekday", (HOURS.dayofweek + 1) % 7),
        ("week", HOURS.isocalendar().week.to_numpy()),
        ("quarter", HOURS.quarter),
        ("day of the year", HOURS.dayofyear),
        ("weekend", (HOURS.dayofweek >= 5).astype(int)),
        ("year and month", HOURS.year * 100 + HOURS.month),
        ("date", HOURS.year * 10000 + HOURS.month * 100 + HOURS.day),
        ("seconds since 1970", HOURS.as_unit("s").astype("int64")),
        ("milliseconds since 1970", HOURS.as_unit("ms").astype("int64")),
    ],
)
@pytest.mark.parametrize("zone", [None, "Asia/Tokyo"])
def test_parts_of_the_time(part, values, zone):
    times = HOURS
    if zone is not None:
        if "1970" in part:
            times = HOURS.tz_localize("UTC")
        else:
            times = HOURS.tz_localize(zone)
    choice = choice_of(times, other=np.asarray(values))
    assert choice.targets == ["sold"]
    assert choice.left_out == {"other": f"the {part} of the time"}


@pytest.mark.parametrize("value", [0, 7, -1.5])
def test_constants(value):
    assert choice_of(other=value).left_out == {"other": f"constant, {value:g}"}
    gappy = np.full(200, float(value))
    gappy[::3] = np.nan
    assert choice_of(other=gappy).left_out == {"other": f"constant, {value:g}"}


def test_a_constant_of_each_id():
    frame = pd.DataFrame({"time": [*DAYS[:100]] * 2, "id": ["a"] * 100 + ["b"] * 100})
    frame = frame.assign(size=[40] * 100 + [70] * 100, sold=SOLD)
    assert choose_targets(frame, "time", "id").left_out == {"size": "constant within each id"}


def test_empty_columns():
    choice = choice_of(a=np.nan, b=None)
    assert choice.left_out == {"a": "it is empty", "b": "it is empty"}


@pytest.mark.parametrize(
    "column",
    [
        np.arange(200) + 1000,
        np.arange(200) * 2,
        [*range(199), 5],
        [*range(199), np.nan],
        np.arange(200)[::-1],
        np.arange(200) * 1.0,
        HOURS.hour + 1,
    ],
    ids=range(7),
)
def test_a_meter_that_rises_is_a_target(column):
    assert choice_of(HOURS, other=np.asarray(column)).targets == ["sold", "other"]


@pytest.mark.parametrize(
    ("column", "why"),
    [(np.arange(200), "row numbers"), (3, "constant, 3"), (DAYS.day, "the day of the time")],
)
def test_the_only_column_is_forecast(column, why):
    frame = pd.DataFrame({"time": DAYS, "x": column})
    choice = choose_targets(frame, "time")
    assert choice.targets == ["x"]
    assert choice.doubtful == {"x": why}


@pytest.mark.parametrize(
    "columns",
    [
        {"Unnamed: 0": np.arange(200)},
        {"index": np.arange(200)},
        {"year": DAYS.year, "month": DAYS.month},
    ],
)
def test_what_its_name_says_is_never_forecast_unasked(columns):
    frame = pd.DataFrame({"time": DAYS, **columns})
    assert choose_targets(frame, "time").targets == []
    with pytest.raises(ValueError, match="holds measurements"):
        StubPipeline().predict_frame(frame, 2, time_column="time")


@pytest.mark.parametrize("values", [["x"] * 4, pd.date_range("2024", periods=4), [1j] * 4])
def test_columns_of_other_types_are_left_out_without_a_warning(values):
    frame = pd.DataFrame({"time": DAYS[:4], "y": [1.0, 3, 2, 5], "z": values})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        forecast = StubPipeline().predict_frame(frame, 1, time_column="time")
    assert forecast["target"].tolist() == ["y"]


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (np.arange(200), "row numbers"),
        (5, "constant, 5"),
        (np.arange(200) % 3 == 0, "it holds True and False"),
        ([*[True, False] * 99, None, True], "it holds True and False"),
        ([f"{n:,}.0" for n in SOLD * 100], "text of numbers"),
        (["1,5", *["2,5"] * 198, "oops"], "data row 200, 'oops', is not a finite number"),
    ],
)
def test_a_frame_is_told_what_is_left_out(values, reason):
    frame = pd.DataFrame({"time": DAYS, "y": SOLD, "z": values})
    with pytest.warns(LeftOutWarning, match=f"'z' .*{reason}") as caught:
        forecast = StubPipeline().predict_frame(frame, 1, time_column="time")
    assert forecast["target"].tolist() == ["y"]
    assert len(caught) == 1
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        StubPipeline().predict_frame(frame, 1, time_column="time", target_columns="y")


def test_named_columns_are_always_forecast():
    frame = pd.DataFrame({"time": DAYS, "y": SOLD, "n": np.arange(200), "year": DAYS.year, "c": 1})
    names = ["n", "year", "c"]
    forecast = StubPipeline().predict_frame(frame, 1, time_column="time", target_columns=names)
    assert forecast["target"].tolist() == names


def test_times_that_are_texts_or_integers():
    frame = pd.DataFrame({"time": DAYS.astype(str), "y": SOLD, "year": DAYS.year})
    with pytest.warns(LeftOutWarning, match="the year of the time"):
        StubPipeline().predict_frame(frame, 1, time_column="time")
    frame = pd.DataFrame({"time": np.arange(200) * 5, "y": SOLD, "again": np.arange(200) * 5})
    assert choose_targets(frame, "time").targets == ["y"]
