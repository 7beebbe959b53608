"""The columns of times and ids, and how files are written."""

import io

import pandas as pd
import pytest

from timer_forecaster.frames.files.options import ReadingOptions
from timer_forecaster.frames.files.sources import Source
from timer_forecaster.frames.reading.errors import MissingColumnError
from timer_forecaster.frames.reading.layout import Layout


def source(text):
    return Source.of(io.BytesIO(text.encode()))


TEXT = "shop,day,code,sold\n007,13/01/2024,01,5\nNA,14/01/2024,02,6\n"


def test_the_column_of_times_is_found_and_kept():
    table, layout = Layout(ReadingOptions(), ids=["shop"]).open(source(TEXT))
    assert layout.times == ["day"]
    assert (layout.reserved, layout.time_column, layout.id_column) == (
        ["day", "shop"],
        "day",
        "shop",
    )
    stamps, how = layout.stamps(table.frame)
    assert stamps.tolist() == [pd.Timestamp("2024-01-13"), pd.Timestamp("2024-01-14")]
    assert how == "'day' ('13/01/2024' is 2024-01-13)"
    keys, parts = layout.keys(table)
    assert keys.tolist() == ["007", "NA"] and parts is None
    assert table.frame["code"].tolist() == [1, 2]


def test_columns_that_stay_texts():
    layout = Layout(ReadingOptions(), ["day"], ["shop"], texts=["code", "absent"])
    assert layout.open(source(TEXT))[0].frame["code"].tolist() == ["01", "02"]


def test_several_columns():
    layout = Layout(ReadingOptions(), ["day"], ["shop", "code"], texts=["code"])
    table, layout = layout.open(source(TEXT))
    keys, parts = layout.keys(table)
    assert keys.tolist() == parts.index.tolist() and len(parts.columns) == 2
    assert Layout(ReadingOptions()).keys(table) == (None, None)


@pytest.mark.parametrize(
    ("times", "ids", "targets", "message"),
    [
        (["date"], [], [], "time_column: there is no column 'date'"),
        (["day"], ["id"], [], "id_column: there is no column 'id'"),
        (["day"], [], ["price"], "target_columns: there is no column 'price'"),
        (["day", "day"], [], [], "name each once"),
        (["day"], ["day"], [], "id_column and time_column are both 'day'"),
        (["day"], ["shop"], ["shop"], "'shop' is the time or the id column"),
    ],
)
def test_refused(times, ids, targets, message):
    with pytest.raises(ValueError, match=message):
        Layout(ReadingOptions(), times, ids).open(source(TEXT), targets)
    with pytest.raises(MissingColumnError):
        Layout(ReadingOptions(), ["date"]).open(source(TEXT))
    with pytest.raises(ValueError, match="no rows of data"):
        Layout(ReadingOptions(), ["day"]).open(source("day,x\n"))
