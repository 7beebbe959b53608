"""Types of time columns; those that `parse_times` reads are in `test_parsing.py`."""

import datetime

import numpy as np
import pandas as pd
import pytest

from timer_forecaster.frames.stamps.kinds import plain_times, too_large, whole_numbers


@pytest.mark.parametrize(
    "values, dtype",
    [
        (pd.Series(["a", "b"]), object),
        (pd.Series(["a", "b"], dtype=object), object),
        (pd.Series([1, 2], dtype="uint8"), np.int64),
        (pd.Series([1.0, 2.0], dtype="float32"), np.int64),
        (pd.Series([1.5, 2.0]), np.float64),
        (pd.Series([1, "2"], dtype=object), object),
        (pd.Series(pd.arrays.SparseArray([1, 2])), np.int64),
        (pd.Series([datetime.date(2024, 1, 1)]), "datetime64[s]"),
    ],
)
def test_columns_have_one_of_few_types(values, dtype):
    assert plain_times(values, "t").dtype == dtype


def test_objects_of_several_offsets_are_a_zone():
    days = pd.date_range("2024-03-25", periods=12, tz="Europe/Berlin")
    fixed = pd.Series(
        [datetime.datetime.fromisoformat(day.isoformat()) for day in days], dtype=object
    )
    times = plain_times(fixed, "t")
    assert str(times.dt.tz) == "Europe/Berlin"
    assert times.tolist() == days.tolist()
    assert str(plain_times(fixed, "t", "UTC").dt.tz) == "UTC"


def test_integers_of_more_than_64_bits_are_named():
    values = pd.Series([1, 2**63], dtype=object)
    assert "data row 2, 9223372036854775808, is too large" in str(
        too_large(values, [False, True], "t")
    )
    with pytest.raises(ValueError, match="data row 2"):
        whole_numbers([1, 2**63], values, "t")
    assert whole_numbers([1, 2**63 - 1], values, "t").tolist() == [1, 2**63 - 1]


@pytest.mark.parametrize(
    "objects, kind",
    [
        ([[1], [2], [3]], "list"),
        ([(1, 2), (3, 4)], "tuple"),
        ([{"a": 1}, {"a": 2}], "dict"),
        pytest.param([object(), object()], "object", id="objects"),
        ([[1]], "list"),
    ],
    ids=str,
)
def test_objects_that_are_no_times_are_named(objects, kind):
    column = np.empty(len(objects), dtype=object)
    column[:] = objects
    with pytest.raises(ValueError, match=f"time column 't': data row 1, .* is a {kind}, and no ti"):
        plain_times(pd.Series(column), "t")


def test_objects_of_several_kinds_name_the_first_other_row():
    with pytest.raises(ValueError, match=r"data row 3, .* is a list, and the first row is a date"):
        plain_times(pd.Series([datetime.date(2024, 1, 1)] * 2 + [[3]]), "t")
