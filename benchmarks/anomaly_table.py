"""Errors of one-step forecasts on training data, for calibrated chances of anomalies.

Writes the module `timer_forecaster.inference.anomalies.table`: the weights of the kinds of errors,
which maximize the likelihood of series of one kind each; and for each side of the median, the
surprises by these kinds that steps of training data exceed with given chances. Each data set has
the same weight. The data sets that are held out of training take no part.

Examples
--------
::

    python -m benchmarks.anomaly_table --data FOLDER --output MODULE
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.anomaly_cases import series_of
from benchmarks.data_sets import not_held_out
from timer_forecaster import ForecastPipeline
from timer_forecaster.inference.anomalies.calibration import Chances
from timer_forecaster.inference.anomalies.kinds import (
    FREEDOMS,
    POWER,
    SCALES,
    Kinds,
    log_densities,
    surprise_at,
)
from timer_forecaster.inference.anomalies.table import CHANCES

SERIES = 5  # of each data set
STEPS = 640  # newest of each series
CONTEXT = 512
UNIFORM = 0.01  # share that all kinds have alike
ROUNDS = 500


def main(given: Sequence[str] | None = None) -> None:
    """Write the table."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.anomaly_table", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("--data", type=Path, required=True, help="Parquet files of series")
    parser.add_argument("--checkpoint", default="timer-s1-mini")
    parser.add_argument("--sets", nargs="+", help="names of files; default: all but held-out ones")
    parser.add_argument("--series", type=int, default=SERIES, help="of each data set, at most")
    parser.add_argument("--steps", type=int, default=STEPS, help="newest ones of each series")
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args(given)
    pipe = ForecastPipeline.from_pretrained(options.checkpoint, device="cpu")
    names = options.sets or not_held_out(options.data)
    by_set = []
    for name in names:
        series = series_of(options.data / f"{name}.parquet", options.series, options.steps)
        if series:
            by_set.append(depths_of(pipe, series))
            print(name, sum(map(len, by_set[-1])), flush=True)
    weights = learned(by_set)
    surprises = [np.concatenate([surprises_of(one, weights) for one in own]) for own in by_set]
    text = as_module(weights, table_of(surprises))
    options.output.write_text(text, encoding="utf-8")


def depths_of(pipe: ForecastPipeline, series: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Return the depths of the steps of each series, negative below the median."""
    report = pipe.detect_anomalies(
        list(series), calibrate="table", repair=False, context_length=CONTEXT, on_error="nan"
    )
    found, chances = [], Chances(learns=False)
    for one in report.judged:
        seen = one.log_p < 0  # not NaN, nor a forecast of a single value that came true
        both = [chances.depths(-log_p) for log_p in one.log_p[seen]]  # whatever table there is
        below, above = np.array(both).reshape(-1, 2).T
        found.append(np.where(one.above[seen], above, -below))
    return found


def learned(by_set: Sequence[Sequence[np.ndarray]]) -> np.ndarray:
    """Return the weights of the kinds from the depths of the series of each data set."""
    logs = [
        np.array([POWER * log_densities(np.abs(one)).sum(axis=0) for one in own]) for own in by_set
    ]
    weights = np.full(logs[0].shape[1], 1 / logs[0].shape[1])
    for _ in range(ROUNDS):
        with np.errstate(divide="ignore"):  # a kind without weight
            shares = [own + np.log(weights) for own in logs]
        shares = [np.exp(own - own.max(axis=1, keepdims=True)) for own in shares]
        means = [(own / own.sum(axis=1, keepdims=True)).mean(axis=0) for own in shares]
        weights = np.mean(means, axis=0)
    return (1 - UNIFORM) * weights + UNIFORM / len(weights)


def surprises_of(depths: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the surprises of steps by the kinds, after the steps before; negative ones below."""
    kinds, found = Kinds(weights), []
    for depth in np.abs(depths):
        found.append(surprise_at(depth, kinds))
        kinds.add(depth)
    return np.copysign(found, depths)


def table_of(by_set: Sequence[np.ndarray]) -> np.ndarray:
    """Return surprises (2, chances) below and above the median, where each data set weighs alike.

    Parameters
    ----------
    by_set : sequence of ndarray
        Surprises of the steps of each data set, negative below the median.
    """
    surprises = np.concatenate(by_set)
    weights = np.concatenate([np.full(len(own), 1 / len(own)) for own in by_set if len(own)])
    weights /= weights.sum()
    table = []
    for below in (True, False):
        own = np.signbit(surprises) == below
        if not own.any():
            table.append(-np.log(CHANCES))
            continue
        order = np.argsort(-np.abs(surprises[own]), kind="stable")
        chances = 2 * np.cumsum(weights[own][order])  # on one side, of two
        deep = np.abs(surprises[own])[order]
        place = np.searchsorted(chances, CHANCES[1:]).clip(0, len(deep) - 1)
        table.append([0.0, *np.maximum.accumulate(deep[place])])
    return np.array(table)


def as_module(weights: np.ndarray, table: np.ndarray) -> str:
    """Return the text of a module with the weights and the table."""
    lower, upper = (", ".join(f"{value:.4g}" for value in side) for side in table)
    rows = [
        ", ".join(f"{value:.4f}" for value in row)
        for row in weights.reshape(len(SCALES), len(FREEDOMS))
    ]
    shown = "".join(f"    ({row}),\n" for row in rows)
    return (
        '"""Errors of one-step forecasts on training data, by '
        '`python -m benchmarks.anomaly_table`."""\n\n'
        f"WEIGHTS = (\n{shown})\n"
        '"""Of the kinds of `timer_forecaster.inference.anomalies.kinds`: a row for each scale, '
        'a\ncolumn for each degrees of freedom."""\n\n'
        f"CHANCES = ({', '.join(map(str, CHANCES))})\n\n"
        f"LOWER = ({lower})\n"
        f"UPPER = ({upper})\n"
        '"""Surprises below and above the median that a step exceeds with a two-sided chance of '
        '`CHANCES`."""\n'
    )


if __name__ == "__main__":
    main()
