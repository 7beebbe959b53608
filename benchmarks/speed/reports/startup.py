"""Report on the time from the start of a process to an import or to a first forecast."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping

from benchmarks.measuring import in_turns
from benchmarks.pages import markdown
from benchmarks.processes import IMPORTABLE, ONE_THREAD

FORECAST = "predict([float(i * i % 17) for i in range(200)], 24)"
PROGRAMS = {
    "python alone": "pass",
    "`import timer_forecaster`": "import timer_forecaster",
    "`import torch`": "import torch",
    "first forecast, pipeline": (
        "from timer_forecaster import ForecastPipeline; "
        f"ForecastPipeline.from_pretrained('timer-s1-mini').{FORECAST}"
    ),
    "`from sktime.forecasting.base import BaseForecaster`": (
        "from sktime.forecasting.base import BaseForecaster"
    ),
    "first forecast, sktime class": (
        "import pandas as pd; from timer_forecaster.sktime import TimerS1Forecaster; "
        "TimerS1Forecaster().fit(pd.Series([float(i * i % 17) for i in range(200)])).predict([24])"
    ),
}
PRINT_CLOCKS = "; import time; print(time.monotonic(), time.process_time())"


def report_startup(rounds: int) -> None:
    """Print the seconds of each of `PROGRAMS`."""
    found = measure_startup(rounds)
    rows = [{"": name} | figures for name, figures in found.items()]
    print(markdown(rows) + "\n")


def measure_startup(
    rounds: int, programs: Mapping[str, str] = PROGRAMS
) -> dict[str, dict[str, float]]:
    """Return the wall and CPU seconds of each program, medians over new processes.

    Each program runs once before. After that, its files lie in the page cache and its bytecode is
    compiled.
    """
    for program in programs.values():
        _run(program)
    return in_turns({name: lambda code=code: _run(code) for name, code in programs.items()}, rounds)


def _run(program: str) -> dict[str, float]:
    environment = {**ONE_THREAD, **IMPORTABLE, "HF_HUB_OFFLINE": "1"}
    start = time.monotonic()
    answer = subprocess.run(  # noqa: S603
        [sys.executable, "-c", program + PRINT_CLOCKS],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | environment,
    )
    end, cpu = map(float, answer.stdout.split()[-2:])
    return {"wall s": end - start, "CPU s": cpu}
