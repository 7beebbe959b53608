"""The time of a backtest over the time of the network in it, in the same call.

    python -m benchmarks.backtest --checkpoint timer-s1-mini

A panel is backtested in one call: windows are laid and forecast, Seasonal Naive forecasts them as
well, and scores, the sentence and the frame of all forecasts are made. The time in the network's
own function is taken inside of the call. The ratio of both is printed, and its median.
"""

from __future__ import annotations

import argparse
import importlib
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import pandas as pd
import torch

from benchmarks.measuring import measure
from timer_forecaster import ForecastPipeline, release
from timer_forecaster.inference.engine.choice import engine_of


def main(given: Sequence[str] | None = None) -> None:
    """Print seconds and ratios."""
    arguments = parse_arguments(given)
    torch.set_num_threads(arguments.threads)
    frame = panel(arguments.series, arguments.steps)
    print(
        f"{arguments.checkpoint}: {arguments.series} series of {arguments.steps} steps, "
        f"{arguments.windows} windows of {arguments.horizon}, {arguments.threads} thread(s)"
    )
    print(f"{'backtest s':>12}{'network s':>12}{'calls':>8}{'ratio':>8}")
    ratios = []
    for _ in range(arguments.repeats):
        whole, network = once(frame, arguments)
        ratios.append(whole / sum(network))
        print(f"{whole:12.4g}{sum(network):12.4g}{len(network):8}{ratios[-1]:8.3f}", flush=True)
    print(f"median ratio {statistics.median(ratios):.3f}")


def once(frame: pd.DataFrame, arguments: argparse.Namespace) -> tuple[float, list[float]]:
    """Return the seconds of a backtest, and of each call of the network in it."""
    release()  # forecasts that are remembered
    pipe = ForecastPipeline.from_pretrained(arguments.checkpoint)

    def backtest() -> object:
        result = pipe.backtest_frame(
            frame,
            arguments.horizon,
            time_column="time",
            id_column="id",
            target_columns="y",
            windows=arguments.windows,
        )
        return result.leaderboard, result.scores, result.summary, result.forecasts

    with timed(importlib.import_module(engine_of(pipe.network).__name__)) as network:
        whole = measure(backtest)
    return whole, network


@contextmanager
def timed(engine: Any) -> Iterator[list[float]]:
    """Collect the seconds of each call of the function of an engine that forecasts rows."""
    seconds: list[float] = []
    original = engine.forecast_rows

    def forecast_rows(*arguments: Any, **options: Any) -> Any:
        start = time.perf_counter()
        found = original(*arguments, **options)
        seconds.append(time.perf_counter() - start)
        return found

    engine.forecast_rows = forecast_rows
    try:
        yield seconds
    finally:
        engine.forecast_rows = original


def panel(n_series: int, steps: int) -> pd.DataFrame:
    """Return random walks with a day, by the hour."""
    rng = np.random.default_rng(0)
    day = np.sin(np.arange(steps) * 2 * np.pi / 24)
    values = 100 + rng.normal(size=(n_series, steps)).cumsum(1) + 5 * day
    times = pd.date_range("2024-01-01", periods=steps, freq="h")
    ids = np.repeat([f"series {i:05}" for i in range(n_series)], steps)
    return pd.DataFrame({"id": ids, "time": np.tile(times, n_series), "y": values.ravel()})


def parse_arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    """Return the arguments of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.backtest", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("--checkpoint", default="timer-s1-mini", help="registry name or folder")
    parser.add_argument("--series", type=int, default=1000)
    parser.add_argument("--steps", type=int, default=512, help="length of each series")
    parser.add_argument("--windows", type=int, default=5)
    parser.add_argument("--horizon", type=int, default=24)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1, help="threads of torch")
    return parser.parse_args(given)


if __name__ == "__main__":
    main()
