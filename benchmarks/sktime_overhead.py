"""The time that the sktime door adds to the pipeline, on the same panel in the same run.

    python -m benchmarks.sktime_overhead --checkpoint timer-s1-mini

The pipeline gets a list of arrays and returns the median, or three quantile levels. The sktime
forecaster gets the same panel as a data frame, is fitted, and returns the same. Runs of both
alternate, and the ratio of each pair of runs is taken: the median of these ratios is printed. A
separate run counts the forward passes of the network and the calls of the pipeline.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
import torch

from benchmarks.measuring import count_calls, measure
from timer_forecaster import ForecastPipeline
from timer_forecaster.models.timer_s1 import TimerS1Network
from timer_forecaster.sktime import TimerS1Forecaster

LEVELS = [0.05, 0.5, 0.95]
COUNTED = ((TimerS1Network, "forecast_pass"), (ForecastPipeline, "predict"))
Question = tuple[str, Callable[[], object], Callable[[], object]]
"""A name, and two functions: the pipeline's way and the forecaster's way."""


def main(given: Sequence[str] | None = None) -> None:
    """Print seconds, ratios and counts."""
    arguments = parse_arguments(given)
    torch.set_num_threads(arguments.threads)
    print(
        f"{arguments.checkpoint}: {arguments.series} series of {arguments.steps} steps, "
        f"{arguments.horizon} ahead, {arguments.repeats} repeats, {arguments.threads} thread(s)"
    )
    print(f"{'':12}{'pipeline s':>12}{'sktime s':>12}{'ratio':>8}{'passes':>16}{'calls':>16}")
    for name, pipeline, door in questions(arguments):
        counts = [count_calls(answer, *COUNTED) for answer in (pipeline, door)]
        seconds = np.array([(measure(pipeline), measure(door)) for _ in range(arguments.repeats)])
        ratio = np.median(seconds[:, 1] / seconds[:, 0])
        first, second = np.median(seconds, axis=0)
        passes, calls = (" and ".join(map(str, pair)) for pair in zip(*counts, strict=True))
        print(f"{name:12}{first:12.3f}{second:12.3f}{ratio:8.2f}{passes:>16}{calls:>16}")


def questions(arguments: argparse.Namespace) -> list[Question]:
    """Return the questions that both ways answer, about one panel of random walks."""
    values = np.random.default_rng(0).normal(size=(arguments.series, arguments.steps)).cumsum(1)
    rows = list(values)
    names = [f"series {i:05}" for i in range(len(rows))]
    times = pd.date_range("2024-01-01", periods=arguments.steps, freq="h")
    index = pd.MultiIndex.from_product([names, times], names=["series", "time"])
    panel = pd.DataFrame({"y": values.ravel()}, index=index)
    horizon = list(range(1, arguments.horizon + 1))
    pipe = ForecastPipeline.from_pretrained(arguments.checkpoint)

    level = itertools.count()

    def fitted() -> TimerS1Forecaster:
        # Each fit gets another level: the forecast of a known panel would be recalled.
        return TimerS1Forecaster(arguments.checkpoint).fit(panel + next(level))

    def pipeline_quantiles() -> object:
        forecast = pipe.predict(rows, arguments.horizon)
        return [forecast.quantile(level) for level in LEVELS]

    return [
        (
            "point",
            lambda: pipe.predict(rows, horizon[-1]).median,
            lambda: fitted().predict(horizon),
        ),
        (
            "quantiles",
            pipeline_quantiles,
            lambda: fitted().predict_quantiles(horizon, alpha=LEVELS),
        ),
    ]


def parse_arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    """Return the arguments of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.sktime_overhead", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("--checkpoint", default="timer-s1-mini", help="registry name or folder")
    parser.add_argument("--series", type=int, default=1000)
    parser.add_argument("--steps", type=int, default=200, help="length of each series")
    parser.add_argument("--horizon", type=int, default=24)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--threads", type=int, default=1, help="threads of torch")
    return parser.parse_args(given)


if __name__ == "__main__":
    main()
