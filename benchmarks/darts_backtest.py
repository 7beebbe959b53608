"""Cost of backtests, samples, grid searches and forecasts of many series through Darts.

    python -m benchmarks.darts_backtest --checkpoint timer-s1-mini

- The time of a backtest with Darts' default arguments, which retrain for each window. It is
  compared with the loop that Darts runs for any model: the loop makes and fits a model of our class
  for each window, and forecasts with it. Runs of both alternate, and the ratio of each pair of runs
  is taken: the median of these ratios is printed. The loop does not load weights again, as all
  models of a process share one network.
- The passes of the network for the samples of one forecast.
- The loads of weights in a grid search that starts with an empty cache of networks.
- The time of a forecast of many series, compared with the pipeline on the same arrays.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Sequence

import numpy as np
import torch
from darts import TimeSeries
from darts.metrics import mae
from darts.models.forecasting.foundation_model import FoundationModel
from darts.utils.likelihood_models import QuantileRegression

from benchmarks.measuring import count_calls, measure
from timer_forecaster import ForecastPipeline, release
from timer_forecaster.checkpoints import cache
from timer_forecaster.darts import TimerS1Model
from timer_forecaster.models.timer_s1 import TimerS1Network

QUIET = {"accelerator": "cpu", "enable_progress_bar": False}
PASSES = (TimerS1Network, "forecast_pass")


def main(given: Sequence[str] | None = None) -> None:
    """Print seconds, ratios and counts."""
    arguments = parse_arguments(given)
    torch.set_num_threads(arguments.threads)
    logging.captureWarnings(True)
    logging.disable(logging.WARNING)  # Lightning and Darts log several lines for each forecast
    print(f"{arguments.checkpoint}, {arguments.threads} thread(s), {arguments.repeats} repeats")
    grid_search(arguments)
    samples(arguments)
    backtests(arguments)
    many_series(arguments)


def make(arguments: argparse.Namespace, **options: object) -> TimerS1Model:
    """Return a new model of our class."""
    return TimerS1Model(
        arguments.context,
        arguments.horizon,
        hub_model_name=arguments.checkpoint,
        pl_trainer_kwargs=QUIET,
        **options,
    )


def walk(steps: int, seed: int) -> TimeSeries:
    """Return a random walk; time each seed once only, as forecasts are remembered."""
    return TimeSeries.from_values(np.random.default_rng(seed).normal(size=steps).cumsum())


def grid_search(arguments: argparse.Namespace) -> None:
    """Print the loads of weights in a grid search."""
    series = walk(arguments.context + 4 * arguments.horizon, seed=0)
    candidates = {
        "input_chunk_length": [arguments.context // 4, arguments.context // 2, arguments.context],
        "output_chunk_length": [arguments.horizon],
        "hub_model_name": [arguments.checkpoint],
        "flip": [False, True],
        "pl_trainer_kwargs": [QUIET],
    }
    release()
    [loads] = count_calls(
        lambda: TimerS1Model.gridsearch(
            candidates, series, forecast_horizon=arguments.horizon, metric=mae
        ),
        (cache, "load_network"),
    )
    print(f"grid search over 6 candidates: {loads} load of weights, {loads - 1} after the first")


def samples(arguments: argparse.Namespace) -> None:
    """Print the passes of the network for the samples of a forecast."""
    model = make(arguments, likelihood=QuantileRegression([0.1, 0.5, 0.9]))
    model.fit(walk(arguments.context, seed=1))
    [passes] = count_calls(lambda: model.predict(arguments.horizon, num_samples=500), PASSES)
    print(f"predict(num_samples=500): passes of the network: {passes}")


def backtests(arguments: argparse.Namespace) -> None:
    """Print the times of a backtest with default arguments and of one by Darts' loop."""
    model = make(arguments)
    steps = arguments.context + arguments.windows

    def by_default(series: TimeSeries) -> list[float]:
        return model.backtest(series, metric=mae, reduction=None)

    def by_loop(series: TimeSeries) -> list[float]:
        forecasts = FoundationModel.historical_forecasts(model, series, last_points_only=False)
        return model.backtest(series, historical_forecasts=forecasts, metric=mae, reduction=None)

    series = walk(steps, seed=2)
    errors, passes = [], []
    for way in (by_loop, by_default):
        passes += count_calls(lambda way=way: errors.append(way(series)), PASSES)
    seeds = range(3, 3 + 2 * arguments.repeats, 2)
    seconds = [
        (
            measure(lambda seed=seed: by_loop(walk(steps, seed))),
            measure(lambda seed=seed: by_default(walk(steps, seed + 1))),
        )
        for seed in seeds
    ]
    print(f"backtest of {len(errors[0])} windows, {passes[0]} and {passes[1]} passes:")
    show("Darts' loop", "default", seconds)
    print(f"  largest difference of the errors: {np.abs(np.subtract(*errors)).max():.1e}")


def many_series(arguments: argparse.Namespace) -> None:
    """Print the times of a forecast of many series through Darts and by the pipeline."""
    pipeline = ForecastPipeline.from_pretrained(arguments.checkpoint, device="cpu")
    model = make(arguments).fit(walk(arguments.context, seed=0))
    generator = np.random.default_rng(0)
    seconds = []
    for _ in range(arguments.repeats):
        values = generator.normal(size=(arguments.series, arguments.context)).cumsum(1)
        series = [TimeSeries.from_values(row) for row in values]
        seconds.append(
            (
                measure(lambda series=series: model.predict(arguments.horizon, series)),
                measure(lambda values=values: pipeline.predict(values, arguments.horizon).median),
            )
        )
    print(f"predict of {arguments.series} series:")
    show("Darts", "pipeline", seconds)


def show(first: str, second: str, seconds: list[tuple[float, float]]) -> None:
    """Print the median of each of two columns of seconds, and the median of their ratios."""
    columns = np.array(seconds)
    medians = np.median(columns, axis=0)
    ratio = np.median(columns[:, 0] / columns[:, 1])
    print(f"  {first} {medians[0]:.3f} s, {second} {medians[1]:.3f} s, ratio {ratio:.2f}")


def parse_arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    """Return the arguments of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.darts_backtest", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("--checkpoint", default="timer-s1-mini", help="registry name or folder")
    parser.add_argument("--context", type=int, default=200, help="steps to forecast from")
    parser.add_argument("--horizon", type=int, default=24)
    parser.add_argument("--windows", type=int, default=100, help="windows of a backtest")
    parser.add_argument("--series", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1, help="threads of torch")
    return parser.parse_args(given)


if __name__ == "__main__":
    main()
