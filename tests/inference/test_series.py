"""Containers of users become series: one float64 array each."""

import numpy as np
import pandas as pd
import pytest
import torch

from timer_forecaster.inference.series import as_series

NAN = np.nan


@pytest.mark.parametrize(
    "series",
    [
        [1, 2.5, None],
        (1, 2.5, NAN),
        np.array([1, 2.5, NAN], dtype=np.float32),
        np.ma.masked_values([1, 2.5, -9], -9),
        pd.Series([1, 2.5, pd.NA], dtype="Float64"),
        torch.tensor([1, 2.5, NAN], dtype=torch.bfloat16),
        np.array([1, 2.5, None], dtype=object),
    ],
    ids=["list", "tuple", "float32", "masked", "nullable", "bfloat16", "objects"],
)
def test_one_series_or_several_of_any_kind(series):
    for given_as in (series, [series], [series, series]):
        found = as_series(given_as)
        assert len(found) == (1 if given_as is series else len(given_as))
        for values in found:
            assert values.dtype == np.float64
            np.testing.assert_array_equal(values, [1, 2.5, NAN])


def test_rows_of_an_array_are_series_of_their_own():
    assert [values.tolist() for values in as_series(np.eye(2))] == [[1, 0], [0, 1]]


@pytest.mark.parametrize(
    ("series", "error", "message"),
    [
        (np.empty((0, 4)), ValueError, r"series has shape \(0, 4\)"),
        (np.float64(3), ValueError, r"series has shape \(\)"),
        (pd.DataFrame({"a": [1.0]}), TypeError, r"series.to_numpy\(\).T if each column"),
        ([[1.0], ["x"]], TypeError, r"series\[1\] must hold real numbers"),
        ([[1.0], [[1.0]]], ValueError, r"series\[1\] has shape \(1, 1\)"),
    ],
)
def test_input_that_holds_no_series_is_refused(series, error, message):
    with pytest.raises(error, match=message):
        as_series(series)
