"""Panels to backtest, and a plain loop over their origins."""

import numpy as np
import pandas as pd

HORIZON = 12
COLUMNS = {"time_column": "time", "id_column": "shop", "target_columns": "sold"}


def panel(lengths=(130, 90), freq="h", seed=0):
    """Return a long frame with a known number, a known category and a past number."""
    rng, parts = np.random.default_rng(seed), []
    for place, steps in enumerate(lengths):
        price, fair = rng.normal(size=steps), rng.choice(["", "fair"], steps)
        season = np.sin(np.arange(steps) * 2 * np.pi / 24)
        sold = 20 + 5 * season + 3 * price + (fair == "fair") + rng.normal(size=steps)
        part = {
            "shop": chr(97 + place),
            "time": pd.date_range("2024-01-01", periods=steps, freq=freq),
        }
        part |= {"sold": sold, "price": price, "fair": fair, "visits": rng.normal(size=steps)}
        parts.append(pd.DataFrame(part))
    frame = pd.concat(parts, ignore_index=True)
    frame.loc[[5, 40, len(frame) - 3], "sold"] = np.nan
    return frame


def loop(pipe, frame, forecasts, levels=(0.1, 0.5, 0.9), **options):
    """Forecast each window by `predict_frame`, from the rows that are known at its cutoff."""
    found = []
    pairs = forecasts[["shop", "cutoff"]].drop_duplicates()
    for shop, cutoff in pairs.itertuples(index=False, name=None):
        own = frame[frame["shop"] == shop]
        end = forecasts.loc[(forecasts["shop"] == shop) & (forecasts["cutoff"] == cutoff), "time"]
        before = own[own["time"] <= cutoff]
        asked = dict(COLUMNS, levels=levels, freq=options.get("freq", "h")) | options
        if "known_columns" in options:
            ahead = own[(own["time"] > cutoff) & (own["time"] <= end.max())]
            asked["future_frame"] = ahead[["shop", "time", *options["known_columns"]]]
        found.append(pipe.predict_frame(before, len(end), **asked))
    return pd.concat(found, ignore_index=True)
