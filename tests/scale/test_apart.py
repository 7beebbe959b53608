"""Series that cannot be read are set apart from rows."""

import pandas as pd
import pyarrow as pa
import pytest
from scale_cases import sales

from timer_forecaster.frames.files.sources import Source
from timer_forecaster.frames.reading import read_series
from timer_forecaster.scale.apart import FAULT, read_apart, series_numbers, without_faults

NAMES = {"time_column": "day", "id_column": "shop", "target_columns": "sold"}


def read(frame):
    return read_series(Source("sales", None, frame=frame), **NAMES)


def with_texts(**days):
    """Return sales with times as texts, of some shops in another format or a text."""
    frame = sales(6)
    texts = frame["day"].dt.strftime("%Y-%m-%d")
    for shop, form in days.items():
        texts = texts.mask(frame["shop"] == shop, frame["day"].dt.strftime(form))
    return frame.assign(day=texts)


def test_each_row_of_a_series_that_cannot_be_read_has_the_reason():
    frame = with_texts(s001="soon", s005="late").set_index(pd.RangeIndex(7, 286))
    found, reasons = read_apart(frame, ["shop"], read)
    bad = frame["shop"].isin(["s001", "s005"])
    pd.testing.assert_series_equal(reasons.notna(), bad, check_names=False)
    assert reasons[frame["shop"] == "s005"].str.contains("'late', cannot be read").all()
    pd.testing.assert_frame_equal(found.frame, read(frame[~bad]).frame)


def test_the_way_in_which_most_series_are_written_decides():
    frame = with_texts(s001="%d.%m.%Y", s004="%d.%m.%Y")
    found, reasons = read_apart(frame, ["shop"], read)
    assert found.frame["shop"].unique().tolist() == ["s000", "s002", "s003", "s005"]
    assert frame.loc[reasons.notna(), "shop"].unique().tolist() == ["s001", "s004"]


def test_rows_without_any_series_that_can_be_read():
    frame = sales(3).assign(day="soon")
    found, reasons = read_apart(frame, ["shop"], read)
    assert found is None
    assert reasons.notna().all()
    found, reasons = read_apart(frame[:0], ["shop"], read)
    assert found is None
    assert reasons.empty


def test_first_rows_of_which_no_series_can_be_read_are_an_error():
    asked = []

    def counted(frame):
        asked.append(len(frame))
        return read(frame)

    frame = sales(65).assign(day="soon")
    frame.loc[:9, "day"] = "2024-01-01"
    with pytest.raises(ValueError, match="data row 11, 'soon', cannot be read"):
        read_apart(frame, ["shop"], counted, is_head=True)
    assert len(asked) < frame["shop"].nunique()


def test_many_series_of_which_none_can_be_read_are_an_error():
    with pytest.raises(ValueError, match="'soon', cannot be read"):
        read_apart(sales(20).assign(day="soon"), ["shop"], read)
    assert read_apart(sales(19).assign(day="soon"), ["shop"], read).read is None


def test_a_fault_of_one_row_is_one_of_its_series():
    rows = {"shop": ["a", "a", "b"], "item": [1, 1, 1], "sold": [1, None, 3]}
    table = pa.table(rows | {FAULT: [None, "bad", None]})
    frame, reasons = without_faults(table, ["shop", "item"])
    assert frame.to_dict("index") == {2: {"shop": "b", "item": 1, "sold": 3}}
    assert reasons.tolist()[:2] == ["bad", "bad"]
    assert reasons.isna().tolist() == [False, False, True]
    whole, reasons = without_faults(table.drop_columns([FAULT]), ["shop", "item"])
    assert len(whole) == 3
    assert reasons.isna().all()


def test_series_are_numbered_by_their_first_rows():
    frame = pd.DataFrame({"shop": ["b", "b", "a"], "item": [1, 2, 1]})
    assert series_numbers(frame, ["shop"]).tolist() == [0, 0, 1]
    assert series_numbers(frame.astype("category"), ["shop", "item"]).tolist() == [0, 1, 2]
