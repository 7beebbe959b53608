"""Where windows lie."""

import numpy as np
import pytest

from timer_forecaster.backtesting.settings import BacktestSettings
from timer_forecaster.backtesting.windows import lay_windows
from timer_forecaster.evaluation import Configuration


def origins(series, *, reads=100, width=1, without=(), **settings):
    given = BacktestSettings(**{"horizon": 4, "windows": 3, **settings})
    windows = lay_windows(series, given, reads=reads, width=width, without=without)
    pairs = zip(windows.number.tolist(), windows.origin.tolist(), strict=True)
    return list(pairs)


def test_the_newest_window_ends_with_the_series():
    series = [np.arange(30.0), np.arange(13.0)]
    assert origins(series) == [(0, 18), (0, 22), (0, 26), (1, 5), (1, 9)]
    assert origins(series, step=1, min_history=8) == [(0, 24), (0, 25), (0, 26), (1, 8), (1, 9)]
    assert origins(series, without=[0]) == [(1, 5), (1, 9)]


def test_more_windows_than_fit_cost_nothing():
    assert len(origins([np.arange(30.0)], windows=10**15)) == 6
    assert origins([np.arange(3.0)], windows=10**15) == []


def test_the_newest_window_ends_with_the_last_value():
    late = np.r_[np.arange(30.0), np.full(9, np.nan)]
    assert origins([late]) == origins([np.arange(30.0)])
    gap = np.r_[np.arange(28.0), np.nan, np.nan]
    assert origins([gap, np.arange(30.0)], width=2, windows=1) == [(0, 26), (1, 26)]


def test_history_counts_from_the_first_value():
    series = [np.r_[np.full(15, np.nan), np.arange(15.0)]]
    assert origins(series) == [(0, 22), (0, 26)]


def test_windows_without_a_value_before_or_in_them_are_left_out():
    series = [np.arange(30.0)]
    series[0][22:26] = np.nan
    assert origins(series) == [(0, 18), (0, 26)]
    assert origins(series, reads=4) == [(0, 18)]
    assert origins([np.full(30, np.nan)]) == []


def test_windows_of_a_row_are_together():
    series = [np.arange(10.0), np.arange(10.0), np.arange(30.0), np.arange(20.0)]
    assert origins(series, width=2, windows=1) == [(0, 6), (1, 6)]
    windows = lay_windows(series[:2] * 2, BacktestSettings(2, 2), reads=9, width=2)
    order = windows.in_rows(2)
    assert windows.number[order].tolist() == [0, 1, 0, 1, 2, 3, 2, 3]
    assert windows.origin[order].tolist() == [6, 6, 8, 8] * 2


def test_targets_and_scales_are_those_of_the_benchmark():
    rng = np.random.default_rng(0)
    series = [rng.normal(size=40), rng.normal(size=50)]
    data = Configuration("shop/H/short", "H", 4, 3, 6, series)
    windows = lay_windows(series, BacktestSettings(4, 3), reads=100)
    order = np.argsort(np.tile(np.arange(3), 2), kind="stable")  # theirs: oldest windows first
    np.testing.assert_array_equal(windows.targets(series)[order], data.targets())
    np.testing.assert_array_equal(windows.scales(series, [6, 6])[order], data.scales)


def test_few_settings_are_needed():
    with pytest.raises(TypeError, match="horizon"):
        BacktestSettings(2.5)
