"""Report on the time from the start of a process to a first forecast, and on the package's size."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

from benchmarks.measuring import in_turns
from benchmarks.pages import markdown
from benchmarks.places import ROOT
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
        "y = pd.Series([float(i * i % 17) for i in range(200)]); "
        "TimerS1Forecaster('timer-s1-mini').fit(y).predict([24])"
    ),
}
PACKAGE = ROOT / "timer_forecaster"
PRINT_CLOCK = "; import time; print(time.process_time())"


def report_startup(rounds: int) -> None:
    """Print the seconds of each of `PROGRAMS`, and the size of the package."""
    found = measure_startup(rounds)
    rows = [{"": name, "CPU s": figures["CPU s"]} for name, figures in found.items()]
    print(markdown(rows) + "\n")
    files, compressed = package_bytes()
    print(
        f"The package's own files, weights included: {files / 1e6:.1f} MB, "
        f"{compressed / 1e6:.1f} MB compressed as in a wheel.\n"
    )


def package_bytes(folder: Path = PACKAGE) -> tuple[int, int]:
    """Return the bytes of the files of a package without bytecode, as they are and compressed."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    wheel = io.BytesIO()
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in files:
            archive.write(path, path.relative_to(folder))
    return sum(path.stat().st_size for path in files), len(wheel.getvalue())


def measure_startup(
    rounds: int, programs: Mapping[str, str] = PROGRAMS
) -> dict[str, dict[str, float]]:
    """Return the CPU seconds of each program, medians over new processes.

    Each program runs once before. After that, its files lie in the page cache and its bytecode is
    compiled.
    """
    for program in programs.values():
        _run(program)
    return in_turns({name: lambda code=code: _run(code) for name, code in programs.items()}, rounds)


def _run(program: str) -> dict[str, float]:
    environment = {**ONE_THREAD, **IMPORTABLE, "HF_HUB_OFFLINE": "1"}
    answer = subprocess.run(  # noqa: S603
        [sys.executable, "-c", program + PRINT_CLOCK],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | environment,
    )
    return {"CPU s": float(answer.stdout.split()[-1])}
