"""Empty rows and columns of a table."""

import pandas as pd

from timer_forecaster.frames.table import without_empty


def test_empty_rows_and_nameless_columns_are_left_out_and_counted():
    frame = pd.DataFrame(
        {"a": ["x", "", None], "b": [1.0, None, 2.0], "Unnamed: 2": None, "c": [None] * 3}
    )
    table, counts = without_empty(frame)
    assert table.columns.tolist() == ["a", "b", "c"]
    assert table["b"].tolist() == [1, 2]
    assert table["b"].dtype == "int64"
    assert counts == {"empty row": 1, "empty column without a name": 1}


def test_a_full_table_stays_as_it_is():
    frame = pd.DataFrame({"a": ["x", ""], "b": [1.0, None]}).iloc[:1]
    assert without_empty(frame)[0].equals(frame)
