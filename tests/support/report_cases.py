"""Series for reports, without a network."""

import numpy as np
import pandas as pd

LEVELS = (0.1, 0.5, 0.9)


def frames(ids, steps=60, horizon=5, freq="D", targets=("y",)):
    """Return a long frame and a forecast of it."""
    times = pd.date_range("2024-01-01", periods=steps + horizon, freq=freq)
    rng = np.random.default_rng(0)
    parts, ahead = [], []
    for place, name in enumerate(ids):
        part = pd.DataFrame({"id": name, "t": times[:steps]})
        for target in targets:
            part[target] = 100 * place + rng.normal(size=steps).cumsum()
            own = {"id": name, "target": target, "t": times[steps:]}
            widths = np.linspace(0.5, 1 + place, horizon)
            for level in LEVELS:
                own[f"q{level}"] = part[target].iloc[-1] + (level - 0.5) * widths
            ahead.append(pd.DataFrame(own))
        parts.append(part)
    return pd.concat(parts, ignore_index=True), pd.concat(ahead, ignore_index=True)


def unpacked(wholes, scale):
    """Return the values of whole numbers on a scale, as the page reads them."""
    exponent, base = scale
    return np.array([np.nan if one is None else (one + base) * 10.0**exponent for one in wholes])
