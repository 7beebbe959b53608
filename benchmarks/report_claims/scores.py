"""Losses of forecasts relative to Seasonal Naive, by part of the horizon."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.report_claims.arms import LABELS
from benchmarks.report_claims.windows import Windows
from timer_forecaster import ForecastPipeline
from timer_forecaster.arrays import FloatArray
from timer_forecaster.evaluation import quantile_loss

PARTS = ("near", "middle", "far", "all")
"""Parts of the horizon, see `horizon_parts`."""


def score(pipe: ForecastPipeline, datasets: Sequence[Windows], context_length: int) -> Any:
    """Return losses relative to Seasonal Naive by metric, part of the horizon and data set.

    ``"seconds"`` has the CPU seconds of all forecasts.
    """
    scores: dict[str, Any] = {metric: {part: {} for part in PARTS} for metric in ("loss", "mase")}
    started = time.process_time()
    for dataset in datasets:
        forecast = pipe.predict(
            dataset.contexts,
            dataset.targets.shape[1],
            context_length=context_length,
            rollout="median",
        )
        for metric, ratios in relative_losses(dataset, forecast.quantiles).items():
            for part, ratio in zip(PARTS, ratios, strict=True):
                scores[metric][part][dataset.name] = ratio
    scores["seconds"] = time.process_time() - started
    return scores


def relative_losses(dataset: Windows, quantiles: FloatArray) -> dict[str, list[float]]:
    """Return the losses of quantiles relative to Seasonal Naive, for each of `PARTS`.

    ``"loss"`` is the quantile loss, ``"mase"`` the absolute error of the median. The losses of a
    window are divided by its seasonal error first, so that all windows have equal weight.
    """
    ours, naive = (scaled_losses(dataset, each) for each in (quantiles, dataset.naive))
    return {
        metric: [
            float(np.nansum(ours[metric][:, part]) / np.nansum(naive[metric][:, part]))
            for part in horizon_parts(dataset.targets.shape[1])
        ]
        for metric in ours
    }


def scaled_losses(dataset: Windows, quantiles: FloatArray) -> dict[str, FloatArray]:
    """Return the losses of each window and step (n, horizon), in seasonal errors.

    ``"loss"`` is the mean quantile loss over the levels, ``"mase"`` the loss of the median.
    """
    levels = np.arange(1, quantiles.shape[-1] + 1) / (quantiles.shape[-1] + 1)
    losses = [
        quantile_loss(dataset.targets, quantiles[..., index], level) / dataset.scales[:, None]
        for index, level in enumerate(levels)
    ]
    return {"loss": np.mean(losses, axis=0), "mase": losses[len(losses) // 2]}


def horizon_parts(horizon: int) -> list[slice]:
    """Return the steps of each of `PARTS`, of a horizon of seven patches.

    Near is the first patch, middle the second to the fourth, far the rest.
    """
    first, fourth = horizon // 7, 4 * horizon // 7
    return [slice(first), slice(first, fourth), slice(fourth, None), slice(None)]


def read_scores(out: Path) -> dict[str, dict[int, Any]]:
    """Return the scores by arm and seed that a folder holds."""
    scores: dict[str, dict[int, Any]] = {name: {} for name in LABELS}
    for file in sorted((out / "scores").glob("*.json")):
        name, _, seed = file.stem.rpartition("-")
        scores[name][int(seed)] = json.loads(file.read_text(encoding="utf-8"))
    return {name: found for name, found in scores.items() if found}
