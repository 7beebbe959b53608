import numpy as np
import pandas as pd
import pytest
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


@pytest.fixture
def csv(tmp_path):
    """400 hours of two channels."""
    return write_csv(tmp_path / "waves.csv", waves(400))


@pytest.fixture
def dataset(csv):
    """Return data sets of the file for a context of 48 steps and a horizon of 8."""
    from timer_forecaster.samay import TinyTimeMixerDataset

    def make(mode="test", path=csv, **arguments):
        sizes = {"context_len": 48, "horizon_len": 8, "stride": 8, "datetime_col": "date"}
        return TinyTimeMixerDataset(path=path, mode=mode, **(sizes | arguments))

    return make


TINY = {"context_len": 48, "horizon_len": 8, "d_model": 16, "n_layers": 1}


@pytest.fixture
def model():
    """A small model of random weights."""
    from timer_forecaster.samay import TinyTimeMixerModel

    return TinyTimeMixerModel(TINY)
