"""Known columns to finetune with: one scale for all series, and tables that fit them."""

import numpy as np
import pandas as pd
import pytest

from timer_forecaster.finetuning.known import known_of
from timer_forecaster.models.columns import KnownColumn

SERIES = [np.arange(4.0), np.arange(2.0)]


def test_all_series_share_the_scale_of_a_column():
    tables = [
        pd.DataFrame({"x": [1.0, 2, np.nan, 3], "y": [0, 1, 0, 1]}),
        pd.DataFrame({"y": [1, 1], "x": [5.0, 9]}),
    ]
    columns, values = known_of(tables, SERIES)
    x = np.array([1.0, 2, 3, 5, 9])
    assert [column.name for column in columns] == ["x", "y"]
    assert columns[0].location == pytest.approx(x.mean())
    assert columns[0].scale == pytest.approx(x.std())
    assert [one.shape for one in values] == [(2, 4), (2, 2)]
    np.testing.assert_allclose(values[1][0], (np.array([5.0, 9]) - x.mean()) / x.std())
    assert np.isnan(values[0][0, 2])


def test_the_columns_of_an_adapter_keep_their_scale():
    columns = [KnownColumn("x", 10.0, 2.0)]
    found = known_of([{"x": np.array([10.0, 12, 14, 16])}], SERIES[:1], columns)
    np.testing.assert_array_equal(found.values[0], [[0, 1, 2, 3]])
    with pytest.raises(ValueError, match=r"columns \['z'\], and the adapter .* reads \['x'\]"):
        known_of([{"z": np.arange(4.0)}], SERIES[:1], columns)


def test_one_series_takes_one_table_in_any_form():
    values = np.arange(8.0).reshape(4, 2)
    forms = (
        values,
        [values],
        values[None],
        pd.DataFrame(values),
        {0: values[:, 0], 1: values[:, 1]},
    )
    found = [known_of(form, SERIES[:1]).values[0] for form in forms]
    for one in found[1:]:
        np.testing.assert_array_equal(one, found[0])


@pytest.mark.parametrize(
    ("known", "error", "message"),
    [
        ([np.ones((4, 0)), np.ones((2, 0))], ValueError, "no columns"),
        ([{"x": [1, 2, 3, 4]}, {"y": [1, 2]}], ValueError, r"known\[1\] has the columns \['y'\]"),
        (
            [{"x": [1, 2, 3, 4, 5]}, {"x": [1, 2]}],
            ValueError,
            r"known\[0\] has 5 rows, and series\[0\] 4 steps",
        ),
        ([{"x": [1, 2, 3, 4]}, {"x": [1]}], ValueError, r"known\[1\] has 1 rows"),
        ([{"x": [7, 7, 7, 7]}, {"x": [7, np.nan]}], ValueError, "'x' is constant"),
        ([{"x": list("abca")}, {"x": list("ab")}], ValueError, "get_dummies"),
        ([{("x", 1): [1, 2, 3, 4]}, {("x", 1): [1, 2]}], TypeError, "rename the column"),
        ([{"x": [1, 2, 3, np.inf]}, {"x": [1, 2]}], ValueError, "infinite"),
        ([{"x": [1, 2, 3, 4]}], ValueError, "1 tables for 2 series"),
    ],
)
def test_tables_that_do_not_fit_are_named(known, error, message):
    with pytest.raises(error, match=message):
        known_of(known, SERIES)
