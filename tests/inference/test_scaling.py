"""Series of users become standardized rows, and quantiles of rows become those of series."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from timer_forecaster.inference.scaling import (
    Row,
    check_finite,
    check_series,
    in_units,
    scaled,
    scaled_together,
    standardize,
    varies,
)

NAN = np.nan


def row_of(series, longest=100, interior_masks=True):
    return scaled(np.array(series, dtype=float), longest, interior_masks)


@pytest.mark.parametrize(
    ("series", "message"),
    [
        ([], "y is empty; a forecast needs"),
        ([NAN, NAN], "y holds 2 missing values only"),
        ([1, NAN, NAN, NAN], "y has no observed value in its newest 3 steps"),
        ([np.inf, 1, NAN, 2], "y is infinite at step 0; use NaN"),
    ],
)
def test_series_that_cannot_be_forecast_are_refused(series, message):
    for check in (check_series, lambda *given: standardize(*given, True)):
        with pytest.raises(ValueError, match=message):
            check(np.array(series, dtype=float), "y", 3)


def test_series_with_a_value_are_accepted():
    check_series(np.array([NAN, 1, NAN]), "y", 2)
    check_finite(np.array([NAN, -1e308]), "y")


def test_a_row_is_standardized_over_what_was_observed():
    row = row_of([NAN, 0, NAN, 4, NAN])
    assert (row.location, row.scale) == (2, 2)
    np.testing.assert_array_equal(row.values, [-1, NAN, 1, NAN])


def test_gaps_are_filled_for_networks_that_do_not_know_them():
    row = row_of([NAN, 0, NAN, 4, NAN], interior_masks=False)
    np.testing.assert_array_equal(row.values, [-1, -1, 1, 1])
    assert (row.location, row.scale) == (2, 2)


def test_only_the_newest_steps_are_read():
    np.testing.assert_array_equal(row_of([100, 1, 3, 5], 3).values, row_of([1, 3, 5]).values)


@given(st.integers(0, 99), st.floats(1e-280, 1e280), st.booleans())
def test_a_factor_changes_no_row(seed, factor, interior_masks):
    series = np.random.default_rng(seed).normal(size=20).cumsum()
    series[3:5] = NAN
    row, multiple = (row_of(own, 100, interior_masks) for own in (series, series * factor))
    np.testing.assert_allclose(multiple.values, row.values, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(multiple.scale, row.scale * factor, rtol=1e-9)


@pytest.mark.parametrize("series", [[7.0], [7.0, NAN, 7.0], [0.1, np.nextafter(0.1, 1)], [0, 0]])
def test_a_constant_series_has_no_scale(series):
    row = row_of(series)
    assert row.scale == 0
    assert row.location == series[-1]
    assert not row.values.any()


def test_quantiles_of_rows_that_vary_are_put_among_the_constant_ones():
    rows = [Row(np.zeros(1), 7.0, 0.0), Row(np.zeros(1), 10.0, 2.0), Row(np.zeros(1), 0.0, 3.0)]
    varying = np.array([[[-1.0, 1.0]], [[0.0, 2.0]]])
    np.testing.assert_array_equal(in_units(rows, varying), [[[7, 7]], [[8, 12]], [[0, 6]]])
    np.testing.assert_array_equal(in_units(rows[:1], np.empty((0, 4, 2))), np.full((1, 4, 2), 7))


@given(
    st.lists(
        st.tuples(
            st.integers(1, 40),  # steps
            st.sampled_from([0.0, 1e-300, 1.0, 1e300]),  # amplitude
            st.sampled_from([0.0, 1e6]),  # level
            st.booleans(),  # a gap
        ),
        max_size=8,
    )
)
def test_rows_that_are_scaled_together_are_the_same_to_the_last_bit(kinds):
    random = np.random.default_rng(0)
    series = []
    for steps, amplitude, level, gap in kinds:
        values = amplitude * random.normal(size=steps) + level * amplitude
        if gap and steps > 2:
            values[1] = NAN
        series.append(values)
    for row, values in zip(scaled_together(series, 30, False), series, strict=True):
        expected = scaled(values, 30, False)
        np.testing.assert_array_equal(row.values, expected.values)
        assert row[1:] == expected[1:]


def test_zeros_before_a_short_series_are_observed():
    row = scaled(np.array([NAN, 6.0, NAN, 8.0]), 6, True, zeros_before=True)
    np.testing.assert_allclose(row.values * row.scale + row.location, [0, 0, 0, 6, NAN, 8])
    assert row.location == pytest.approx(14 / 5)
    whole = np.array([1.0, 2.0, 4.0])
    assert str(scaled(whole, 3, True, zeros_before=True)) == str(scaled(whole, 3, True))


def test_a_constant_stays_its_own_forecast_behind_zeros():
    for series in ([5.0], [5.0, NAN, 5.0]):
        row = scaled(np.array(series), 8, True, zeros_before=True)
        assert (row.location, row.scale) == (5, 0)


def test_values_vary_by_more_than_rounding():
    assert varies(np.array([1.0, 1.1]))
    assert not varies(np.array([0.1, np.nextafter(0.1, 1)]))
    assert not varies(np.array([7.0]))
