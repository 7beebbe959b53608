"""Columns for the position in the day, the week and the year."""

import numpy as np
import pytest

from timer_forecaster.inference.covariates.cycles import Cycles, as_cycles, days_off


def test_a_period_seven_times_another_is_a_week():
    cycles = Cycles((24.0, 168.0, 8766.0))
    assert (cycles.day, cycles.week, cycles.waves) == (24, 168, [8766])
    assert Cycles((9.0, 45.0)).week == 45
    assert Cycles((7.0, 365.25)).day is None


@pytest.mark.parametrize(
    ("periods", "season"), [((24, 168), 24), ((7, 365.25), 7), ((52.18,), 1), ((), 1), ((12,), 12)]
)
def test_the_season_is_the_shortest_period_up_to_24(periods, season):
    assert Cycles(periods).season == season


def test_columns_repeat_with_their_period():
    columns = Cycles((7.0,)).columns(np.arange(40.0), horizon=5)
    assert columns.shape == (45, 7)
    np.testing.assert_array_equal(columns[7:], columns[:-7])
    np.testing.assert_array_equal(columns.sum(axis=1), 1)


def test_a_year_needs_a_year_of_steps():
    assert Cycles((52.18,)).columns(np.arange(40.0), 5).shape[1] == 0
    assert Cycles((52.18,)).columns(np.arange(60.0), 5).shape[1] == 4


@pytest.mark.parametrize("first", [0, 3, 5])
def test_the_days_off_are_found_by_their_values(first):
    position = np.arange(24 * 7 * 6) % (24 * 7)
    off = np.isin(position // 24, [first, (first + 1) % 7])
    series = 10 + 5 * np.sin(position * 2 * np.pi / 24) * ~off
    found = days_off(series, position, positions=24, days=7)
    # Hours at which all days are alike may be counted to either side.
    assert np.isin(found // 24, [first, (first + 1) % 7]).sum() >= 46
    assert days_off(series[:100], position[:100], 24, 7) is None


def test_cycles_of_all_series_or_of_each():
    assert [c.day for c in as_cycles([(24, 168), (7,)], 2)] == [24, None]
    assert len(as_cycles(None, 3)) == 3
    with pytest.raises(TypeError, match="cycles='h' must be a sequence"):
        as_cycles("h", 1)
    with pytest.raises(ValueError, match="cycles has 2 sequences of periods for 3 series"):
        as_cycles([(7,), (7,)], 3)
    for odd in (None, 24, "h"):
        with pytest.raises(TypeError, match=rf"cycles\[1\]={odd!r} must be a sequence of periods"):
            as_cycles([(7,), odd], 2)
    with pytest.raises(ValueError, match="cycles"):
        as_cycles((0.5,), 1)
