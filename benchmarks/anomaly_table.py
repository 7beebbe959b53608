"""Tails of one-step forecasts on training data, for calibrated chances of anomalies.

Writes the table of `timer_forecaster.inference.anomalies.table`: for each side of the median, the
depths that steps of training data exceed with given chances. Each data set has the same weight. The
data sets that are held out of training take no part.

Examples
--------
::

    python -m benchmarks.anomaly_table --data FOLDER --output MODULE
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.anomaly_cases import series_of
from benchmarks.data_sets import not_held_out
from timer_forecaster import ForecastPipeline
from timer_forecaster.inference.anomalies import calibration
from timer_forecaster.inference.anomalies.table import CHANCES

SERIES = 5  # of each data set
STEPS = 640  # newest of each series
CONTEXT = 512


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
            print(name, len(by_set[-1]), flush=True)
    options.output.write_text(as_module(table_of(by_set)), encoding="utf-8")


def depths_of(pipe: ForecastPipeline, series: Sequence[np.ndarray]) -> np.ndarray:
    """Return the depths of all steps of series, negative below the median."""
    report = pipe.detect_anomalies(
        list(series), calibrate="table", repair=False, context_length=CONTEXT, on_error="nan"
    )
    log_p = np.concatenate([one.log_p for one in report.judged])
    judged = ~np.isnan(log_p)
    above = np.concatenate([one.above for one in report.judged])[judged]
    below_and_above = calibration.depths_of(-log_p[judged])  # whatever table there is
    return np.where(above, below_and_above[1], -below_and_above[0])


def table_of(by_set: Sequence[np.ndarray]) -> np.ndarray:
    """Return depths (2, chances) below and above the median, where each data set weighs alike."""
    depths = np.concatenate(by_set)
    weights = np.concatenate([np.full(len(own), 1 / len(own)) for own in by_set if len(own)])
    weights /= weights.sum()
    table = []
    for side in (-1, 1):
        own = np.sign(depths) == side
        if not own.any():
            table.append(math.log(2) - np.log(CHANCES))
            continue
        order = np.argsort(-np.abs(depths[own]), kind="stable")
        chances = 2 * np.cumsum(weights[own][order])  # on one side, of two
        deep = np.abs(depths[own])[order]
        place = np.searchsorted(chances, CHANCES[1:]).clip(0, len(deep) - 1)
        table.append([math.log(2), *np.maximum.accumulate(deep[place])])
    return np.array(table)


def as_module(table: np.ndarray) -> str:
    """Return the text of a module with the table."""
    lower, upper = (", ".join(f"{value:.4g}" for value in side) for side in table)
    return (
        '"""Tails of one-step forecasts on training data, by '
        '`python -m benchmarks.anomaly_table`."""\n\n'
        f"CHANCES = ({', '.join(map(str, CHANCES))})\n\n"
        f"LOWER = ({lower})\n"
        f"UPPER = ({upper})\n"
        '"""Depths below and above the median that a step exceeds with a two-sided chance of '
        '`CHANCES`."""\n'
    )


if __name__ == "__main__":
    main()
