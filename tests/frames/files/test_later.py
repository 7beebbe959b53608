"""The ids and numbers of a file of the future."""

import re

import pandas as pd
import pytest

from timer_forecaster.frames.files.later import later_ids, later_numbers
from timer_forecaster.frames.table import Table


def test_ids_of_several_columns():
    parts = pd.DataFrame({"s": ["1", "2"], "i": ["a", "b"]}, index=["1 / a", "2 / b"])
    columns = pd.DataFrame({"s": ["2", "2", "1"], "i": ["b", "a", "a"]})
    assert later_ids(columns, parts.index.to_series(), parts).tolist() == ["2 / b", None, "1 / a"]


def test_typed_ids_are_texts_where_the_history_has_texts():
    assert later_ids(pd.DataFrame({"id": [7]}), pd.Series(["7"]), None).tolist() == ["7"]
    assert later_ids(pd.DataFrame({"id": [7]}), pd.Series([7]), None).tolist() == [7]
    with pytest.raises(ValueError, match="data row 1 has no id"):
        later_ids(pd.DataFrame({"id": [None]}), pd.Series([7]), None)


def numbers(before, after, own, usual=(None, None)):
    tables = [
        Table(pd.DataFrame({"x": one}), "text", {}, usual=sign)
        for one, sign in zip((before, after), usual, strict=True)
    ]
    return later_numbers(*tables, "x", None, None, pd.Series(own)).tolist()


def test_the_history_decides_the_sign():
    assert numbers(["1,5", "2,25"], ["1.234", "3"], [1.5, 2.25]) == [1234.0, 3.0]
    assert numbers([1.5, 2.0], ["3", "4"], [1.5, 2.0]) == [3.0, 4.0]
    assert numbers(["1.234"], ["1.500"], [1.234], (".", ".")) == [1.5]


@pytest.mark.parametrize(
    ("before", "after", "own", "message"),
    [
        (["1", "2", "3"], ["4", "warm"], [1, 2, 3], "'x': data row 2, 'warm'"),
        (["1,5", "2,25"], ["1.5", "2.25"], [1.5, 2.25], r"'x': data row 1, '1\.5'"),
        (["1.234", "1.555"], ["3.456.789", "2"], [1.234, 1.555], "such as '3.456.789', are writ"),
        # 50 % is 50 or 0.5.
        (["5 %", "6 %"], ["5", "6"], [5, 6], "'5', is without '%'"),
        (["5 %", "6 %"], [0.05, 0.06], [5, 6], r"data row 1, '0\.05', is without '%'"),
        ([0.05, 0.06], ["5 %", "6 %"], [0.05, 0.06], "such as '5 %', are written in another way"),
    ],
)
def test_refused(before, after, own, message):
    with pytest.raises(ValueError, match=message):
        numbers(before, after, own)


@pytest.mark.parametrize(
    ("before", "after"), [([1.5, 2.5], ["1,234", "1,500"]), ([1500, 2500], ["1.234", "1.500"])]
)
def test_another_kind_of_file_may_have_another_sign(before, after):
    message = f"data row 1, '{after[0]}', can be 1234 or 1.234, and no row decides; write numbers"
    with pytest.raises(ValueError, match=re.escape(message)):
        numbers(before, after, before, (".", None))
    assert numbers(before, ["1,5", "2,75"], before, (".", None)) == [1.5, 2.75]
