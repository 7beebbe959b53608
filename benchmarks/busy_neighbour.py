"""What one busy process beside it costs a forecast, on two cores with default settings.

The yardstick is the CPU time of the same forecast with ``torch.set_num_threads(1)`` and no
neighbour: its wall time on a machine with nothing else to do. Printed is the wall time beside the
neighbour as a multiple of it, and for comparison the same for the bare network on torch's own
threads. CPU time beside the neighbour tells how much of the wall time was spun away, and does not
depend on what else the machine does. The program and its neighbour keep to two cores where the
system lets them; other work on these cores makes the wall times longer, so take them at rest.

    python benchmarks/busy_neighbour.py [--rounds 5]
"""

from __future__ import annotations

import argparse
import os
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
    columns = ("one thread, CPU s", "beside it, CPU s", "beside it, wall s", "ratio")
    print(" " * 28, *(f"{column:>18}" for column in columns))
    for name, answer in answers().items():
        answer()
        seconds = np.array([one_round(answer, default) for _ in range(rounds)])
        one_thread, cpu, wall = np.median(seconds, axis=0)
        figures = (one_thread, cpu, wall, wall / one_thread)
        print(f"{name:28}", *(f"{figure:18.4f}" for figure in figures))


def one_round(answer: Callable[[], object], n_threads: int) -> tuple[float, float, float]:
    """CPU seconds on one thread, and CPU and wall seconds beside a neighbour."""
    import torch

    torch.set_num_threads(1)
    one_thread, _ = cpu_and_wall(answer)
    torch.set_num_threads(n_threads)
    with busy_neighbour():
        return one_thread, *cpu_and_wall(answer)


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
        "library, one series": lambda: pipeline.predict(series[:1], HORIZON),
        f"library, {PANEL} series": lambda: pipeline.predict(series, HORIZON),
        "torch's threads, one series": network_alone(1),
        f"torch's threads, {BATCH} series": network_alone(BATCH),
    }


def cpu_and_wall(answer: Callable[[], object]) -> tuple[float, float]:
    """Seconds that an answer takes."""
    start = time.process_time()
    wall = measure(answer)
    return time.process_time() - start, wall


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
