"""Values of covariates from the columns of X."""

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("sklearn")

from timer_forecaster.sklearn.columns import layout_of
from timer_forecaster.sklearn.covariates import tables_of

LABELS = ["target[-1]", "x[-2]", "x[-1]", "x[+1]"]


def frame(*values, dtype=None):
    """A frame whose rows have these values of x."""
    X = pd.DataFrame([[0.0, *row] for row in values], columns=LABELS)
    return X if dtype is None else X.astype(dict.fromkeys(LABELS[1:], dtype))


def layout(X):
    return layout_of(X.columns, ["x"], [], 1)


def read(X):
    """Values of x, a list for each row."""
    tables = tables_of(X, layout(X), (), None)
    assert (tables.past, tables.cycles) == (None, None)
    return [table["x"].tolist() for table in tables.known]


@pytest.mark.parametrize("dtype", [None, "Float64", "float32", object, "int8", "Int64"])
def test_numbers(dtype):
    assert read(frame((1, 2, 3), (4, 5, 6), dtype=dtype)) == [[1, 2, 3], [4, 5, 6]]


def test_missing_numbers():
    np.testing.assert_array_equal(
        read(frame((1, pd.NA, None), dtype="Float64")), [[1, np.nan, np.nan]]
    )
    exact = frame((Decimal("1.5"), None, 2), dtype=object)
    np.testing.assert_array_equal(read(exact), [[1.5, np.nan, 2]])


@pytest.mark.parametrize("dtype", [object, "category", "string"])
def test_texts_are_texts_in_all_rows(dtype):
    rows = ("a", None, "b"), (None, None, None), ("b", "b", "a")
    assert read(frame(*rows, dtype=dtype)) == [list(row) for row in rows]


def test_categories_of_numbers_are_texts():
    expected = [["1", "2", "2"], ["2", "1", "1"]]
    assert read(frame((1, 2, 2), (2, 1, 1), dtype="category")) == expected
    assert read(frame((1.0, 2.0, 2.0), (2.0, 1.0, 1.0), dtype="category")) == expected


def test_what_is_no_number_is_named():
    for value in (pd.Timestamp("2024-01-01"), pd.Timedelta("1h"), 1j):
        with pytest.raises(TypeError, match=r"column 'x\[-2\]' of X must hold real numbers"):
            read(frame((value, 1, 2)))
    with pytest.raises(ValueError, match=r"row 1 of X is infinite in column 'x\[-1\]'"):
        read(frame((1, 2, 3), (1, -np.inf, 3)))


def test_each_row_has_the_cycles():
    X = frame((1, 2, 3), (4, 5, 6))
    tables = tables_of(X, layout(X), ["x"], [(24, 168)] * 2)
    assert (tables.cycles, tables.categories) == ([(24, 168)] * 2, ["x"])
    assert tables.names == ["row 0 of X", "row 1 of X"]
