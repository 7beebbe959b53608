"""Windows of series that no run trains on, with the losses of Seasonal Naive."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch

from benchmarks.report_claims.scale import Scale
from timer_forecaster.arrays import FloatArray
from timer_forecaster.corpus.held_out import HELD_OUT
from timer_forecaster.corpus.synthetic import FAMILIES, SyntheticSeries
from timer_forecaster.evaluation import seasonal_error, seasonal_naive_quantiles
from timer_forecaster.evaluation.gift_eval import seasonality_of


class Windows(NamedTuple):
    """Held-out windows of one data set, with the forecasts of the baseline.

    Attributes
    ----------
    name : str
        Data set.
    contexts : list of array
        The steps before each target, of any length.
    targets : array (n, horizon)
    scales : array (n,)
        Seasonal error of each context.
    naive : array (n, horizon, levels)
        Quantiles of Seasonal Naive.
    """

    name: str
    contexts: list[FloatArray]
    targets: FloatArray
    scales: FloatArray
    naive: FloatArray


def held_out_windows(folder: Path, scale: Scale) -> list[Windows]:
    """Return windows of the held-out data sets that a folder holds."""
    files = [file for name in HELD_OUT if (file := folder / f"{name}.parquet").exists()]
    if not files:
        raise ValueError(f"--data {folder} holds none of the held-out data sets {HELD_OUT}")
    datasets = []
    for file in files:
        rows = pd.read_parquet(file, columns=["target"])["target"]
        series = [np.asarray(row, dtype=np.float64) for row in rows]
        datasets.append(
            draw_windows(file.stem, series, seasonality_of(file.stem.split("__")[1]), scale)
        )
    return [dataset for dataset in datasets if dataset.contexts]


def synthetic_windows(scale: Scale) -> list[Windows]:
    """Return windows of synthetic series; each family counts as a data set."""
    length = scale.context(scale.long_window) + scale.horizon
    datasets = []
    for name in scale.synthetic_families or FAMILIES:
        generator = torch.Generator().manual_seed(2**40)  # no run has this seed
        series = SyntheticSeries({name: 1.0}).sample(
            2 * scale.windows_per_dataset, length, generator
        )
        datasets.append(draw_windows(name, list(series.double().numpy()), 1, scale))
    return [dataset for dataset in datasets if dataset.contexts]


def draw_windows(
    name: str, series: Sequence[FloatArray], seasonality: int, scale: Scale
) -> Windows:
    """Return random windows of a data set, the same in every run.

    Each context has at least as many steps as the horizon. Windows are left out if their context
    does not change from season to season, or if most of their target is missing.
    """
    horizon, short = scale.horizon, scale.context(scale.window)
    longest = scale.context(scale.long_window)
    series = [row for row in series if len(row) >= 2 * horizon]
    lengths = np.array([len(row) for row in series], dtype=np.float64)
    random = np.random.default_rng(0)
    contexts, targets, scales, naive = [], [], [], []
    for _ in range(4 * scale.windows_per_dataset if series else 0):
        row = series[random.choice(len(series), p=lengths / lengths.sum())]
        end = int(random.integers(2 * horizon, len(row) + 1)) - horizon
        context, target = row[max(0, end - longest) : end], row[end : end + horizon]
        size = seasonal_error(context[-short:], seasonality)
        if not size > 0 or np.isnan(target).mean() > 0.5:
            continue
        contexts.append(context)
        targets.append(target)
        scales.append(size)
        naive.append(seasonal_naive_quantiles(context[-short:], horizon, seasonality))
        if len(contexts) == scale.windows_per_dataset:
            break
    return Windows(name, contexts, np.array(targets), np.array(scales), np.array(naive))
