"""Share of flagged steps on held-out data that nobody has labeled, and of planted spikes found.

A level promises that so many steps are no anomalies. The program counts flags of the newest steps
of held-out data sets at several levels. With ``--spikes``, single values are moved by six robust
deviations of their series first, and the shares of moved values and of others are counted apart.

Examples
--------
::

    python -m benchmarks.anomaly_rates --data FOLDER
    python -m benchmarks.anomaly_rates --data FOLDER --spikes
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.anomaly_cases import robust_deviation, series_of, spread_places
from timer_forecaster import ForecastPipeline
from timer_forecaster.corpus.held_out import HELD_OUT

LEVELS = (0.95, 0.99, 0.999)
STEPS = 1000  # newest of each series
SPIKES = 3  # in each series


def main(given: Sequence[str] | None = None) -> None:
    """Print the shares of each data set, and their means."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.anomaly_rates", description=__doc__.partition("\n")[0]
    )
    add = parser.add_argument
    add("--data", type=Path, required=True, help="Parquet files of series")
    add("--checkpoint", default="timer-s1-mini")
    add("--sets", nargs="+", default=HELD_OUT, help="names of the files")
    add("--series", type=int, default=4, help="of each data set, at most")
    add("--steps", type=int, default=STEPS, help="newest ones of each series")
    add("--context-length", type=int, default=512)
    add("--horizon", type=int, default=1)
    add("--calibrate", choices=("auto", "table", "off"), default="auto")
    add("--no-repair", dest="repair", action="store_false")
    add("--fast", dest="exact", action="store_false", help="share rows of the network")
    add("--spikes", action="store_true", help="plant spikes of six robust deviations")
    options = parser.parse_args(given)
    pipe = ForecastPipeline.from_pretrained(options.checkpoint, device="cpu")
    levels = " | ".join(f"flagged at {level:g}" for level in LEVELS)
    spikes = " | spikes found at 0.99" if options.spikes else ""
    print(f"| data set | series | steps | {levels}{spikes} |")
    print("| --- " * (3 + len(LEVELS) + options.spikes) + "|")
    found, started = [], time.perf_counter()
    for name in options.sets:
        series = series_of(options.data / f"{name}.parquet", options.series, options.steps)
        series = [one for one in series if robust_deviation(one) > 0]
        if series:
            found.append(shares_of(pipe, series, options))
            print(row_of(name, found[-1], options.spikes), flush=True)
    mean = (np.nanmean if options.spikes else np.mean)(found, axis=0)
    mean[:2] = np.sum(found, axis=0)[:2]
    print(row_of("**mean of sets**", mean, options.spikes))
    print(f"\n{1000 * (time.perf_counter() - started) / mean[1]:.1f} ms a step")


def shares_of(
    pipe: ForecastPipeline, series: Sequence[np.ndarray], options: argparse.Namespace
) -> np.ndarray:
    """Return the numbers of series and steps, the shares of flags, and the share of spikes."""
    planted = [np.zeros(len(one), bool) for one in series]
    if options.spikes:
        pairs = [with_spikes(one, number) for number, one in enumerate(series)]
        series, planted = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    report = pipe.detect_anomalies(
        list(series),
        horizon=options.horizon,
        context_length=options.context_length,
        calibrate=options.calibrate,
        repair=options.repair,
        exact=options.exact,
    )
    chances, moved = np.concatenate(report.p_values), np.concatenate(planted)
    judged = np.isfinite(chances)
    usual = chances[judged & ~moved]
    shares = [float((usual <= 1 - level).mean()) for level in LEVELS]
    spikes = chances[judged & moved] <= 1 - 0.99
    recall = float(spikes.mean()) if len(spikes) else np.nan
    return np.array([len(series), len(usual), *shares, recall])


def with_spikes(values: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a series with values of its second half moved, and which they are."""
    generator = np.random.default_rng(seed)
    places = spread_places(generator, len(values) // 2, len(values), SPIKES)
    places = places[np.isfinite(values[places])]
    moved, odd = values.copy(), np.zeros(len(values), bool)
    signs = generator.choice([-1, 1], size=len(places))
    moved[places] += 6 * robust_deviation(values) * signs
    odd[places] = True
    return moved, odd


def row_of(name: str, shares: np.ndarray, spikes: bool) -> str:
    """Return a row of the table."""
    numbers = f"{shares[0]:.0f} | {shares[1]:.0f}"
    flagged = " | ".join(f"{share:.2%}" for share in shares[2 : 2 + len(LEVELS)])
    return f"| {name} | {numbers} | {flagged}{f' | {shares[-1]:.2f}' if spikes else ''} |"


if __name__ == "__main__":
    main()
