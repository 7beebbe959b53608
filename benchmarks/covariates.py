"""Gain and cost of covariates, relative to the forecast without them.

The folder holds a Parquet file for each data set, with the columns ``item_id``, ``timestamp``,
``target`` and covariates, and ``meta.json`` with its known, past and categorical columns, horizon,
context, windows and stride.

Examples
--------
::

    python -m benchmarks.covariates --data FOLDER
    python -m benchmarks.covariates --data FOLDER --control shift
"""

from __future__ import annotations

import argparse
import json
import time
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from timer_forecaster import ForecastPipeline
from timer_forecaster.frames.calendar.periods import periods_of

LEVELS = np.linspace(0.1, 0.9, 9)


def main(given: Sequence[str] | None = None) -> None:
    """Print a row for each data set, and the geometric mean."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.covariates", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--sets", nargs="+", help="names of data sets; default: all")
    parser.add_argument("--windows", type=int, default=20, help="origins of each data set")
    parser.add_argument("--checkpoint", default="timer-s1-mini")
    parser.add_argument("--covariates", default="auto", choices=("auto", "always", "fast", "off"))
    parser.add_argument(
        "--control",
        choices=("none", "shift"),
        default="none",
        help="shift: turn the known columns by a third of the series",
    )
    options = parser.parse_args(given)
    torch.set_num_threads(1)
    pipe = ForecastPipeline.from_pretrained(options.checkpoint, device="cpu")
    ratios = []
    print("| data set | forecasts | CRPS | coverage of 80 % | CPU ms a series | without |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name, meta in json.loads((options.data / "meta.json").read_text()).items():
        if options.sets and name not in options.sets:
            continue
        row = measure(pipe, options.data / f"{name}.parquet", meta, options)
        ratios.append(row["crps"])
        print(
            f"| {name} | {row['n']} | {row['crps']:.3f} | {row['coverage']:.2f} | "
            f"{row['ms']:.1f} | {row['plain_ms']:.1f} |",
            flush=True,
        )
    print(f"| geometric mean | | {np.exp(np.mean(np.log(ratios))):.3f} | | | |")


def measure(
    pipe: ForecastPipeline, path: Path, meta: dict[str, Any], options: argparse.Namespace
) -> dict[str, float]:
    """Return CRPS relative to the plain forecast, coverage and CPU time of one data set."""
    loss, plain_loss, inside, values, seconds, plain_seconds, n = 0.0, 0.0, 0, 0, 0.0, 0.0, 0
    for series, known, past, actual in batches(path, meta, options.windows, options.control):
        start = time.process_time()
        plain = pipe.predict(series, meta["horizon"]).quantiles
        middle = time.process_time()
        found = pipe.predict(
            series,
            meta["horizon"],
            known=known if meta["known"] else None,
            past=past if meta["past"] else None,
            categories=[c for c in meta["categorical"] if c in (*meta["known"], *meta["past"])],
            cycles=periods_of(meta["freq"]),
            covariates=options.covariates,
        ).quantiles
        seconds += time.process_time() - middle
        plain_seconds += middle - start
        seen = np.isfinite(actual)
        loss += pinball(actual, found)
        plain_loss += pinball(actual, plain)
        inside += int(((actual >= found[..., 0]) & (actual <= found[..., -1]))[seen].sum())
        values, n = values + int(seen.sum()), n + len(series)
    return {
        "n": n,
        "crps": loss / plain_loss,
        "coverage": inside / values,
        "ms": 1e3 * seconds / n,
        "plain_ms": 1e3 * plain_seconds / n,
    }


def pinball(actual: np.ndarray, quantiles: np.ndarray) -> float:
    """Return the sum of the pinball losses, the numerator of the CRPS."""
    error = actual[..., None] - quantiles
    return float(np.nansum(np.maximum(LEVELS * error, (LEVELS - 1) * error)))


def batches(path: Path, meta: dict[str, Any], windows: int, control: str) -> Iterator[Any]:
    """Yield series, known and past tables and actual values of each origin, the oldest first."""
    frame = pd.read_parquet(path)
    horizon, context = meta["horizon"], meta["context"]
    groups = [
        shifted(group.reset_index(drop=True), meta["known"], str(name), control)
        for name, group in frame.groupby("item_id", observed=True, sort=False)
    ]
    for number in range(meta["windows"] - 1, -1, -max(1, meta["windows"] // windows)):
        found: list[tuple[Any, ...]] = []
        for group in groups:
            end = len(group) - horizon - number * meta["stride"]
            start = max(0, end - context) if context else 0
            target = group["target"].to_numpy(dtype=float)
            history, actual = target[start:end], target[end : end + horizon]
            enough = end - start >= 3 * horizon and np.isfinite(history).sum() >= 2 * horizon
            if enough and np.isfinite(actual).any():
                known = group[meta["known"]].iloc[start : end + horizon]
                found.append((history, known, group[meta["past"]].iloc[start:end], actual))
        if found:
            series, known_of, past_of, actual_of = zip(*found, strict=True)
            yield list(series), list(known_of), list(past_of), np.array(actual_of)


def shifted(group: pd.DataFrame, known: list[str], name: str, control: str) -> pd.DataFrame:
    """Turn the known columns by about a third of the series, so that they explain nothing."""
    if control == "none" or not known:
        return group
    steps = len(group)
    shift = steps // 3 + 3 + zlib.crc32(name.encode()) % (steps // 10 + 1)
    turned = group[known].iloc[(np.arange(steps) + shift) % steps].set_axis(group.index)
    return group.assign(**{column: turned[column] for column in known})


if __name__ == "__main__":
    main()
