"""Values of covariates: numbers and categories of two frames."""

import numpy as np
import pandas as pd
import pytest

from timer_forecaster.frames.covariates.values import values_of


def read(frame, future, **options):
    frames = pd.DataFrame({"c": frame}), pd.DataFrame({"c": future})
    values = values_of(*frames, ["c"], "known column", **options)
    return [values.decoded(0, part[0]).tolist() for part in (values.frame, values.future)]


@pytest.mark.parametrize(
    ("frame", "future", "expected"),
    [
        ([1, 2], [3.5, 4], [[1.0, 2.0], [3.5, 4.0]]),
        ([True, False], [False, True], [[1.0, 0.0], [0.0, 1.0]]),
        (["b", "a"], ["c", "a"], [["b", "a"], ["c", "a"]]),
        # A blank cell is a category where the history has some, and missing elsewhere.
        (["fair", None], [None, "fair"], [["fair", ""], ["", "fair"]]),
        (["fair", "x"], [None, "fair"], [["fair", "x"], [None, "fair"]]),
        (["fair", ""], ["", "fair"], [["fair", ""], ["", "fair"]]),
        # Numbers of floats are the categories of integers.
        (pd.Series([1, 2], dtype="category"), [2.0, np.nan], [["1", "2"], ["2", None]]),
        (pd.array([1, None], dtype="Int64"), [2, 3], [[1.0, None], [2.0, 3.0]]),
    ],
)
def test_values(frame, future, expected):
    found = [[None if v != v else v for v in part] for part in read(frame, future)]
    assert found == expected


@pytest.mark.parametrize(
    ("frame", "future", "expected"),
    [
        ([1, 2], [2, 3], [["1", "2"], ["2", "3"]]),
        ([1.0, 2.5], np.array([1, 2], np.float32), [["1", "2.5"], ["1", "2"]]),
        ([1, 2], ["2", "x"], [["1", "2"], ["2", "x"]]),
        ([True, False], [True, True], [["True", "False"], ["True", "True"]]),
        ([np.inf, np.nan], [1, 2], [["inf", ""], ["1", "2"]]),
    ],
)
def test_numbers_that_are_categories(frame, future, expected):
    assert read(frame, future, categories=["c"]) == expected


@pytest.mark.parametrize(
    ("frame", "future", "message"),
    [
        (["1", "x"], [1, 2], "future_frame: known column 'c' holds numbers, such as 1, and"),
        (["1.5", "2.5"], ["1", "2"], "texts of numbers, such as '1.5'"),
        ([1, 2], ["1", "x"], "^known column 'c' holds numbers, such as 1, and texts in future"),
        ([1, np.inf], [1, 2], "^known column 'c': data row 2, inf"),
        ([1, 2], [np.inf, 2], "future_frame: known column 'c': data row 1, inf"),
        (pd.to_datetime(["2024-01-01"] * 2), [1, 2], "known column 'c'"),
        ([1 + 2j, 1], [1, 2], "complex"),
    ],
)
def test_refused(frame, future, message):
    with pytest.raises((TypeError, ValueError), match=message):
        read(frame, future)
