"""Values in float64, NaN where missing; what is no real number is refused by its place."""

import numpy as np
import odd_series
import pytest

from timer_forecaster.values import as_floats, first_unreal, is_missing, library_of, refuse_kind

DIRECT = [name for name in odd_series.ONE_SERIES if "pyarrow" in name or "Decimal" in name]


@pytest.mark.parametrize("name", DIRECT)
def test_arrays_and_exact_numbers_become_floats(name):
    values = as_floats(odd_series.ONE_SERIES[name](), "y")
    assert values.dtype == np.float64
    np.testing.assert_array_equal(values, odd_series.VALUES)


@pytest.mark.parametrize("name", odd_series.ONE_SERIES_WITH_GAP)
def test_missing_values_are_nan(name):
    values = as_floats(odd_series.ONE_SERIES_WITH_GAP[name](), "y")
    np.testing.assert_array_equal(values, odd_series.with_gap(np.nan))


@pytest.mark.parametrize("name", odd_series.NO_NUMBERS)
def test_what_is_no_number_is_refused(name):
    make, words = odd_series.NO_NUMBERS[name]
    with pytest.raises(TypeError, match=words) as caught:
        as_floats(make(), "y")
    assert "y must hold real numbers" in str(caught.value)


def test_places_in_tables_have_two_numbers():
    table = np.array([[1.0, 2.0], [3.0, "x"]], dtype=object)
    with pytest.raises(TypeError, match=r"'x' at place \(1, 1\) is text"):
        as_floats(table, "X")
    masked = np.ma.masked_array([[1.0, 2.0]], [[False, True]])
    np.testing.assert_array_equal(as_floats(masked, "X"), [[1, np.nan]])


def test_float64_is_not_copied():
    values = np.arange(3.0)
    assert as_floats(values, "y") is values or np.shares_memory(as_floats(values, "y"), values)


def test_libraries_are_known_by_their_classes():
    assert library_of(odd_series.PolarsSeries(np.arange(3))) == "polars"
    assert library_of(object()) == "builtins"


def test_signs_of_missing_values():
    assert is_missing(None)
    assert is_missing(np.ma.masked)
    assert not is_missing(0.0)
    assert first_unreal(np.array([1, None, "a"], dtype=object))[0] == 2
    assert first_unreal(np.array([1, None, 2.5], dtype=object)) is None
    refuse_kind("f", "float64", "y")
    with pytest.raises(TypeError, match=r"y must hold real numbers.*complex128"):
        refuse_kind("c", "complex128", "y")
