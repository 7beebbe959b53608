import numpy as np
import pandas as pd
import pytest
from report_cases import unpacked

from timer_forecaster.report.numbers import (
    FINENESS,
    as_counts,
    in_runs,
    low_and_high,
    rounded,
    scale_of,
)


@pytest.mark.parametrize(
    "values",
    [
        [0.0, 1.0, 0.123456],
        [1e6, 1e6 + 1, 1e6 + 0.5],
        [-1e-9, 3e-9],
        [1e300, -1e300],
        [1.7e308, -1.7e308],
        [1e-310, 5e-310],
        [5.0, 5.0],
        [0.0, 0.0],
        [np.nan, 7.0],
        [1e16, 1e16 + 2],
    ],
)
def test_values_are_kept_to_a_small_part_of_their_range(values):
    values = np.array(values)
    scale = scale_of([values])
    wholes = rounded(values, scale)
    finite = np.isfinite(values)
    assert [one is None for one in wholes] == (~finite).tolist()
    own = values[finite]
    size = max(float(own.max() / 2 - own.min() / 2) * 2, np.abs(own).max() * 1e-9)
    bound = max(size if np.isfinite(size) else 1.7e308, 1e-290) / FINENESS
    assert np.abs(unpacked(wholes, scale)[finite] - own).max() <= bound
    assert all(abs(one or 0) < 2**53 for one in wholes)
    assert abs(scale[1]) < 2**53


def test_nothing_needs_no_scale():
    assert scale_of([]) == scale_of([np.array([np.nan])]) == (0, 0)


@pytest.mark.parametrize(
    "times, unit",
    [
        (pd.date_range("2024-01-01", periods=5, freq="MS"), "month"),
        (pd.date_range("2024-01-01", periods=5, freq="ME"), "day"),
        (pd.date_range("2024-01-01", periods=5, freq="B"), "day"),
        (pd.date_range("2024-01-01", periods=5, freq="h"), "minute"),
        (pd.date_range("2024-01-01", periods=5, freq="10s"), "second"),
        (pd.date_range("2024-03-31", periods=5, freq="h", tz="Europe/Paris"), "minute"),
        (pd.period_range("2024Q1", periods=5, freq="Q"), "month"),
        (pd.RangeIndex(3, 8), "number"),
        (pd.Index([5, 10, 15]), "number"),
    ],
)
def test_times_of_every_kind(times, unit):
    counts, found = as_counts(times)
    assert found == unit
    packed = in_runs(counts)
    steps = [step for step, count in packed["r"] for _ in range(count)]
    again = packed["s"] + packed["g"] * np.cumsum([0, *steps])
    assert again.tolist() == counts.tolist()


def test_times_are_on_the_clock_that_they_show():
    paris = pd.date_range("2024-06-01", periods=2, freq="D", tz="Europe/Paris")
    assert as_counts(paris)[0].tolist() == as_counts(paris.tz_localize(None))[0].tolist()


def test_a_regular_axis_is_one_run():
    assert in_runs(np.arange(0, 50, 5)) == {"s": 0, "g": 5, "r": [[1, 9]]}
    assert in_runs(np.array([7])) == {"s": 7, "g": 1, "r": []}
    assert in_runs(np.array([], dtype=np.int64)) == {"s": 0, "g": 1, "r": []}


def test_blocks_keep_spikes():
    values = np.zeros(12)
    values[[3, 7]] = 9, -9
    values[8:] = np.nan
    low, high = low_and_high(values, 4)
    np.testing.assert_array_equal(low, [0, -9, np.nan])
    np.testing.assert_array_equal(high, [9, 0, np.nan])
