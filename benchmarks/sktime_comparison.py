"""sktime's own Timer-S1 class and ours with the same weights, in one run.

sktime's class needs an old transformers, so it runs in an environment of its own:

    python -m venv reference
    reference/bin/pip install sktime==1.2.0 skpro transformers==4.57.6 accelerate torch
    python benchmarks/sktime_comparison.py --reference-python reference/bin/python

Each class runs in a process of its own, which answers the same questions by the same functions.

Panel
    CPU seconds of one thread for `fit` and `predict` on a panel of random walks, weights loaded
    before. The processes take turns; every panel is a new one, so that no forecast can be
    recalled. Medians over the repeats. "Same numbers" is our class with ``rollout="median"``,
    which is the released computation: the nine quantiles of both are compared for every step of
    a panel, sorted, in standard deviations of the series. "As it comes" is our default, which
    takes nine paths beyond one pass of the network where the checkpoint asks for no other.
Pickle
    Bytes of an estimator that was fitted to one series and has forecast.
Passes
    Calls of the network (sktime: of ``generate``) while sktime's `evaluate` scores five folds of
    a series by MAE, pinball loss, coverage and CRPS, at levels that sktime's class can give.
Loads
    Times that weights are read in all processes together while sktime's grid search fits four
    candidates, offsets of a logarithm before the forecaster, to five folds.
"""

from __future__ import annotations

import argparse
import functools
import inspect
import os
import pickle
import sys
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from measuring import measure_cpu
from processes import ROOT, Process, answer_for

CHECKPOINTS = (
    ROOT / "timer_forecaster" / "models" / "checkpoints" / "timer-s1-mini",
    ROOT / "tests" / "data" / "parity" / "tiny",
)
LEVELS = [round(0.1 * i, 1) for i in range(1, 10)]
BACKENDS = (None, "threading", "loky")
RELEASED = {"ours": {"rollout": "median"}, "sktime": {}}
"""Parameters with which a class gives the released numbers."""


# --------------------------------------------------------------- questions, the same for both sides


class Side(NamedTuple):
    """A class, and what is called when its network runs and when its weights are read."""

    forecaster: Any
    run: tuple[Any, str]
    load: tuple[Any, str]

    @classmethod
    def named(cls, name: str) -> Side:
        """Import what belongs to ``"ours"`` or ``"sktime"``."""
        if name == "ours":
            from timer_forecaster.checkpoints import cache
            from timer_forecaster.models.timer_s1 import TimerS1Network
            from timer_forecaster.sktime import TimerS1Forecaster as Ours

            return cls(Ours, (TimerS1Network, "forecast_pass"), (cache, "load_network"))
        from sktime.forecasting.timer_s1 import TimerS1Forecaster as Theirs
        from sktime.libs.timer_s1 import TimerS1ForPrediction as Network

        return cls(Theirs, (Network, "generate"), (Network, "from_pretrained"))


def panel(
    side: str, checkpoint: str, seed: int, horizon: int, n: int, options: Any, steps: int = 256
) -> float:
    """CPU seconds to fit and forecast a panel of `n` walks."""
    y = walks(seed, n, steps)
    forecaster = Side.named(side).forecaster(checkpoint, **options)
    return measure_cpu(lambda: forecaster.fit(y).predict(range(1, horizon + 1)))


def quantiles(side: str, checkpoint: str, horizon: int, n: int) -> list[list[float]]:
    """Sorted quantiles (n * horizon, 9) of a panel, in standard deviations of each series."""
    y = walks(0, n)
    forecaster = Side.named(side).forecaster(checkpoint, **RELEASED[side])
    found = forecaster.fit(y).predict_quantiles(range(1, horizon + 1), alpha=LEVELS).to_numpy()
    scale = y.groupby(level=0)["y"].std().to_numpy().repeat(horizon)
    return (np.sort(found, axis=1) / scale[:, None]).tolist()


def pickled(side: str, checkpoint: str, steps: int) -> int:
    """Bytes of an estimator that was fitted to a series and has forecast."""
    forecaster = Side.named(side).forecaster(checkpoint).fit(walk(steps))
    forecaster.predict([1])
    return len(pickle.dumps(forecaster))


def passes(side: str, checkpoint: str) -> int:
    """Count calls of the network while five folds are scored by four metrics."""
    from sktime.forecasting.model_evaluation import evaluate
    from sktime.performance_metrics.forecasting import MeanAbsoluteError
    from sktime.performance_metrics.forecasting.probabilistic import (
        CRPS,
        EmpiricalCoverage,
        PinballLoss,
    )

    metrics = [
        MeanAbsoluteError(),
        PinballLoss(alpha=[0.1, 0.5, 0.9]),
        EmpiricalCoverage(coverage=0.8),
        CRPS(),
    ]
    forecaster = Side.named(side).forecaster(checkpoint)
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "calls"
        count_calls(*Side.named(side).run, log)
        evaluate(forecaster, folds(), walk(200), scoring=metrics, error_score="raise")
        return len(lines(log))


def loads(side: str, checkpoint: str, backend: str | None) -> str:
    """Count how often and where a grid search reads weights, and say what failed."""
    from sktime.forecasting.compose import TransformedTargetForecaster
    from sktime.forecasting.model_selection import ForecastingGridSearchCV
    from sktime.transformations.series.boxcox import LogTransformer

    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "calls"
        forecaster = counting(side, log)(checkpoint)
        search = ForecastingGridSearchCV(
            TransformedTargetForecaster([("log", LogTransformer()), ("timer", forecaster)]),
            cv=folds(),
            param_grid={"log__offset": [100, 200, 400, 800]},
            backend=backend,
            backend_params={} if backend is None else {"n_jobs": 2},
            error_score="raise",
        )
        failure = ""
        try:
            search.fit(walk(200)).predict([1])
        except Exception as error:
            failure = f", then {type(error).__name__}"
        return f"{len(lines(log))} in {len(set(lines(log)))} process(es){failure}"


