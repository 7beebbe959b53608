"""What tuning a checkpoint to series of one's own gains, for each target.

On data sets that the checkpoint was not trained on, the end of every series is kept to test; what
comes before it is tuned on, the newest part of which validates. Each tuned network is compared with
zero-shot forecasts on the test windows, both from all of the context that the checkpoint reads.
Results are appended to a file as they come, and a run that was stopped goes on where it was::

    python benchmarks/finetuning.py --data FOLDER --output results.jsonl --page docs/finetuning.md
"""

from __future__ import annotations

import argparse
import functools
import itertools
import json
import statistics
import tempfile
import time
import warnings
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow.parquet as pq
import torch
from measuring import markdown, write_page

from timer_forecaster import ForecastPipeline
from timer_forecaster.evaluation.metrics import weighted_quantile_loss
from timer_forecaster.finetuning import FinetuneConfig, TuningWarning, finetune
from timer_forecaster.finetuning.config import TARGETS

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
"""Data sets of the study; settings were chosen on the other ones that are held out of training."""

SEEDS = (0, 1, 2)
HORIZONS = {"M": 12, "Q": 8, "W": 8, "D": 30, "H": 48, "T": 48}
MOST_STEPS = 20_000
"""Newest steps that are taken of a series."""
MOST_SERIES = 100
MOST_WINDOWS = 200
"""Test windows of a data set, and one of each series at least."""


class Data(NamedTuple):
    """A data set, cut into what is tuned on and windows that test."""

    name: str
    tuning: list[np.ndarray]
    contexts: list[np.ndarray]
    targets: np.ndarray

    @property
    def horizon(self) -> int:
        """Steps that are forecast."""
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
    """CRPS of the test windows: the mean weighted quantile loss of GIFT-Eval."""
    forecast = pipe.predict(data.contexts, data.horizon)
    return weighted_quantile_loss(data.targets, forecast.quantiles, forecast.levels)


def tuned(data: Data, pipe: ForecastPipeline, config: FinetuneConfig) -> dict[str, Any]:
    """Tune, and score what came of it."""
    started = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TuningWarning)
        adapter = finetune(pipe, data.tuning, config)
    seconds = time.process_time() - started
    with tempfile.TemporaryDirectory() as folder:
        size = sum(file.stat().st_size for file in adapter.save(folder).iterdir())
    report = adapter.report
    return {
        "crps": score(data, ForecastPipeline(pipe.key, adapter)),
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
def _zero_shot(checkpoint: str, folder: Path, name: str) -> tuple[Data, ForecastPipeline, float]:
    data = load(folder, name)
    pipe = ForecastPipeline.from_pretrained(checkpoint, device="cpu")
    return data, pipe, score(data, pipe)


def run(
    checkpoint: str, folder: Path, name: str, target: str, seed: int, settings: Mapping[str, Any]
) -> dict[str, Any]:
    """One row of the results, computed on one thread."""
    torch.set_num_threads(1)
    data, pipe, zero_shot = _zero_shot(checkpoint, folder, name)
    config = FinetuneConfig(target=target, seed=seed, horizon=data.horizon, **settings)
    found = tuned(data, pipe, config)
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
    """Compute the rows that the output lacks, and give all of them."""
    output: Path = arguments.output
    rows = [json.loads(line) for line in output.open()] if output.exists() else []
    made_with = {json.dumps([row["checkpoint"], row["settings"]]) for row in rows}
    if made_with - {json.dumps([arguments.checkpoint, settings])}:
        raise ValueError(
            f"--output {output} holds results of another checkpoint or settings: {made_with}"
        )
    done = {(row["data"], row["target"], row["seed"]) for row in rows}
    # One target after the other on one data set: a process that has it keeps it.
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


def by_target(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Table of targets: mean over data sets, worst data set, and what it costs."""
    table = []
    for target in _in_order(rows, "target", TARGETS):
        own = [row for row in rows if row["target"] == target]
        seeds = {row["seed"] for row in own}
        means = [_geometric(_ratios(row for row in own if row["seed"] == seed)) for seed in seeds]
        by_data = {name: _mean_ratio(own, name) for name in {row["data"] for row in own}}
        worst = max(by_data, key=by_data.__getitem__)
        parameters = own[0]["parameters"]
        gain = 100 * (1 - statistics.mean(means))
        table.append(
            {
                "target": target,
                "CRPS, zero-shot = 1": _with_spread(means),
                "gain": f"{gain:.1f} %",
                "worst data set": f"{by_data[worst]:.3f} ({worst.partition('__')[0]})",
                "kept": f"{sum(row['status'] == 'improved' for row in own)} of {len(own)}",
                "trained": parameters,
                "gain per 10,000": f"{gain / parameters * 10_000:.2f} %",
                "adapter": f"{statistics.median(row['bytes'] for row in own) / 1000:,.0f} kB",
                "CPU seconds": statistics.median(row["seconds"] for row in own),
            }
        )
    return table


def by_data_set(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Table of data sets: zero-shot CRPS, and that of each target relative to it."""
    table = []
    for name in _in_order(rows, "data", STUDIED):
        own = [row for row in rows if row["data"] == name]
        line = {
            "data set": name,
            "series": own[0]["series"],
            "horizon": own[0]["horizon"],
            "windows": own[0]["windows"],
            "zero-shot": own[0]["zero_shot"],
        }
        for target in _in_order(rows, "target", TARGETS):
            ratios = _ratios(row for row in own if row["target"] == target)
            line[target] = _with_spread(ratios) if ratios else None
        table.append(line)
    return table


def _ratios(rows: Iterable[Mapping[str, Any]]) -> list[float]:
    return [row["crps"] / row["zero_shot"] for row in rows]


def _mean_ratio(rows: Sequence[Mapping[str, Any]], name: str) -> float:
    return statistics.mean(_ratios(row for row in rows if row["data"] == name))


def _geometric(values: Iterable[float]) -> float:
    return statistics.geometric_mean(values)


def _with_spread(values: Sequence[float]) -> str:
    """Mean and standard deviation over seeds."""
    if len(values) == 1:
        return f"{values[0]:.3f}"
    return f"{statistics.mean(values):.3f} ± {statistics.stdev(values):.3f}"


def _in_order(rows: Iterable[Mapping[str, Any]], key: str, order: Sequence[str]) -> list[str]:
    found = {row[key] for row in rows}
    return [name for name in order if name in found] + sorted(found.difference(order))


def main(argv: Sequence[str] | None = None) -> None:
    """Run what the arguments ask for and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--data", type=Path, required=True, help="folder of <dataset>__<frequency>.parquet")
    add("--output", type=Path, required=True, help="JSON lines: results so far, and new ones")
    add("--page", type=Path, help="markdown page whose tables are replaced")
    add("--checkpoint", default="timer-s1-mini")
    add("--datasets", nargs="+", default=list(STUDIED))
    add("--targets", nargs="+", default=list(TARGETS), choices=TARGETS)
    add("--seeds", nargs="+", type=int, default=list(SEEDS))
    add("--settings", type=json.loads, default={}, help="of FinetuneConfig, as JSON")
    add("--jobs", type=int, default=1, help="processes, one thread each")
    arguments = parser.parse_args(argv)
    rows = run_all(arguments, arguments.settings)
    tables = {"targets": markdown(by_target(rows)), "data sets": markdown(by_data_set(rows))}
    print("\n\n".join(tables.values()))
    if arguments.page:
        write_page(arguments.page, tables)


if __name__ == "__main__":
    main()
