"""What backtests, samples, grid searches and many series cost behind Darts' interface.

    python benchmarks/darts_backtest.py --checkpoint timer-s1-mini

- A backtest with Darts' default arguments, which retrain for each window, against the loop that
  Darts runs for any model: it makes, fits and asks a model of our class for each window. Runs of
  both alternate; the ratio printed is the median of neighbours' ratios. The loop loads nothing
  either, as all models of a process share one network.
- Passes of the network behind the samples of one forecast.
- Loads of weights in a grid search, from an empty process-wide cache.
- A forecast of many series, against the pipeline on the same arrays.
"""

from __future__ import annotations

import argparse
import logging

import numpy as np
import torch
from darts import TimeSeries
from darts.metrics import mae
from darts.models.forecasting.foundation_model import FoundationModel
from darts.utils.likelihood_models import QuantileRegression
from measuring import count_calls, measure

from timer_forecaster import ForecastPipeline, release
from timer_forecaster.checkpoints import cache
from timer_forecaster.darts import TimerS1Model
from timer_forecaster.models.timer_s1 import TimerS1Network

QUIET = {"accelerator": "cpu", "enable_progress_bar": False}
PASSES = (TimerS1Network, "forecast_pass")


def main() -> None:
    """Print seconds, ratios and counts."""
    arguments = parse_arguments()
    torch.set_num_threads(arguments.threads)
    logging.captureWarnings(True)
    logging.disable(logging.WARNING)  # Lightning and Darts log several lines for each forecast
    print(f"{arguments.checkpoint}, {arguments.threads} thread(s), {arguments.repeats} repeats")
    grid_search(arguments)
    samples(arguments)
    backtests(arguments)
    many_series(arguments)


def make(arguments: argparse.Namespace, **options: object) -> TimerS1Model:
    """Make a model of ours."""
    return TimerS1Model(
        arguments.context,
        arguments.horizon,
        hub_model_name=arguments.checkpoint,
        pl_trainer_kwargs=QUIET,
        **options,
    )


def walk(steps: int, seed: int) -> TimeSeries:
    """Make a random walk. What is asked of each seed is asked once: forecasts are remembered."""
    return TimeSeries.from_values(np.random.default_rng(seed).normal(size=steps).cumsum())


def grid_search(arguments: argparse.Namespace) -> None:
    """Count the loads of weights in a grid search."""
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
    """Count the passes behind the samples of a forecast."""
    model = make(arguments, likelihood=QuantileRegression([0.1, 0.5, 0.9]))
    model.fit(walk(arguments.context, seed=1))
    [passes] = count_calls(lambda: model.predict(arguments.horizon, num_samples=500), PASSES)
    print(f"predict(num_samples=500): passes of the network: {passes}")


def backtests(arguments: argparse.Namespace) -> None:
    """Compare a backtest with default arguments with one by Darts' loop."""
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
    """Compare a forecast of many series with the pipeline's."""
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
    """Print the medians of two columns of seconds, and the median of their ratios."""
    columns = np.array(seconds)
    medians = np.median(columns, axis=0)
    ratio = np.median(columns[:, 0] / columns[:, 1])
    print(f"  {first} {medians[0]:.3f} s, {second} {medians[1]:.3f} s, ratio {ratio:.2f}")


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--checkpoint", default="timer-s1-mini", help="registry name or folder")
    parser.add_argument("--context", type=int, default=200, help="steps to forecast from")
    parser.add_argument("--horizon", type=int, default=24)
    parser.add_argument("--windows", type=int, default=100, help="of a backtest")
    parser.add_argument("--series", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1, help="threads of torch")
    return parser.parse_args()


if __name__ == "__main__":
    main()
