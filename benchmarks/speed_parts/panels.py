"""Panels of series, and what forecasting one costs as it grows."""

from __future__ import annotations

import numpy as np
from measuring import forget_peak, measure_cpu, memory
from numpy.typing import NDArray

SHORTEST, LONGEST, TYPICAL = 30, 2880, 250


def mixed_lengths(n: int, seed: int) -> list[NDArray[np.float64]]:
    """Build walks whose lengths are lognormal between 30 and 2,880 steps: 400 on average."""
    random = np.random.default_rng(seed)
    lengths = random.lognormal(np.log(TYPICAL), 1.0, n).clip(SHORTEST, LONGEST).astype(int)
    return [random.normal(size=length).cumsum() for length in lengths]


def grown_panel(
    n: int, steps: int, horizon: int, door: str, model: str = "timer-s1-mini"
) -> dict[str, float]:
    """Forecast a panel of `n` walks with the embedded checkpoint, in a process of its own.

    Parameters
    ----------
    n, steps, horizon : int
        Series, their length, steps to forecast.
    door : {"pipeline", "sktime"}
        The pipeline, which gives nine quantiles of arrays; or `fit` and `predict` of our
        sktime class with a data frame.
    model : str
        Checkpoint.

    Returns
    -------
    dict
        CPU seconds; GB that were resident when the panel was built, weights loaded and a small
        panel forecast; and the most while the panel was forecast.
    """
    import sktime_comparison

    from timer_forecaster import ForecastPipeline
    from timer_forecaster.sktime import TimerS1Forecaster

    pipeline = ForecastPipeline.from_pretrained(model)

    def ask(size: int, seed: int) -> tuple[object, object]:
        y = sktime_comparison.walks(seed, size, steps)
        if door == "sktime":
            return lambda: TimerS1Forecaster(model).fit(y).predict(range(1, horizon + 1)), y
        values = y["y"].to_numpy().reshape(size, steps)
        return lambda: pipeline.predict(values, horizon), values

    ask(min(n, 64), seed=0)[0]()
    answer, _ = ask(n, seed=1)
    forget_peak()
    before = memory()["now"]
    seconds = measure_cpu(answer)
    return {"seconds": seconds, "before": before, "peak": memory()["peak"]}
