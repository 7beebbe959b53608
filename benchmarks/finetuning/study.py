"""Finetune each target on each data set with each seed, and score the results."""

from __future__ import annotations

import argparse
import dataclasses
import functools
import itertools
import json
import tempfile
import time
import warnings
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch

from benchmarks.finetuning.data import Data, load
from timer_forecaster import ForecastPipeline
from timer_forecaster.evaluation.metrics import weighted_quantile_loss
from timer_forecaster.finetuning import FinetuneConfig, TuningWarning, finetune


def score(data: Data, pipe: ForecastPipeline, quality: str) -> float:
    """Return the CRPS of the test windows: the mean weighted quantile loss of GIFT-Eval."""
    forecast = pipe.predict(data.contexts, data.horizon, quality=quality)
    return weighted_quantile_loss(data.targets, forecast.quantiles, forecast.levels)


def finetuned(data: Data, pipe: ForecastPipeline, config: FinetuneConfig) -> dict[str, Any]:
    """Finetune a network and return its score and its costs."""
    started = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TuningWarning)
        adapter = finetune(pipe, data.tuning, config)
    seconds = time.process_time() - started
    with tempfile.TemporaryDirectory() as folder:
        size = sum(file.stat().st_size for file in adapter.save(folder).iterdir())
    report = adapter.report
    return {
        "crps": score(data, ForecastPipeline(pipe.key, adapter), config.forecast_quality),
        "seconds": seconds,
        "bytes": size,
        "parameters": report.n_parameters,
        "status": report.status,
        "best_step": report.best_step,
        "steps": report.steps,
        "before": report.loss_before,
        "after": report.loss_after,
    }


@functools.lru_cache(maxsize=1)
def _zero_shot(
    checkpoint: str, folder: Path, name: str, quality: str
) -> tuple[Data, ForecastPipeline, float]:
    """Return a data set, the pipeline and its zero-shot score."""
    data = load(folder, name)
    pipe = ForecastPipeline.from_pretrained(checkpoint, device="cpu")
    return data, pipe, score(data, pipe, quality)


def run(
    checkpoint: str, folder: Path, name: str, target: str, seed: int, settings: Mapping[str, Any]
) -> dict[str, Any]:
    """Return one row of the results, computed on one thread."""
    torch.set_num_threads(1)
    config = FinetuneConfig(target=target, seed=seed, **settings)
    data, pipe, zero_shot = _zero_shot(checkpoint, folder, name, config.forecast_quality)
    config = dataclasses.replace(config, horizon=data.horizon)
    found = finetuned(data, pipe, config)
    return {
        "checkpoint": checkpoint,
        "settings": settings,
        "data": name,
        "target": target,
        "seed": seed,
        "zero_shot": zero_shot,
        "horizon": data.horizon,
        "series": len(data.tuning),
        "windows": len(data.contexts),
        **found,
    }


def run_all(arguments: argparse.Namespace, settings: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Compute the rows that the output does not hold yet; return all rows that were asked for."""
    output: Path = arguments.output
    rows = [json.loads(line) for line in output.open()] if output.exists() else []
    made_with = {json.dumps([row["checkpoint"], row["settings"]]) for row in rows}
    if made_with - {json.dumps([arguments.checkpoint, settings])}:
        raise ValueError(
            f"--output {output} holds results of another checkpoint or settings: {made_with}"
        )
    done = {(row["data"], row["target"], row["seed"]) for row in rows}
    # The targets of one data set follow each other: a process keeps the data set that it has read.
    wanted = itertools.product(arguments.seeds, arguments.datasets, arguments.targets)
    left = [(name, target, seed) for seed, name, target in wanted]
    left = [task for task in left if task not in done]
    fixed = arguments.checkpoint, arguments.data
    with ProcessPoolExecutor(arguments.jobs, get_context("spawn")) as pool:
        futures = [pool.submit(run, *fixed, *task, settings) for task in left]
        for future in as_completed(futures):
            row = future.result()
            with output.open("a") as file:
                file.write(json.dumps(row) + "\n")
            rows.append(row)
            ratio = row["crps"] / row["zero_shot"]
            print(f"{row['data']:22} {row['target']:12} {row['seed']} {ratio:.4f} {row['status']}")
    return [row for row in rows if row["data"] in arguments.datasets]
