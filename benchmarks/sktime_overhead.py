"""Time that the sktime door adds to the pipeline, on the same panel in the same run.

    python benchmarks/sktime_overhead.py --checkpoint timer-s1-mini

The pipeline is given a list of arrays and asked for the median, or for three quantile levels; the
sktime forecaster is given the same panel as a frame, fitted, and asked for the same. Runs of both
alternate; the ratio printed is the median of the ratios of neighbours. The forward passes and the
calls of the pipeline behind one answer are counted in a run of their own.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Callable

import numpy as np
import pandas as pd
import torch
from measuring import count_calls, measure

from timer_forecaster import ForecastPipeline
from timer_forecaster.models.timer_s1 import TimerS1Network
from timer_forecaster.sktime import TimerS1Forecaster

LEVELS = [0.05, 0.5, 0.95]
COUNTED = ((TimerS1Network, "forecast_pass"), (ForecastPipeline, "predict"))
Question = tuple[str, Callable[[], object], Callable[[], object]]


def main() -> None:
    """Print seconds, ratios and counts."""
    arguments = parse_arguments()
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
    """Build what is asked of both: its name, the pipeline's way and the forecaster's way."""
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
        # another level each time: the forecast of a panel seen before would be recalled
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


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--checkpoint", default="timer-s1-mini", help="registry name or folder")
    parser.add_argument("--series", type=int, default=1000)
    parser.add_argument("--steps", type=int, default=200, help="length of each series")
    parser.add_argument("--horizon", type=int, default=24)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--threads", type=int, default=1, help="threads of torch")
    return parser.parse_args()


if __name__ == "__main__":
    main()
