"""The ids and numbers of a file of the future."""

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


def numbers(before, after, own):
    tables = [Table(pd.DataFrame({"x": one}), "text", {}) for one in (before, after)]
    return later_numbers(*tables, "x", None, None, pd.Series(own)).tolist()


def test_the_history_decides_the_sign():
    assert numbers(["1,5", "2,25"], ["1.234", "3"], [1.5, 2.25]) == [1234.0, 3.0]
    assert numbers([1.5, 2.0], ["3", "4"], [1.5, 2.0]) == [3.0, 4.0]


def test_refused():
    with pytest.raises(ValueError, match="'x': data row 2, 'warm'"):
        numbers(["1", "2", "3"], ["4", "warm"], [1, 2, 3])
    with pytest.raises(ValueError, match=r"'x': data row 1, '1\.5'"):
        numbers(["1,5", "2,25"], ["1.5", "2.25"], [1.5, 2.25])
    with pytest.raises(ValueError, match="'5', is without '%'"):
        numbers(["5 %", "6 %"], ["5", "6"], [5, 6])
    with pytest.raises(ValueError, match="another way"):
        numbers(["1.234", "1.555"], ["3.456.789", "2"], [1.234, 1.555])
