"""What tuning a checkpoint to series of one's own gains, for each target.

On data sets that the checkpoint was not trained on, the end of every series is kept to test; what
comes before it is tuned on, the newest part of which validates. Each tuned network is compared with
zero-shot forecasts on the test windows. Results are appended to a file as they come, and a run
that was stopped goes on where it was::

    python benchmarks/finetuning.py --data FOLDER --output results.jsonl --page docs/finetuning.md
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow.parquet as pq

from timer_forecaster import ForecastPipeline
from timer_forecaster.evaluation.metrics import weighted_quantile_loss
from timer_forecaster.finetuning import FinetuneConfig, TuningWarning, finetune

TARGETS = ("router+head", "head", "router", "norms", "lora", "full")
STUDIED = (
    "np_load_rte__H",
    "vic_elec__30T",
    "darts_taylor__30T",
    "tourism_monthly__M",
    "hourly_peds__H",
    "metro_interstate__H",
    "nn5__D",
    "spain_price__H",
    "tetouan_power__10T",
    "aus_retail__M",
    "fremont_bridge__H",
    "bikeshare_dc__H",
)
"""Data sets of the study; the settings were chosen on the other ones that are held out."""

HORIZONS = {"M": 12, "Q": 8, "W": 8, "D": 30, "H": 48, "T": 48}
MOST_STEPS = 20_000
"""Newest steps that are taken of a series."""
MOST_SERIES = 100
MOST_WINDOWS = 200
"""Test windows of a data set."""


class Data(NamedTuple):
    """A data set, cut into what is tuned on and windows that test."""

    name: str
    tuning: list[np.ndarray]
    contexts: list[np.ndarray]
    targets: np.ndarray

    @property
    def horizon(self) -> int:
        return self.targets.shape[1]


def load(folder: Path, name: str) -> Data:
    """Read a data set; the last tenth of each series tests, at least a horizon of it."""
    column = pq.read_table(folder / f"{name}.parquet", columns=["target"]).column("target")
    frequency = name.rpartition("__")[2]
    horizon = HORIZONS[frequency.lstrip("0123456789")]
    n_series = min(len(column), MOST_SERIES)
    chosen = np.linspace(0, len(column) - 1, n_series).round().astype(int)
    rows = [np.array(column[int(i)].as_py(), dtype=np.float64)[-MOST_STEPS:] for i in chosen]
    per_series = max(1, MOST_WINDOWS // n_series)
    tuning, contexts, targets = [], [], []
    for values in rows:
        n_windows = int(np.clip(len(values) // (10 * horizon), 1, per_series))
        start = len(values) - n_windows * horizon
        if start < horizon or not np.isfinite(values[:start]).any():
            continue
        tuning.append(values[:start])
        for origin in range(start, len(values), horizon):
            contexts.append(values[:origin])
            targets.append(values[origin : origin + horizon])
    return Data(name, tuning, contexts, np.stack(targets))


def score(data: Data, pipe: ForecastPipeline) -> float:
    """CRPS of the test windows."""
    forecast = pipe.predict(data.contexts, data.horizon)
    return weighted_quantile_loss(data.targets, forecast.quantiles, forecast.levels)


def tuned(data: Data, pipe: ForecastPipeline, config: FinetuneConfig) -> dict[str, Any]:
    """Tune, and score what came of it."""
    started = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TuningWarning)
        adapter = finetune(pipe, data.tuning, config)
    report = adapter.report
    return {
        "crps": score(data, ForecastPipeline(pipe.key, adapter)),
        "seconds": time.process_time() - started,
        "parameters": report.n_parameters,
        "status": report.status,
        "best_step": report.best_step,
        "steps": report.steps,
        "before": report.loss_before,
        "after": report.loss_after,
    }
