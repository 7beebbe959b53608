"""Data sets of the study, cut into series to finetune on and windows to test on."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow.parquet as pq

from timer_forecaster.arrays import FloatArray

STUDIED = (
    "np_load_rte__H",
    "vic_elec__30T",
    "darts_taylor__30T",
    "tourism_monthly__M",
    "metro_interstate__H",
    "nn5__D",
    "spain_price__H",
    "aus_retail__M",
    "fremont_bridge__H",
    "bikeshare_dc__H",
)
"""Data sets of the study. Settings were chosen on the other data sets held out of training."""

HORIZONS = {"M": 12, "Q": 8, "W": 8, "D": 30, "H": 48, "T": 48}
MOST_STEPS = 20_000
"""Largest number of steps of a series; the newest ones are used."""
MOST_SERIES = 100
MOST_WINDOWS = 200
"""Largest number of test windows of a data set; each series has at least one."""


class Data(NamedTuple):
    """A data set.

    Attributes
    ----------
    name : str
    tuning : list of array
        Series to finetune on.
    contexts : list of array
        All steps before each test window.
    targets : array (n, horizon)
        The test windows.
    """

    name: str
    tuning: list[FloatArray]
    contexts: list[FloatArray]
    targets: FloatArray

    @property
    def horizon(self) -> int:
        """Steps that are forecast."""
        return self.targets.shape[1]


def load(folder: Path, name: str) -> Data:
    """Read a data set; the last tenth of each series tests, which is one horizon at least."""
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
