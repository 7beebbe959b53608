"""The time of a forecast by TinyTimeMixer: its network, the pipeline around it, and Timer-S1.

    OMP_NUM_THREADS=1 python -m benchmarks.ttm_pipeline

All forecast the same windows, in turns in one process. CPU seconds are taken, and the median over
the rounds is printed, with ratios. Without a checkpoint, the weights are random and of the size of
a preset; they take the same time.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch

from benchmarks.measuring import in_turns, measure_cpu
from timer_forecaster import ForecastPipeline
from timer_forecaster.models.ttm.presets import PRESETS, preset

HORIZON = 96
AT_ONCE = 96  # rows in a batch, as in the pipeline on a CPU


def main(given: Sequence[str] | None = None) -> None:
    """Print seconds and ratios."""
    arguments = parse_arguments(given)
    torch.set_num_threads(arguments.threads)
    ttm = pipeline(arguments.ttm)
    other = ForecastPipeline.from_pretrained(arguments.checkpoint, device="cpu")
    length = ttm.network.config.max_context_length
    random = np.random.default_rng(0)
    windows = list(random.normal(size=(arguments.windows, length)).cumsum(axis=1))
    sides = {
        "network": timed(lambda: run(ttm.network, windows)),
        "pipeline": timed(lambda: ttm.predict(windows, HORIZON)),
        arguments.checkpoint: timed(lambda: other.predict(windows, HORIZON)),
    }
    found = in_turns(sides, arguments.rounds)
    seconds = {name: one["seconds"] for name, one in found.items()}
    print(f"{arguments.ttm}: {arguments.windows} windows {length} -> {HORIZON}; CPU milliseconds")
    for name, value in seconds.items():
        print(f"{name:16}{1000 * value:8.0f}{value / seconds['network']:8.2f} of the network")
    ratio = seconds["pipeline"] / seconds[arguments.checkpoint]
    print(f"{arguments.ttm} takes {ratio:.2f} of the time of {arguments.checkpoint}")


def pipeline(name: str) -> ForecastPipeline:
    """Return the pipeline of a checkpoint, or of random weights of the size of a preset."""
    if name in PRESETS:
        return ForecastPipeline.from_pretrained(None, config=preset(name), device="cpu")
    return ForecastPipeline.from_pretrained(name, device="cpu")


def run(network: torch.nn.Module, windows: Sequence[np.ndarray]) -> None:
    """Forecast windows by the network alone."""
    rows = torch.from_numpy(np.array(windows, dtype=np.float32))[..., None]
    with torch.inference_mode():
        for batch in rows.split(AT_ONCE):
            network(batch, past_observed_mask=torch.ones_like(batch, dtype=torch.bool))


def timed(forecast: Callable[[], object]) -> Callable[[], Mapping[str, float]]:
    """Return a function that measures a forecast."""
    return lambda: {"seconds": measure_cpu(forecast)}


def parse_arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    """Return the arguments of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.ttm_pipeline", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("--ttm", default="tiny", help="checkpoint, or tiny, small or base")
    parser.add_argument("--checkpoint", default="timer-s1-mini", help="of Timer-S1")
    parser.add_argument("--windows", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1, help="threads of torch")
    return parser.parse_args(given)


if __name__ == "__main__":
    main()
