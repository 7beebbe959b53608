"""Panels of series of mixed lengths, and the cost of panels that grow."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchmarks.measuring import forget_peak, measure_cpu, memory
from benchmarks.walks import walk_panel

SHORTEST, LONGEST, TYPICAL = 30, 2880, 250


def mixed_lengths(n: int, seed: int) -> list[NDArray[np.float64]]:
    """Return walks with lognormal lengths between 30 and 2,880 steps, 400 on average."""
    random = np.random.default_rng(seed)
    lengths = random.lognormal(np.log(TYPICAL), 1.0, n).clip(SHORTEST, LONGEST).astype(int)
    return [random.normal(size=length).cumsum() for length in lengths]


def grown_panel(
    n: int, steps: int, horizon: int, door: str, model: str = "timer-s1-mini"
) -> dict[str, float]:
    """Measure the forecast of a panel of `n` walks; needs a process that has done nothing else.

    Parameters
    ----------
    n, steps, horizon : int
        Number of series, their length, and the steps to forecast.
    door : {"pipeline", "sktime"}
        ``"pipeline"``: nine quantiles of an array. ``"sktime"``: `fit` and `predict` of our class
        for sktime, with a data frame.
    model : str
        Checkpoint.

    Returns
    -------
    dict
        ``"seconds"``: CPU seconds. ``"before"``: resident GB with the panel built, the weights
        loaded and a small panel forecast. ``"peak"``: the peak of resident GB during the forecast.
    """
    from timer_forecaster import ForecastPipeline
    from timer_forecaster.sktime import TimerS1Forecaster

    pipeline = ForecastPipeline.from_pretrained(model)

    def ask(size: int, seed: int) -> tuple[object, object]:
        y = walk_panel(seed, size, steps)
        if door == "sktime":
            return lambda: TimerS1Forecaster(model).fit(y).predict(range(1, horizon + 1)), y
        values = y["y"].to_numpy().reshape(size, steps)
        return lambda: pipeline.predict(values, horizon), values

    ask(min(n, 64), seed=0)[0]()
    forecast, _ = ask(n, seed=1)
    forget_peak()
    before = memory()["now"]
    seconds = measure_cpu(forecast)
    return {"seconds": seconds, "before": before, "peak": memory()["peak"]}
