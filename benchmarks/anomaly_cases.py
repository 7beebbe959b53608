"""Series for studies of anomalies: real ones of a folder, and made ones with planted anomalies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow.parquet as pq

from timer_forecaster.corpus.held_out import HELD_OUT_SERIES

ROBUST = 1.4826
"""Standard deviations in a median absolute deviation of a normal distribution."""

SIZE = 6.0
"""Deviations of the noise that spikes and level shifts move values by."""

PERIOD = 24
SPIKES, SHIFTS, SEASONS = "spikes", "level shifts", "missing seasons"
KINDS = (SPIKES, SHIFTS, SEASONS)


def series_of(path: Path, most: int, steps: int, least: int = 64) -> list[np.ndarray]:
    """Return the newest steps of some series of a Parquet file, spread over all of them."""
    table = pq.read_table(path)
    names = table["item_id"].to_pylist() if "item_id" in table.column_names else []
    column = table["target"]
    stride = max(1, len(column) // most)
    chosen = list(range(0, len(column), stride))[:most]
    if names:
        chosen = [i for i in chosen if names[i] not in HELD_OUT_SERIES]
    found = [np.array(column[i].as_py(), dtype=float)[-steps:] for i in chosen]
    return [one for one in found if np.isfinite(one).sum() >= least]


class Case(NamedTuple):
    """A series with planted anomalies."""

    kind: str
    family: str
    values: np.ndarray
    odd: np.ndarray
    """Whether each step is planted: the spike, the first step of a shift, a step of the season."""


def cases(seed: int, each: int, steps: int, start: int, size: float = SIZE) -> Iterator[Case]:
    """Make series of several families with anomalies of each kind.

    Parameters
    ----------
    seed : int
    each : int
        Series of each family and kind.
    steps : int
    start : int
        No anomaly is planted before this step.
    size : float
        Deviations of the noise that spikes and level shifts move values by.

    Yields
    ------
    Case
    """
    for number, (family, make) in enumerate(FAMILIES.items()):
        for place, kind in enumerate(KINDS):
            for one in range(each):
                generator = np.random.default_rng([seed, number, place, one])
                values, noise = make(generator, steps)
                yield _planted(generator, family, kind, (values, noise), start, size)


def _planted(
    generator: np.random.Generator,
    family: str,
    kind: str,
    made: tuple[np.ndarray, float],
    start: int,
    size: float,
) -> Case:
    values, noise = made[0].copy(), made[1]
    odd = np.zeros(len(values), bool)
    if kind == SPIKES:
        at = spread_places(generator, start, len(values), 3)
        values[at] += size * noise * generator.choice([-1, 1], size=len(at))
        odd[at] = True
    elif kind == SHIFTS:
        at = spread_places(generator, start, len(values), 1)
        values[at[0] :] += size * noise * generator.choice([-1, 1])
        odd[at] = True
    else:
        (at,) = spread_places(generator, start, len(values) - PERIOD, 1)
        values[at : at + PERIOD] = np.median(values[:at]) + noise * generator.normal(size=PERIOD)
        odd[at : at + PERIOD] = True
    return Case(kind, family, values, odd)


def spread_places(generator: np.random.Generator, start: int, stop: int, number: int) -> np.ndarray:
    """Draw places in equal parts of a range, away from the ends of the parts."""
    ends = np.linspace(start, stop, number + 1)
    return np.array(
        [
            int(generator.integers(int(low + 0.1 * (high - low)), int(high - 0.1 * (high - low))))
            for low, high in pairwise(ends)
        ]
    )


def robust_deviation(values: Sequence[float] | np.ndarray) -> float:
    """Return the median absolute deviation in standard deviations of a normal distribution."""
    observed = np.asarray(values)[np.isfinite(values)]
    return float(ROBUST * np.median(np.abs(observed - np.median(observed))))


def _season(generator: np.random.Generator, steps: int) -> np.ndarray:
    """Return a day of two harmonics, and a week that lifts some days."""
    at = 2 * np.pi * np.arange(steps) / PERIOD
    shape = np.sin(at + generator.uniform(0, 6)) + 0.5 * np.sin(2 * at + generator.uniform(0, 6))
    day = np.arange(steps) // PERIOD % 7
    return np.asarray(5 * shape * (1 + 0.3 * (day < 5)))


def _daily(generator: np.random.Generator, steps: int) -> tuple[np.ndarray, float]:
    return 50 + _season(generator, steps) + generator.normal(size=steps), 1.0


def _trend(generator: np.random.Generator, steps: int) -> tuple[np.ndarray, float]:
    line = generator.uniform(-0.05, 0.05) * np.arange(steps)
    return line + _season(generator, steps) + generator.normal(size=steps), 1.0


def _autoregressive(generator: np.random.Generator, steps: int) -> tuple[np.ndarray, float]:
    values = np.zeros(steps)
    for step, shock in enumerate(generator.normal(size=steps)):
        values[step] = 0.8 * values[step - 1] + shock if step else shock
    return values + 0.5 * _season(generator, steps), 1.0


def _counts(generator: np.random.Generator, steps: int) -> tuple[np.ndarray, float]:
    rate = np.exp(2.5 + 0.1 * _season(generator, steps))
    values = generator.poisson(rate).astype(float)
    return values, float(np.sqrt(np.median(rate)))


def _heavy(generator: np.random.Generator, steps: int) -> tuple[np.ndarray, float]:
    noise = generator.standard_t(4, size=steps)
    return 20 + _season(generator, steps) + noise, robust_deviation(noise)


FAMILIES = {
    "daily season": _daily,
    "trend and season": _trend,
    "autoregression": _autoregressive,
    "counts": _counts,
    "heavy tails": _heavy,
}
"""Functions of a generator and a number of steps that return a series, and its noise."""
