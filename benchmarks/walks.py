"""Random walks, the series on which times are taken."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

FIRST_HOUR = "2024-01-01"


def walk_rows(seed: int, n: int, steps: int) -> NDArray[np.float64]:
    """Return random walks (n, steps)."""
    return np.random.default_rng(seed).normal(size=(n, steps)).cumsum(axis=1)


def walk_times(steps: int) -> pd.DatetimeIndex:
    """Return the hours of a walk."""
    return pd.date_range(FIRST_HOUR, periods=steps, freq="h")


def panel_of(rows: NDArray[np.float64]) -> pd.DataFrame:
    """Return rows (n, steps) as a panel of hours, indexed by (series, time)."""
    n, steps = rows.shape
    index = pd.MultiIndex.from_product([range(n), walk_times(steps)], names=["series", "time"])
    return pd.DataFrame({"y": rows.ravel()}, index=index)


def walk_panel(seed: int, n: int, steps: int = 256) -> pd.DataFrame:
    """Return hourly random walks as a panel, indexed by (series, time)."""
    return panel_of(walk_rows(seed, n, steps))


def walk_series(steps: int) -> pd.Series:
    """Return one hourly random walk, always the same."""
    return pd.Series(walk_rows(0, 1, steps)[0], walk_times(steps))