def counting(side: str, log: Path) -> Any:
    """Build a subclass that counts the loads of every process in which it is fitted."""

    class Counting(Side.named(side).forecaster):
        def _fit(self, y: Any, X: Any, fh: Any) -> Any:
            count_calls(*Side.named(side).load, log)
            return super()._fit(y, X, fh)

    return Counting


def count_calls(owner: Any, name: str, log: Path) -> None:
    """Let each call of a function write the number of its process into a file."""
    original = getattr(owner, name)
    if hasattr(original, "counted"):
        return

    @functools.wraps(original)
    def call(*arguments: Any, **options: Any) -> Any:
        with log.open("a") as file:
            file.write(f"{os.getpid()}\n")
        return original(*arguments, **options)

    call.counted = True  # type: ignore[attr-defined]
    setattr(owner, name, staticmethod(call) if inspect.ismethod(original) else call)


def lines(log: Path) -> list[str]:
    """Lines of a file, none if there is no file."""
    return log.read_text().splitlines() if log.exists() else []


def folds() -> Any:
    """Cut 200 steps into five folds."""
    from sktime.split import ExpandingWindowSplitter

    return ExpandingWindowSplitter(fh=list(range(1, 13)), initial_window=140, step_length=12)


def walk(steps: int) -> pd.Series:
    """Build a random walk by the hour."""
    values = np.random.default_rng(0).normal(size=steps).cumsum()
    return pd.Series(values, pd.date_range("2024-01-01", periods=steps, freq="h"))


def walks(seed: int, n: int, steps: int = 256) -> pd.DataFrame:
    """Build a panel of random walks."""
    values = np.random.default_rng(seed).normal(size=(n, steps)).cumsum(axis=1)
    times = pd.date_range("2024-01-01", periods=steps, freq="h")
    index = pd.MultiIndex.from_product([range(n), times], names=["series", "time"])
    return pd.DataFrame({"y": values.ravel()}, index=index)


QUESTIONS: dict[str, Callable[..., Any]] = {
    question.__name__: question for question in (panel, quantiles, pickled, passes, loads)
}


# ------------------------------------------------------------------------------------- the report


def main() -> None:
    """Ask both sides and print what they say."""
    arguments = parse_arguments()
    if arguments.answer_for:
        answer_for(arguments.answer_for, QUESTIONS)
        return
    pythons = {"sktime": arguments.reference_python, "ours": sys.executable}
    for checkpoint in arguments.checkpoint or CHECKPOINTS:
        print(f"\n{checkpoint.name}")
        theirs, own = (Process(python, __file__, side) for side, python in pythons.items())
        with closing(theirs), closing(own):
            report_panels(theirs, own, checkpoint, arguments.series, arguments.repeats)
            report_sizes(theirs, own, checkpoint)
        report_loads(pythons, checkpoint)


def report_panels(theirs: Process, own: Process, checkpoint: Path, n: int, repeats: int) -> None:
    """Print seconds and ratios for panels of `n` series."""
    print(f"fit and predict {n} series of 256 steps: CPU seconds, medians of {repeats}")
    print(f"{'horizon':>8}{'sktime':>9}{'same numbers':>22}{'as it comes':>22}{'difference':>12}")
    ways: list[tuple[Process, Any]] = [(theirs, {}), (own, RELEASED["ours"]), (own, {})]
    for horizon in (48, 96):
        found = [p.ask("quantiles", checkpoint, horizon=horizon, n=n) for p in (theirs, own)]
        difference = np.abs(np.subtract(*found)).max()
        rounds = [
            [
                process.ask("panel", checkpoint, horizon=horizon, n=n, options=options, seed=seed)
                for seed, (process, options) in enumerate(ways, start=1000 * horizon + 3 * i)
            ]
            for i in range(repeats)
        ]
        reference, *seconds = np.median(rounds, axis=0)
        columns = [f"{s:8.3f} ({reference / s:5.1f} x less)" for s in seconds]
        print(f"{horizon:8}{reference:9.3f}{columns[0]:>22}{columns[1]:>22}{difference:12.1e}")


def report_sizes(theirs: Process, own: Process, checkpoint: Path) -> None:
    """Print bytes of pickles and calls of the network."""
    for steps in (256, 1024):
        sizes = [process.ask("pickled", checkpoint, steps=steps) for process in (theirs, own)]
        print(f"pickle, fitted to {steps} steps: sktime {sizes[0]:,} bytes, ours {sizes[1]:,}")
    counts = [process.ask("passes", checkpoint) for process in (theirs, own)]
    print(f"network calls for 4 metrics over 5 folds: sktime {counts[0]}, ours {counts[1]}")


def report_loads(pythons: dict[str, str], checkpoint: Path) -> None:
    """Print counts from processes that have loaded nothing before."""
    for backend in BACKENDS:
        counts = []
        for side, python in pythons.items():
            with closing(Process(python, __file__, side)) as process:
                counts.append(f"{side} {process.ask('loads', checkpoint, backend=backend)}")
        print(f"loads in a 4 x 5 grid search, {backend}: {'; '.join(counts)}")


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--reference-python", help="python of the environment with sktime's class")
    parser.add_argument(
        "--checkpoint", type=Path, action="append", help="folder; default: the mini and a tiny one"
    )
    parser.add_argument("--series", type=int, default=200)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--answer-for", choices=("ours", "sktime"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if not (arguments.reference_python or arguments.answer_for):
        parser.error("--reference-python is needed: see the beginning of this file")
    return arguments


if __name__ == "__main__":
    main()
