"""Times and ids in several columns."""

import pandas as pd
import pytest
from series_files import as_file

from timer_forecaster.frames.files.joined import joined_ids
from timer_forecaster.frames.files.options import ReadingOptions
from timer_forecaster.frames.reading import read_series

HOURS = pd.date_range("2024-01-13", periods=72, freq="h")


def read(columns, names, sep=","):
    frame = pd.DataFrame(columns).assign(load=range(5, 77))
    return read_series(as_file(frame.to_csv(index=False, sep=sep)), time_column=names)


@pytest.mark.parametrize("dates", ["%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%Y%m%d"])
@pytest.mark.parametrize("hours", ["%H:%M", "%H:%M:%S", "%I:%M %p", "%H%M", "%H", "%-H"])
def test_a_date_and_a_clock_time(dates, hours):
    found = read({"d": HOURS.strftime(dates), "at": HOURS.strftime(hours)}, ["d", "at"])
    assert found.time_column == "d at"
    assert found.frame["d at"].tolist() == HOURS.tolist()
    assert found.frame.columns.tolist() == ["d at", "load"]


def test_hours_from_1_to_24():
    columns = {"d": HOURS.strftime("%Y-%m-%d"), "hour": HOURS.hour + 1}
    expected = HOURS + pd.Timedelta(hours=1)
    assert read(columns, ["d", "hour"]).frame["d hour"].tolist() == expected.tolist()


@pytest.mark.parametrize(
    ("zone", "start"),
    [
        ("Europe/Berlin", "2024-03-30"),
        ("Europe/Berlin", "2024-10-26"),
        ("America/Havana", "2024-03-09"),  # the clock changes at midnight
        ("America/Havana", "2024-11-02"),
    ],
)
def test_hours_are_those_of_the_clock_of_the_zone(zone, start):
    times = pd.date_range(start, periods=72, freq="h", tz=zone)
    table = pd.DataFrame(
        {"d": times.strftime("%Y-%m-%d"), "hour": times.hour, "load": range(5, 77)}
    )
    options = ReadingOptions(timezone=zone)
    source = as_file(table.to_csv(index=False))
    found = read_series(source, time_column=["d", "hour"], options=options)
    assert found.frame["d hour"].tolist() == times.tolist()


@pytest.mark.parametrize(
    ("units", "freq"),
    [
        (["year", "month"], "MS"),
        (["year", "month", "day"], "D"),
        (["Year", "Month", "Day", "Hour"], "h"),
        (["month", "day", "year"], "D"),
        (["YEAR", "MON", "DAY", "HR", "MIN"], "15min"),
    ],
)
def test_columns_of_units(units, freq):
    times = pd.date_range("2024-01-01", periods=72, freq=freq)
    whole = {"mon": "month", "hr": "hour", "min": "minute"}
    columns = {u: getattr(times, whole.get(u.lower(), u.lower())) for u in units}
    found = read(columns, units)
    assert found.frame[" ".join(units)].tolist() == times.tolist()


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"d": ["2024-01-01"], "hour": [25]}, "'hour': data row 1, '25', is no hour from 0 to 24"),
        ({"d": ["2024-01-01"], "at": [930]}, "'at': data row 1, '930', is neither a clock time"),
        ({"d": ["2024-01-01"], "at": [1.5]}, "'at': data row 1, '1.5', is neither a clock time"),
        ({"d": ["2024-01-01"], "at": [None]}, "'at': data row 1 has no time"),
        ({"d": ["soon"], "hour": [3]}, "'d': data row 1, 'soon', cannot be read"),
        ({"year": [2024], "month": [13]}, "data row 1, year 2024, month 13, is no time"),
        ({"year": [2024], "day": [3]}, "name a year, a month, and every unit between"),
        ({"year": [24], "month": [3]}, "a year of fewer than four digits"),
        ({"year": [2024], "month": ["May"]}, "'month': data row 1, 'May', is no month in numbers"),
        ({"a": ["2024-01-01"], "b": [3], "c": [4]}, "three columns and more must be called year"),
    ],
)
def test_what_does_not_fit_is_named(columns, message):
    text = pd.DataFrame(columns).assign(load=1).to_csv(index=False)
    with pytest.raises(ValueError, match=message):
        read_series(as_file(text), time_column=list(columns))


def test_several_ids_are_split_again():
    text = "store,item,time,load\n"
    for store, item in (("01", "a"), ("1", "b"), ("01", "b")):
        text += "".join(f"{store},{item},2024-01-0{day},{day}.5\n" for day in (1, 2, 3))
    read = read_series(as_file(text), time_column="time", id_column=["store", "item"])
    assert read.id_column == "store item"
    forecast = pd.DataFrame({"store item": ["1 / b", "01 / a"], "target": "load", "q0.5": [1, 2]})
    split = read.with_ids(forecast)
    assert split.columns.tolist() == ["store", "item", "target", "q0.5"]
    assert split.values.tolist() == [["1", "b", "load", 1], ["01", "a", "load", 2]]


def test_ids_with_the_sign_that_joins_them_stay_apart():
    ids, parts = joined_ids(pd.DataFrame({"a": ["x / y", "x"], "b": ["z", "y / z"]}))
    assert ids.nunique() == 2
    assert parts.loc[ids.iloc[0]].tolist() == ["x / y", "z"]


def test_a_missing_part_of_an_id_is_missing():
    ids, _ = joined_ids(pd.DataFrame({"a": ["x", None], "b": ["z", "z"]}))
    assert ids.isna().tolist() == [False, True]
