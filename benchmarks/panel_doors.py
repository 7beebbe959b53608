"""The time that frames and sktime add to the pipeline, on series with spans and gaps of their own.

    OMP_NUM_THREADS=1 python -m benchmarks.panel_doors --checkpoint timer-s1-mini ttm-mini

The pipeline gets the observed values of all series as arrays. `predict_frame` gets the same series
in a long frame; the sktime forecaster is fitted to it and predicts the median, or three quantiles.
All take turns in one process. CPU seconds are taken. Their medians over the rounds are printed, and
the ratios to the pipeline. Each call has values of its own, since a forecast of known values would
be recalled.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch

from benchmarks.measuring import in_turns, measure_cpu
from timer_forecaster import ForecastPipeline
from timer_forecaster.sktime import TimerS1Forecaster

START = "2015-01-05"  # a Monday
WAYS = ("pipeline", "frame", "sktime", "sktime quantiles")
LEVELS = [0.05, 0.5, 0.95]
_levels = itertools.count()
MISSING_SHARE = 12  # one step of so many is missing, if a series has gaps


class Panel(NamedTuple):
    """Series with times, as the doors read them."""

    frame: pd.DataFrame
    arrays: list[np.ndarray]

    def moved(self, by: float) -> Panel:
        """Return the same series at another level."""
        return Panel(self.frame.assign(y=self.frame["y"] + by), [one + by for one in self.arrays])

    @property
    def indexed(self) -> pd.DataFrame:
        """The frame as sktime reads it."""
        return self.frame.set_index(["id", "time"])


def main(given: Sequence[str] | None = None) -> None:
    """Print seconds and ratios."""
    arguments = parse_arguments(given)
    torch.set_num_threads(arguments.threads)
    print(
        f"{arguments.series} series of {arguments.steps} steps, {arguments.horizon} ahead, CPU "
        f"seconds, medians of {arguments.rounds} rounds, {arguments.threads} thread(s)"
    )
    print(f"{'checkpoint':14}{'freq':5}{'spans':11}" + "".join(f"{name:>20}" for name in WAYS))
    for checkpoint in arguments.checkpoint:
        for freq in arguments.freq:
            for spans in SPANS:
                panel = make_panel(arguments, freq, spans)
                found = in_turns(sides(checkpoint, panel, arguments.horizon), arguments.rounds)
                seconds = [found[name]["seconds"] for name in WAYS]
                cells = (f"{one:12.4g} ({one / seconds[0]:.2f})".rjust(20) for one in seconds)
                print(f"{checkpoint:14}{freq:5}{spans:11}" + "".join(cells), flush=True)


SPANS = {"equal": (False, False), "own": (True, False), "own, gaps": (True, True)}
"""Whether the series have starts and lengths of their own, and whether they have gaps."""


def make_panel(arguments: argparse.Namespace, freq: str, spans: str) -> Panel:
    """Return random series around a level, with equal times or with their own."""
    random, (own, gaps) = np.random.default_rng(0), SPANS[spans]
    n, steps = arguments.series, arguments.steps
    starts = np.arange(n) if own else np.zeros(n, dtype=int)
    lengths = steps + (np.arange(n) % (steps // 3) if own else np.zeros(n, dtype=int))
    times = pd.date_range(START, periods=int((starts + lengths).max()), freq=freq)
    parts = []
    for start, length in zip(starts.tolist(), lengths.tolist(), strict=True):
        places = np.arange(start, start + length)
        if gaps:
            inner = random.choice(length - 2, length // MISSING_SHARE, replace=False) + 1
            places = np.delete(places, inner)
        parts.append(places)
    sizes = [len(places) for places in parts]
    values = 50 + random.normal(size=sum(sizes))
    names = np.repeat([f"series {number}" for number in range(n)], sizes)
    frame = pd.DataFrame({"id": names, "time": times[np.concatenate(parts)], "y": values})
    return Panel(frame, np.split(values, np.cumsum(sizes)[:-1]))


def sides(
    checkpoint: str, panel: Panel, horizon: int
) -> dict[str, Callable[[], Mapping[str, float]]]:
    """Return a measurement of each way to forecast a panel."""
    pipe = ForecastPipeline.from_pretrained(checkpoint, device="cpu")
    steps = list(range(1, horizon + 1))

    def measured(ask: Callable[[], object]) -> Mapping[str, float]:
        return {"seconds": measure_cpu(ask)}

    def arrays() -> Mapping[str, float]:
        series = panel.moved(next(_levels)).arrays
        return measured(lambda: pipe.predict(series, horizon))

    def frame() -> Mapping[str, float]:
        given = panel.moved(next(_levels)).frame
        names = {"time_column": "time", "id_column": "id"}
        return measured(lambda: pipe.predict_frame(given, horizon, **names))

    def sktime() -> Mapping[str, float]:
        y = panel.moved(next(_levels)).indexed
        return measured(lambda: TimerS1Forecaster(checkpoint).fit(y).predict(steps))

    def sktime_quantiles() -> Mapping[str, float]:
        y = panel.moved(next(_levels)).indexed
        return measured(
            lambda: TimerS1Forecaster(checkpoint).fit(y).predict_quantiles(steps, alpha=LEVELS)
        )

    return dict(zip(WAYS, (arrays, frame, sktime, sktime_quantiles), strict=True))


def parse_arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    """Return the arguments of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.panel_doors", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("--checkpoint", nargs="+", default=["timer-s1-mini", "ttm-mini"])
    parser.add_argument("--freq", nargs="+", default=["D"], help="such as D h MS B")
    parser.add_argument("--series", type=int, default=1000)
    parser.add_argument("--steps", type=int, default=60, help="least length of a series")
    parser.add_argument("--horizon", type=int, default=7)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1, help="threads of torch")
    return parser.parse_args(given)


if __name__ == "__main__":
    main()
