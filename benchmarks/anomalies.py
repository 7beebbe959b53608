"""Anomalies of made series with planted ones: this package, Darts' scorers and a rolling z-score.

Every detector flags a step from what came before it, at one level. A rolling z-score takes mean and
deviation of the newest steps; Darts' scorers take the forecasts of the same checkpoint, and the
quantile of their scores on the first steps, which hold no anomaly.

Examples
--------
::

    python -m benchmarks.anomalies --series 4
    python -m benchmarks.anomalies --steps 100 --start 64 --size 15 --level 0.999
"""

from __future__ import annotations

import argparse
import logging
import statistics
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np

from benchmarks.anomaly_cases import KINDS, SEASONS, SIZE, SPIKES, Case, cases
from timer_forecaster import ForecastPipeline

STEPS, START = 640, 400
CONTEXT = 256
WINDOW = 48  # steps of the rolling z-score
AFTER = 24  # steps after a planted anomaly that are neither right nor wrong to flag

Detector = Callable[[Sequence[np.ndarray], float], list[np.ndarray]]
"""Returns flags of the steps of series at a level."""


class Counts(NamedTuple):
    """Steps that a detector flagged, from the first one that may be planted on."""

    found: int
    planted: int
    false: int
    usual: int

    @property
    def precision(self) -> float:
        """Share of flagged steps that were planted."""
        return self.found / max(1, self.found + self.false)

    @property
    def recall(self) -> float:
        """Share of planted steps that were flagged."""
        return self.found / max(1, self.planted)

    @property
    def f1(self) -> float:
        """Harmonic mean of both."""
        return 2 * self.found / max(1, self.found + self.false + self.planted)

    @property
    def false_rate(self) -> float:
        """Share of the other steps that were flagged."""
        return self.false / max(1, self.usual)


def main(given: Sequence[str] | None = None) -> None:
    """Print a table of all detectors."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.anomalies", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("--checkpoint", default="timer-s1-mini")
    parser.add_argument("--series", type=int, default=4, help="of each family and kind")
    parser.add_argument("--level", type=float, default=0.99)
    parser.add_argument("--steps", type=int, default=STEPS, help="of each series")
    parser.add_argument("--start", type=int, default=START, help="first step that may be planted")
    parser.add_argument("--size", type=float, default=SIZE, help="in deviations of the noise")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="+", help="detectors by the beginnings of their names")
    options = parser.parse_args(given)
    warnings.simplefilter("ignore")
    for name in ("darts", "pytorch_lightning", "lightning.pytorch"):
        logging.getLogger(name).setLevel(logging.ERROR)
    start = options.start
    made = list(cases(options.seed, options.series, options.steps, start, options.size))
    kinds = ", ".join(f"recall of {kind}" for kind in KINDS)
    print(f"| detector | precision | recall | F1 | false alarms | {kinds.replace(', ', ' | ')} |")
    print("| --- " * (5 + len(KINDS)) + "|")
    for name, detector in detectors(options.checkpoint, start).items():
        if options.only is None or name.startswith(tuple(options.only)):
            flags = detector([case.values for case in made], options.level)
            print(row_of(name, made, flags, start), flush=True)


def row_of(name: str, made: Sequence[Case], flags: Sequence[np.ndarray], start: int) -> str:
    """Return a row of the table."""
    every = counted(made, flags, start)
    shown = f"{every.precision:.2f} | {every.recall:.2f} | {every.f1:.2f} | {every.false_rate:.2%}"
    for kind in KINDS:
        own = [place for place, case in enumerate(made) if case.kind == kind]
        part = counted([made[place] for place in own], [flags[place] for place in own], start)
        shown += f" | {part.recall:.2f}"
    return f"| {name} | {shown} |"


def counted(made: Sequence[Case], flags: Sequence[np.ndarray], start: int) -> Counts:
    """Count flags from a step on.

    A missing season is found if one of its steps is. Steps soon after an anomaly do not count.
    """
    totals = np.zeros(4, int)
    for case, flagged in zip(made, flags, strict=True):
        odd, own = case.odd[start:], np.asarray(flagged, bool)[start:]
        near = np.convolve(odd, np.ones(AFTER + 1))[: len(odd)] > 0
        usual = ~near if case.kind != SPIKES else ~odd
        found, planted = int((odd & own).sum()), int(odd.sum())
        if case.kind == SEASONS:
            found, planted = int(found > 0), 1
        totals += [found, planted, int((usual & own).sum()), int(usual.sum())]
    return Counts(*totals.tolist())


def detectors(checkpoint: str, start: int) -> dict[str, Detector]:
    """Return the detectors by their names; some fit the steps before a start."""
    return {
        "timer-forecaster": partial(by_pipeline, checkpoint, {}),
        "the same, `calibrate='table'`": partial(by_pipeline, checkpoint, {"calibrate": "table"}),
        "the same, `repair=False`": partial(by_pipeline, checkpoint, {"repair": False}),
        "Darts NormScorer, its forecasts": partial(by_darts, checkpoint, "norm", start),
        "Darts KMeansScorer, its forecasts": partial(by_darts, checkpoint, "k-means", start),
        "rolling z-score": by_rolling_scores,
    }


def by_pipeline(
    checkpoint: str, options: dict[str, object], series: Sequence[np.ndarray], level: float
) -> list[np.ndarray]:
    """Flag by `ForecastPipeline.detect_anomalies`."""
    pipe = ForecastPipeline.from_pretrained(checkpoint, device="cpu")
    given: dict[str, object] = {"context_length": CONTEXT, **options}
    return list(pipe.detect_anomalies(list(series), level, **given).flags)  # type: ignore[arg-type]


def by_rolling_scores(series: Sequence[np.ndarray], level: float) -> list[np.ndarray]:
    """Flag steps that lie too many deviations from the mean of the steps before them."""
    bound, found = statistics.NormalDist().inv_cdf((1 + level) / 2), []
    for values in series:
        before = np.lib.stride_tricks.sliding_window_view(values, WINDOW)[:-1]
        scores = np.abs(values[WINDOW:] - before.mean(axis=1)) / before.std(axis=1)
        found.append(np.r_[np.zeros(WINDOW, bool), scores > bound])
    return found


def by_darts(
    checkpoint: str, kind: str, start: int, series: Sequence[np.ndarray], level: float
) -> list[np.ndarray]:
    """Flag by a scorer of Darts over forecasts of a checkpoint, one step ahead."""
    from darts import TimeSeries
    from darts.ad.anomaly_model import ForecastingAnomalyModel
    from darts.ad.scorers import KMeansScorer, NormScorer

    from timer_forecaster.darts import TimerS1Model

    given = [TimeSeries.from_values(values.astype(np.float32)) for values in series]
    found = []
    for values in given:
        model = TimerS1Model(
            input_chunk_length=CONTEXT, output_chunk_length=1, hub_model_name=checkpoint
        ).fit(values[:start])
        scorer = NormScorer() if kind == "norm" else KMeansScorer(k=8, window=1)
        detector = ForecastingAnomalyModel(model=model, scorer=scorer)
        options = {"forecast_horizon": 1}
        if kind != "norm":
            detector.fit(values[:start], **options)
        scores = detector.score(values, **options)
        first = len(values) - len(scores)
        own = scores.values().ravel()
        flags = own > np.quantile(own[: start - first], level)
        found.append(np.r_[np.zeros(first, bool), flags])
    return found


if __name__ == "__main__":
    main()
