"""Random walks, the series on which times are taken."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

FIRST_HOUR = "2024-01-01"


def walk_rows(seed: int, n: int, steps: int) -> NDArray[np.float64]:
    """Return random walks (n, steps)."""
    return np.random.default_rng(seed).normal(size=(n, steps)).cumsum(axis=1)


def walk_panel(seed: int, n: int, steps: int = 256) -> pd.DataFrame:
    """Return hourly random walks as a panel, indexed by (series, time)."""
    values = walk_rows(seed, n, steps)
    times = pd.date_range(FIRST_HOUR, periods=steps, freq="h")
    index = pd.MultiIndex.from_product([range(n), times], names=["series", "time"])
    return pd.DataFrame({"y": values.ravel()}, index=index)


def walk_series(steps: int) -> pd.Series:
    """Return one hourly random walk, always the same."""
    values = np.random.default_rng(0).normal(size=steps).cumsum()
    return pd.Series(values, pd.date_range(FIRST_HOUR, periods=steps, freq="h"))
