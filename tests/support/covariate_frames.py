"""A frame of two ids with covariates, and its future."""

import numpy as np
import pandas as pd

from timer_forecaster.frames.calendar.periods import periods_of

HORIZON = 12
OPTIONS = {"time_column": "day", "id_column": "id", "target_columns": "y"}


def frames(steps=120, freq="D", start="2024-01-01", ids=("a", "b")):
    """Return a history with columns x and w that explain y, and z; and the future of x and w."""
    rng, times = np.random.default_rng(0), pd.date_range(start, periods=steps + HORIZON, freq=freq)
    parts = []
    for level, name in enumerate(ids):
        x, w = rng.normal(size=len(times)), rng.choice(["wet", "dry"], len(times))
        y = 3 * x + 2 * (w == "wet") + 0.3 * rng.normal(size=len(times)) + 5 * level
        z = rng.normal(size=len(times))
        parts.append(pd.DataFrame({"id": name, "day": times, "y": y, "x": x, "w": w, "z": z}))
    past = pd.concat([part.iloc[:steps] for part in parts], ignore_index=True)
    future = pd.concat([part.iloc[steps:] for part in parts], ignore_index=True)
    return past, future[["id", "day", "x", "w"]]


def tables(past, future, columns=("x", "w"), by="id"):
    """Return a table of known columns for each id."""
    return [
        pd.concat([rows[list(columns)], future.loc[future[by] == key, list(columns)]])
        for key, rows in past.groupby(by, sort=False)
    ]


def series(past, target="y", by="id"):
    return [rows[target].to_numpy() for _, rows in past.groupby(by, sort=False)]


def predicted(pipe, past, future, freq="D", **options):
    """Return the median of the pipeline with the same tables and cycles."""
    z = [rows[["z"]] for _, rows in past.groupby("id", sort=False)]
    asked = {"known": tables(past, future), "past": z, "cycles": periods_of(freq)} | options
    return pipe.predict(series(past), HORIZON, **asked).median.ravel()
