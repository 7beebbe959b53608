"""Tables of series for runs that stream them."""

import numpy as np
import pandas as pd

from timer_forecaster.failures import recorded_failures

DAYS = pd.date_range("2024-01-01", periods=48)


def sales(n_shops=6, seed=0):
    """Return walks of some shops, of lengths of their own, some with gaps."""
    random = np.random.default_rng(seed)
    parts = []
    for number in range(n_shops):
        days = DAYS[number % 3 :]
        sold = random.normal(size=len(days)).cumsum() + 20
        part = pd.DataFrame({"shop": f"s{number:03}", "day": days, "sold": sold})
        parts.append(part.drop(index=5) if number % 2 else part)
    return pd.concat(parts, ignore_index=True)


def with_bad(frame):
    """Return a table with further shops that cannot be forecast."""
    empty = pd.DataFrame({"shop": "t-empty", "day": DAYS, "sold": np.nan})
    twice = pd.DataFrame({"shop": "t-twice", "day": DAYS.repeat(2), "sold": 1.0})
    return pd.concat([frame, empty, twice], ignore_index=True)


def in_memory(pipe, frame, horizon, **options):
    """Return the forecast of a whole table."""
    with recorded_failures():
        forecast = pipe.predict_frame(
            frame, horizon, time_column="day", id_column="shop", on_error="nan", **options
        )
    return forecast.dropna(subset=["q0.5"]).reset_index(drop=True)
