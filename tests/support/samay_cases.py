"""Files of series for the tests of `timer_forecaster.samay`."""

import numpy as np
import pandas as pd
from places import ROOT

BIKES = ROOT / "examples" / "bike_sharing.csv"


def write_csv(path, columns, times="2024-01-01", freq="h"):
    """Write columns beside their times."""
    n_rows = len(next(iter(columns.values())))
    dates = pd.date_range(times, periods=n_rows, freq=freq).strftime("%Y-%m-%d %H:%M:%S")
    pd.DataFrame({"date": dates, **columns}).to_csv(path, index=False)
    return path


def waves(n_rows, n_channels=2, seed=0):
    """Daily waves with noise, around different levels."""
    steps, random = np.arange(n_rows), np.random.default_rng(seed)
    return {
        f"wave_{i}": (100 * i + 50 + 10 * np.sin(2 * np.pi * steps / 24 + i))
        + random.normal(0, 1, n_rows)
        for i in range(n_channels)
    }


TINY = {"context_len": 48, "horizon_len": 8, "d_model": 16, "n_layers": 1}
