"""Joint sample paths on data sets that no checkpoint was trained on, beside independent samples.

Sums and maxima over the horizon, energy and variogram scores, relative to independent samples: the
geometric mean over data sets, and the worst one. Coverage is that of the 80 % interval of the sum.
Standard errors say what other cases of the same data sets would change. The exit status is 1 if a
figure is out of its bounds.

Examples
--------
::

    python -m benchmarks.sample_paths --data FOLDER
    python -m benchmarks.sample_paths --data FOLDER --long
    python -m benchmarks.sample_paths --data FOLDER --sets us_gasoline__W --cases 150 --spread 1
    python -m benchmarks.sample_paths --data FOLDER --door darts --cases 6
    python -m benchmarks.sample_paths --data GIFT_EVAL_FOLDER --all
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.path_cases import CASES, UNSEEN, Cases, frequency_of, horizon_of, read_cases
from benchmarks.path_doors import DOORS
from timer_forecaster import Forecast, ForecastPipeline
from timer_forecaster.inference.sampling.table import SUB_DAILY, kind_of

PATHS = 300
SPREAD = 0.5  # share of a series over which its windows lie evenly
LONG = 240
SCORES = ("sum", "max", "energy", "variogram")
BOUNDS = {  # of means, then of the worst data set
    "coverage": (0.72, 0.45),
    "sum": (0.915, 1.12),
    "max": (0.82, np.inf),
    "energy": (0.985, 1.03),
    "variogram": (0.91, np.inf),
}
LONG_BOUNDS = {
    "coverage": (0.67, 0.0),
    "sum": (0.84, np.inf),
    "max": (0.73, np.inf),
    "energy": (0.985, np.inf),
    "variogram": (np.inf, np.inf),
}
MOST_COVERAGE = 0.88


class Figures(NamedTuple):
    """Figures of joint paths on a data set."""

    coverage: float
    """Of the 80 % interval of the sum."""
    ratios: np.ndarray
    """`SCORES` relative to those of independent samples."""
    errors: np.ndarray
    """Standard errors of the logarithms of the ratios."""

    @property
    def row(self) -> str:
        """The cells of a table."""
        shown = zip(self.ratios, self.errors, strict=True)
        cells = [f"{ratio:.3f} ± {ratio * error:.3f}" for ratio, error in shown]
        return " | ".join([f"{self.coverage:.3f}", *cells])


def main(given: Sequence[str] | None = None) -> int:
    """Print the figures of each data set, and their means beside the bounds."""
    options = _parsed(given)
    names = options.sets or UNSEEN
    if options.all:
        names = sorted(path.stem for path in options.data.glob("*.parquet"))
    if options.long:
        names = [name for name in names if kind_of(frequency_of(name)) == SUB_DAILY]
    pipe = ForecastPipeline.from_pretrained(options.checkpoint, device="cpu")
    counts = (0,) if options.door else tuple(dict.fromkeys((0, options.past_windows)))
    found = []
    print("| data set | cases | past windows | coverage | sum | max | energy | variogram |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for name in names:
        horizon = LONG if options.long else horizon_of(name)
        path = options.data / f"{name}.parquet"
        cases = read_cases(path, horizon, options.cases, spread=options.spread)
        if not cases.histories:
            print(f"| {name} | 0 | | | | | | |")
            continue
        found.append([figures(pipe, cases, count, options.door) for count in counts])
        for count, row in zip(counts, found[-1], strict=True):
            print(f"| {name} | {len(cases.histories)} | {count} | {row.row} |", flush=True)
    good = [
        _summarized(rows, count, LONG_BOUNDS if options.long else BOUNDS)
        for count, rows in zip(counts, zip(*found, strict=True), strict=True)
    ]
    if not options.door:
        _print_limits(pipe, LONG if options.long else 48)
    return 0 if all(good) else 1


def _print_limits(pipe: ForecastPipeline, horizon: int) -> None:
    """Print what paths cost, and how wide the intervals of sums of white noise are."""
    print(f"time of 1,000 paths: {cost(pipe, horizon):.1f} times `sample`")
    for count in (0, 4, 16):
        print(f"white noise, {count} past windows: {white_noise(pipe, count):.2f} times as wide")


def _parsed(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.sample_paths", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("--data", type=Path, required=True, help="Parquet files of series")
    parser.add_argument("--checkpoint", default="timer-s1-mini")
    parser.add_argument("--sets", nargs="+", help="names of the files")
    parser.add_argument("--all", action="store_true", help="all files of the folder")
    parser.add_argument("--long", action="store_true", help="240 steps of sub-daily sets")
    parser.add_argument("--cases", type=int, default=CASES, help="of each data set, about")
    text = "share of each series over which its cases lie; 0: the newest ones"
    parser.add_argument("--spread", type=float, default=SPREAD, help=text)
    parser.add_argument("--past-windows", type=int, default=4, help="beside none")
    parser.add_argument("--door", choices=DOORS, help="draw the paths through a framework")
    return parser.parse_args(given)


def _summarized(
    rows: Sequence[Figures], count: int, bounds: dict[str, tuple[float, float]]
) -> bool:
    """Print means and worst values of all data sets; return whether they are within bounds."""
    coverage = np.array([row.coverage for row in rows])
    ratios = np.array([row.ratios for row in rows])
    means = np.exp(np.log(ratios).mean(axis=0))
    errors = means * np.linalg.norm([row.errors for row in rows], axis=0) / len(rows)
    least, lowest = bounds["coverage"]
    good = [least <= coverage.mean() <= MOST_COVERAGE and coverage.min() >= lowest]
    print(f"{count} past windows: coverage of the sum {coverage.mean():.3f} ({coverage.min():.2f})")
    for name, mean, error, worst in zip(SCORES, means, errors, ratios.max(axis=0), strict=True):
        most = bounds[name]
        good.append(mean <= most[0] and worst <= most[1])
        verdict = "" if good[-1] else f": NOT within {most}"
        print(f"{count} past windows: {name} {mean:.3f} ± {error:.3f} ({worst:.3f}){verdict}")
    return all(good)


def figures(
    pipe: ForecastPipeline, cases: Cases, past_windows: int, door: str | None = None
) -> Figures:
    """Return the coverage of the sum, and scores relative to those of independent samples."""
    horizon = cases.actual.shape[1]
    forecast = pipe.predict(
        cases.histories, horizon, freq=cases.frequency, past_windows=past_windows
    )
    joint = scores_of(
        cases,
        lambda: DOORS[door](pipe, cases) if door else forecast.sample_paths(PATHS, 0),
    )
    independent = scores_of(cases, lambda: forecast.sample(PATHS, 0).transpose(1, 0, 2))
    return compared(joint, independent)


def compared(joint: np.ndarray, independent: np.ndarray) -> Figures:
    """Return figures from the results of `scores_of` for joint paths and independent samples."""
    n, (own, other) = len(joint), (scores[:, 1:] for scores in (joint, independent))
    means, others = own.mean(axis=0), other.mean(axis=0)
    spread = np.std(own / means - other / others, axis=0, ddof=1) if n > 1 else np.nan * means
    return Figures(float(joint[:, 0].mean()), means / others, spread / n**0.5)


def scores_of(cases: Cases, draw: Callable[[], np.ndarray]) -> np.ndarray:
    """Return whether the sum was covered, and the scores in units of the history, of each case."""
    found = []
    for paths, actual, unit in zip(draw(), cases.actual, cases.units, strict=True):
        seen = np.isfinite(actual)
        x, y = paths[:, seen] / unit, actual[seen] / unit
        low, high = np.quantile(x.sum(axis=1), [0.1, 0.9])
        found.append(
            [
                float(low <= y.sum() <= high),
                crps(x.sum(axis=1), y.sum()),
                crps(x.max(axis=1), y.max()),
                energy(x, y),
                variogram(x, y),
            ]
        )
    return np.array(found)


def crps(x: np.ndarray, y: float) -> float:
    """Return the continuous ranked probability score of samples."""
    n = len(x)
    spread = (2 * np.arange(1, n + 1) - n - 1) @ np.sort(x) / n**2  # half of the mean difference
    return float(np.abs(x - y).mean() - spread)


def energy(x: np.ndarray, y: np.ndarray) -> float:
    """Return the energy score of paths (n, steps)."""
    squares = (x**2).sum(axis=1)
    distances = np.maximum(squares[:, None] + squares - 2 * x @ x.T, 0) ** 0.5
    return float(np.linalg.norm(x - y, axis=1).mean() - distances.mean() / 2)


def variogram(x: np.ndarray, y: np.ndarray) -> float:
    """Return the variogram score of order 1/2 of paths (n, steps)."""
    x, score = x.astype(np.float32), 0.0
    for lag in range(1, len(y)):
        expected = np.sqrt(np.abs(x[:, lag:] - x[:, :-lag])).mean(axis=0)
        score += float(((np.sqrt(np.abs(y[lag:] - y[:-lag])) - expected) ** 2).sum())
    return score


def cost(pipe: ForecastPipeline, horizon: int, repeats: int = 20) -> float:
    """Return the time of 1,000 paths relative to that of 1,000 independent samples."""
    walk = np.random.default_rng(0).normal(size=500).cumsum()
    forecast: Forecast = pipe.predict(walk, horizon, freq="h")
    times = []
    for draw in (forecast.sample_paths, forecast.sample):
        draw(1000, 0)
        started = time.perf_counter()
        for _ in range(repeats):
            draw(1000, 0)
        times.append(time.perf_counter() - started)
    return times[0] / times[1]


def white_noise(pipe: ForecastPipeline, past_windows: int, n_series: int = 40) -> float:
    """Return the width of the 80 % interval of the sum of white noise, relative to the true one."""
    noise = np.random.default_rng(0).normal(size=(n_series, 512))
    forecast = pipe.predict(noise, 24, freq="h", past_windows=past_windows)
    width = np.ptp(forecast.total([0.1, 0.9]), axis=1).mean()
    return float(width / (2 * 1.2815515655 * 24**0.5))


if __name__ == "__main__":
    sys.exit(main())
