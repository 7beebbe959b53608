"""Series and forecasters that several test files of the sktime door share."""

import numpy as np
import pandas as pd

from timer_forecaster.sktime import TimerS1Forecaster

MODEL = "timer-s1-test"  # random weights, nine levels, context 512, 32 steps in a pass


def forecaster(**parameters):
    return TimerS1Forecaster(MODEL, **parameters)


def walk(n=60, seed=0):
    return np.random.default_rng(seed).normal(size=n).cumsum() + 10


def hourly(n=60, seed=0, start="2024-01-01"):
    return pd.Series(walk(n, seed), pd.date_range(start, periods=n, freq="h"), name="load")


def unequal_panel():
    """Return series of different lengths and ends, not in the order of their names."""
    parts = {"b": hourly(50, 1), "a": hourly(30, 2, "2024-01-05"), "c": hourly(40, 3)}
    return pd.concat({key: part.to_frame("y") for key, part in parts.items()}, names=["id", "t"])


def without_freq(y):
    index = pd.DatetimeIndex(y.index.to_numpy()) if y.index.tz is None else y.index[:]
    index.freq = None
    return y.set_axis(index)
