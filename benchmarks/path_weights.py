"""Learn the weights of joint sample paths for a checkpoint, from its errors on training data.

Prints the rows of `timer_forecaster.inference.sampling.table`. Each data set outside the held-out
ones has the same weight. Windows of the sub-daily sets have 112 steps. The weights of a class
maximize the likelihood of the normal scores of its windows. Daily, weekly, monthly, and quarterly
and yearly sets have weights of their own, whose mean is the row of the slower frequencies.

Examples
--------
::

    python -m benchmarks.path_weights --data FOLDER
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from benchmarks.data_sets import not_held_out
from benchmarks.path_cases import Cases, frequency_of, horizon_of, letter_of, read_cases
from timer_forecaster import ForecastPipeline
from timer_forecaster.inference.sampling.copula import (
    ATOMS,
    LEAST_OBSERVED,
    log_likelihood,
)
from timer_forecaster.inference.sampling.table import SLOWER, SUB_DAILY, kind_of
from timer_forecaster.inference.sampling.windows import scores_of

SUB_DAILY_STEPS = 112
WINDOWS = {True: 48, False: 200}
"""Windows of a data set, whether it is sub-daily; others are short, and each says less."""

LEAST_CONTEXT = 16  # steps of a history, and twice the length of a window
UNIFORM = 0.02  # share that all atoms have alike
ROUNDS = 2000
_SLOWER = ("D", "W", "M", "QAY")  # letters of frequencies with weights of their own


def main(given: Sequence[str] | None = None) -> None:
    """Print the rows of a checkpoint."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.path_weights", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("--data", type=Path, required=True, help="Parquet files of series")
    parser.add_argument("--checkpoint", default="timer-s1-mini")
    parser.add_argument("--sets", nargs="+", help="names of the files; default: not held out")
    options = parser.parse_args(given)
    names = options.sets or not_held_out(options.data)
    pipe = ForecastPipeline.from_pretrained(options.checkpoint, device="cpu")
    found = {}
    for name in names:
        steps = horizon_of(name, min(SUB_DAILY_STEPS, pipe.network.pass_length))
        most = WINDOWS[kind_of(frequency_of(name)) == SUB_DAILY]
        path = options.data / f"{name}.parquet"
        logs = likelihoods(pipe, read_cases(path, steps, most, LEAST_CONTEXT))
        if len(logs):
            found[name] = logs
        print(f"# {name}: {len(logs)} windows of {steps} steps", flush=True)
    print(f'    "{options.checkpoint}": {{')
    for kind, row in rows_of(found).items():
        print(f"        {kind}: ({', '.join(f'{weight:.3f}' for weight in row)}),")
    print("    },")


def likelihoods(pipe: ForecastPipeline, cases: Cases) -> np.ndarray:
    """Return the log densities (windows, atoms) of what came true under each atom."""
    if not cases.histories:
        return np.empty((0, len(ATOMS)))
    horizon = cases.actual.shape[1]
    forecast = pipe.predict(cases.histories, horizon, freq=cases.frequency)
    scores = scores_of(cases.actual, forecast.quantiles, forecast.levels)
    return log_likelihood(scores[np.isfinite(scores).mean(axis=1) >= LEAST_OBSERVED])


def rows_of(found: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the rows of the table from the log densities of each data set."""
    fast = [logs for name, logs in found.items() if kind_of(frequency_of(name)) == SUB_DAILY]
    slow = {name: logs for name, logs in found.items() if kind_of(frequency_of(name)) == SLOWER}
    classes = [[slow[name] for name in slow if letter_of(name) in own] for own in _SLOWER]
    rows = {"UNKNOWN": learned(found.values())}
    if fast:
        rows["SUB_DAILY"] = learned(fast)
    if slow:
        rows["SLOWER"] = np.mean([learned(own) for own in classes if own], axis=0)
    return rows


def learned(logs: Iterable[np.ndarray]) -> np.ndarray:
    """Return the weights that maximize the mean log likelihood of data sets, of equal weight."""
    density = [np.exp(own - own.max(axis=1, keepdims=True)) for own in logs]
    weights = np.full(len(ATOMS), 1 / len(ATOMS))
    for _ in range(ROUNDS):
        shares = [own * weights for own in density]
        means = [(own / own.sum(axis=1, keepdims=True)).mean(axis=0) for own in shares]
        weights = np.mean(means, axis=0)
    return (1 - UNIFORM) * weights + UNIFORM / len(ATOMS)


if __name__ == "__main__":
    main()
