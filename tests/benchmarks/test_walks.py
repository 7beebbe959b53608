"""Random walks in the forms of arrays, panels and series."""

import numpy as np
import pandas as pd

from benchmarks.walks import walk_panel, walk_rows, walk_series


def test_a_panel_holds_the_rows_hour_by_hour():
    panel, rows = walk_panel(3, 4, 50), walk_rows(3, 4, 50)
    np.testing.assert_array_equal(panel["y"].to_numpy().reshape(4, 50), rows)
    assert panel.index.names == ["series", "time"]
    assert panel.loc[2].index.equals(pd.date_range("2024-01-01", periods=50, freq="h"))


def test_seeds_give_different_walks_of_normal_steps():
    first, again, other = walk_rows(0, 2, 5000), walk_rows(0, 2, 5000), walk_rows(1, 2, 5000)
    np.testing.assert_array_equal(first, again)
    assert (first != other).all()
    assert abs(np.diff(first).std() - 1) < 0.05


def test_a_series_is_the_walk_of_seed_zero():
    series = walk_series(30)
    np.testing.assert_array_equal(series, walk_rows(0, 1, 30)[0])
    assert series.index.freqstr == "h"
