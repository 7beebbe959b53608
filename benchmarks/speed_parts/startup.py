"""Time from the start of a process to an import, or to a first forecast."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping

from measuring import in_turns
from processes import ONE_THREAD, ROOT

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
REPORT = "; import time; print(time.monotonic(), time.process_time())"


def startup(rounds: int, programs: Mapping[str, str] = PROGRAMS) -> dict[str, dict[str, float]]:
    """Run each program in new processes; medians of wall and CPU seconds from their start.

    The files lie in the page cache after the first round, and bytecode is compiled.
    """
    for program in programs.values():
        _run(program)
    return in_turns({name: lambda code=code: _run(code) for name, code in programs.items()}, rounds)


def _run(program: str) -> dict[str, float]:
    environment = {**ONE_THREAD, "PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1"}
    start = time.monotonic()
    answer = subprocess.run(  # noqa: S603
        [sys.executable, "-c", program + REPORT],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | environment,
    )
    end, cpu = map(float, answer.stdout.split()[-2:])
    return {"wall s": end - start, "CPU s": cpu}
