"""What one busy process beside it costs a forecast, on two cores with default settings.

The yardstick is the CPU time of the same forecast with ``torch.set_num_threads(1)`` and no
neighbour: its wall time on a machine with nothing else to do. Printed is the wall time beside the
neighbour as a multiple of it, and for comparison the same for the bare network on torch's own
threads. The program and its neighbour keep to two cores where the system lets them; other work on
these cores makes the ratios larger, so take them on a machine at rest.

    python benchmarks/busy_neighbour.py [--rounds 5]
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
from measuring import measure

STEPS, HORIZON = 512, 96
PANEL, BATCH = 1000, 48  # series; the bare network is given one batch of those it would be given


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, help="medians of so many")
    rounds = parser.parse_args().rounds
    keep_to_two_cores()
    import torch

    default = torch.get_num_threads()
    print(f"{default} threads by default, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    print(f"{'':28}{'one thread, CPU':>18}{'beside a neighbour':>20}{'ratio':>8}")
    for name, answer in answers().items():
        alone, beside = [], []
        answer()
        for _ in range(rounds):
            torch.set_num_threads(1)
            alone.append(cpu_time(answer))
            torch.set_num_threads(default)
            with busy_neighbour():
                beside.append(measure(answer))
        one_thread, wall = statistics.median(alone), statistics.median(beside)
        print(f"{name:28}{one_thread:16.4f} s{wall:18.4f} s{wall / one_thread:8.2f}")


def keep_to_two_cores() -> None:
    """Before torch is imported, which then has as many threads by default as there are cores."""
    os.environ.pop("OMP_NUM_THREADS", None)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])


def answers() -> dict[str, Callable[[], object]]:
    """Forecasts by the library, and passes of its network alone."""
    import torch

    from timer_forecaster import ForecastPipeline

    pipeline = ForecastPipeline.from_pretrained("timer-s1-mini")
    series = np.random.default_rng(0).standard_normal((PANEL, STEPS)).cumsum(axis=1)
    length = pipeline.network.config.input_token_len

    def network_alone(n_rows: int) -> Callable[[], object]:
        patches = torch.randn(n_rows, STEPS // length, 2 * length)
        return torch.inference_mode()(
            lambda: pipeline.network.forecast_pass(patches, HORIZON // length)
        )

    return {
        "library, one series": lambda: [pipeline.predict(series[:1], HORIZON) for _ in range(20)],
        f"library, {PANEL} series": lambda: pipeline.predict(series, HORIZON),
        "torch's threads, one series": network_alone(1),
        f"torch's threads, {BATCH} series": network_alone(BATCH),
    }


def cpu_time(answer: Callable[[], object]) -> float:
    """Seconds of CPU that an answer takes."""
    start = time.process_time()
    answer()
    return time.process_time() - start


@contextmanager
def busy_neighbour() -> Iterator[None]:
    """Keep one core busy with another process, which also keeps to the two cores."""
    neighbour = subprocess.Popen(
        [sys.executable, "-c", "print(flush=True)\nwhile True: pass"], stdout=subprocess.PIPE
    )
    try:
        neighbour.stdout.readline()  # it is busy from now on
        yield
    finally:
        neighbour.kill()
        neighbour.communicate()


if __name__ == "__main__":
    main()
