"""Relative errors of a network's medians, for networks that forecast no quantiles.

Writes the table of `timer_forecaster.inference.residual_table`: deciles of the errors, relative to
the mean absolute first difference of the newest 128 steps, for eight groups of twelve steps.

Examples
--------
::

    python -m benchmarks.residual_table --data FOLDER --output MODULE
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from timer_forecaster import ForecastPipeline
from timer_forecaster.corpus.held_out import HELD_OUT
from timer_forecaster.inference.residuals import unit_of

HORIZON, GROUPS = 96, 8
LEVELS = np.arange(1, 10) / 10
CONTEXT = 512
LEAST = 64  # steps of a context
SERIES = 20  # of each data set
ORIGINS = 4  # of each series


def main(given: Sequence[str] | None = None) -> None:
    """Write the table."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.residual_table", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("--data", type=Path, required=True, help="Parquet files of series")
    parser.add_argument("--checkpoint", default="timer-s1-mini")
    parser.add_argument("--sets", nargs="+", default=HELD_OUT, help="names of the files")
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args(given)
    pipe = ForecastPipeline.from_pretrained(options.checkpoint, device="cpu")
    by_set = [relative_errors(pipe, options.data / f"{name}.parquet") for name in options.sets]
    table = quantiles_of([errors for errors in by_set if len(errors)])
    options.output.write_text(as_module(table), encoding="utf-8")


def relative_errors(pipe: ForecastPipeline, path: Path) -> np.ndarray:
    """Return errors (windows, HORIZON) of a data set, relative to units of their contexts."""
    contexts, actual = [], []
    column = pq.read_table(path, columns=["target"])["target"]
    step = max(1, len(column) // SERIES)
    for values in column[::step][:SERIES].to_pylist():
        series = np.array(values, dtype=float)
        for number in range(1, ORIGINS + 1):
            origin = len(series) - number * HORIZON
            context = series[max(0, origin - CONTEXT) : max(0, origin)]
            if np.isfinite(context).sum() >= LEAST and unit_of(context) > 0:
                contexts.append(context)
                actual.append(series[origin : origin + HORIZON])
    if not contexts:
        return np.empty((0, HORIZON))
    medians = pipe.predict(contexts, HORIZON).median
    units = np.array([unit_of(context) for context in contexts])
    return np.asarray((np.array(actual) - medians) / units[:, None])


def quantiles_of(by_set: Sequence[np.ndarray]) -> np.ndarray:
    """Return deciles (GROUPS, 9) over all windows, where each data set has the same weight."""
    table = np.empty((GROUPS, len(LEVELS)))
    for group in range(GROUPS):
        steps = slice(group * HORIZON // GROUPS, (group + 1) * HORIZON // GROUPS)
        own = [errors[:, steps] for errors in by_set]
        own = [errors[np.isfinite(errors)] for errors in own]
        values = np.concatenate(own)
        weights = np.concatenate([np.full(len(errors), 1 / len(errors)) for errors in own])
        order = np.argsort(values)
        share = (np.cumsum(weights[order]) - weights[order] / 2) / weights.sum()
        table[group] = np.interp(LEVELS, share, values[order])
    return table


def as_module(table: np.ndarray) -> str:
    """Return the text of a module with the table."""
    rows = "\n".join(f"    ({', '.join(f'{value:.4g}' for value in row)})," for row in table)
    return (
        '"""Relative errors of forecasts, by `python -m benchmarks.residual_table`."""\n\n'
        f"TABLE = (\n{rows}\n)\n"
        '"""Deciles of errors at steps 1 to 12, 13 to 24 and so on up to 96, relative to the mean\n'
        'absolute first difference of the newest 128 steps."""\n'
    )


if __name__ == "__main__":
    main()
