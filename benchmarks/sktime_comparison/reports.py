"""Reports that ask both classes, and print their answers side by side."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.processes import Process
from benchmarks.sktime_comparison.questions import PROGRAM, RELEASED

BACKENDS = (None, "threading", "loky")


def report_panels(theirs: Process, own: Process, checkpoint: Path, n: int, repeats: int) -> None:
    """Print seconds and ratios for panels of `n` series."""
    print(f"fit and predict {n} series of 256 steps: CPU seconds, medians of {repeats}")
    print(f"{'horizon':>8}{'sktime':>9}{'same numbers':>22}{'as it comes':>22}{'difference':>12}")
    ways: list[tuple[Process, Any]] = [(theirs, {}), (own, RELEASED["ours"]), (own, {})]
    for horizon in (48, 96):
        found = [p.ask("quantiles", checkpoint, horizon=horizon, n=n) for p in (theirs, own)]
        difference = np.abs(np.subtract(*found)).max()
        rounds = [
            [
                process.ask("panel", checkpoint, horizon=horizon, n=n, options=options, seed=seed)
                for seed, (process, options) in enumerate(ways, start=1000 * horizon + 3 * i)
            ]
            for i in range(repeats)
        ]
        reference, *seconds = np.median(rounds, axis=0)
        columns = [f"{s:8.3f} ({reference / s:5.1f} x less)" for s in seconds]
        print(f"{horizon:8}{reference:9.3f}{columns[0]:>22}{columns[1]:>22}{difference:12.1e}")


def report_sizes(theirs: Process, own: Process, checkpoint: Path) -> None:
    """Print the bytes of pickles and the calls of the network."""
    for steps in (256, 1024):
        sizes = [process.ask("pickled", checkpoint, steps=steps) for process in (theirs, own)]
        print(f"pickle, fitted to {steps} steps: sktime {sizes[0]:,} bytes, ours {sizes[1]:,}")
    counts = [process.ask("passes", checkpoint) for process in (theirs, own)]
    print(f"network calls for 4 metrics over 5 folds: sktime {counts[0]}, ours {counts[1]}")


def report_loads(pythons: Mapping[str, str], checkpoint: Path) -> None:
    """Print the loads of weights, counted in processes that have loaded nothing before."""
    for backend in BACKENDS:
        counts = []
        for side, python in pythons.items():
            with closing(Process(python, PROGRAM, side)) as process:
                counts.append(f"{side} {process.ask('loads', checkpoint, backend=backend)}")
        print(f"loads in a 4 x 5 grid search, {backend}: {'; '.join(counts)}")
