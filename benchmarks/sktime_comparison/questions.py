"""The questions that a process answers about sktime's class or about ours."""

from __future__ import annotations

import functools
import inspect
import os
import pickle
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.measuring import measure_cpu
from benchmarks.walks import walk_panel, walk_series

PROGRAM = "benchmarks.sktime_comparison"
LEVELS = [round(0.1 * i, 1) for i in range(1, 10)]
RELEASED = {"ours": {"rollout": "median"}, "sktime": {}}
"""Parameters with which a class computes the released numbers."""


class Side(NamedTuple):
    """A class, the function that runs its network and the function that reads its weights.

    A function is given by the class or module that holds it, and by its name there.
    """

    forecaster: Any
    run: tuple[Any, str]
    load: tuple[Any, str]

    @classmethod
    def named(cls, name: str) -> Side:
        """Import the class of ``"ours"`` or ``"sktime"``."""
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
    """Return the CPU seconds of `fit` and `predict` on a panel of `n` walks."""
    y = walk_panel(seed, n, steps)
    forecaster = Side.named(side).forecaster(checkpoint, **options)
    return measure_cpu(lambda: forecaster.fit(y).predict(range(1, horizon + 1)))


def quantiles(side: str, checkpoint: str, horizon: int, n: int) -> list[list[float]]:
    """Return the sorted quantiles (n * horizon, 9) of a panel, in standard deviations."""
    y = walk_panel(0, n)
    forecaster = Side.named(side).forecaster(checkpoint, **RELEASED[side])
    found = forecaster.fit(y).predict_quantiles(range(1, horizon + 1), alpha=LEVELS).to_numpy()
    scale = y.groupby(level=0)["y"].std().to_numpy().repeat(horizon)
    return (np.sort(found, axis=1) / scale[:, None]).tolist()


def pickled(side: str, checkpoint: str, steps: int) -> int:
    """Return the bytes of an estimator that was fitted to a series and has forecast."""
    forecaster = Side.named(side).forecaster(checkpoint).fit(walk_series(steps))
    forecaster.predict([1])
    return len(pickle.dumps(forecaster))


def passes(side: str, checkpoint: str) -> int:
    """Return the calls of the network while four metrics score five folds."""
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
        _log_calls(*Side.named(side).run, log)
        evaluate(forecaster, _folds(), walk_series(200), scoring=metrics, error_score="raise")
        return len(_lines(log))


def loads(side: str, checkpoint: str, backend: str | None) -> str:
    """Return how often and in how many processes a grid search reads weights, and its failure."""
    from sktime.forecasting.compose import TransformedTargetForecaster
    from sktime.forecasting.model_selection import ForecastingGridSearchCV
    from sktime.transformations.series.boxcox import LogTransformer

    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "calls"
        forecaster = _counting(side, log)(checkpoint)
        search = ForecastingGridSearchCV(
            TransformedTargetForecaster([("log", LogTransformer()), ("timer", forecaster)]),
            cv=_folds(),
            param_grid={"log__offset": [100, 200, 400, 800]},
            backend=backend,
            backend_params={} if backend is None else {"n_jobs": 2},
            error_score="raise",
        )
        failure = ""
        try:
            search.fit(walk_series(200)).predict([1])
        except Exception as error:
            failure = f", then {type(error).__name__}"
        return f"{len(_lines(log))} in {len(set(_lines(log)))} process(es){failure}"


def _counting(side: str, log: Path) -> Any:
    """Return a subclass that logs the loads in every process in which it is fitted."""

    class Counting(Side.named(side).forecaster):
        def _fit(self, y: Any, X: Any, fh: Any) -> Any:
            _log_calls(*Side.named(side).load, log)
            return super()._fit(y, X, fh)

    return Counting


def _log_calls(owner: Any, name: str, log: Path) -> None:
    """Make each call of a function write the number of its process into a file."""
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


def _lines(log: Path) -> list[str]:
    """Return the lines of a file; there are none if there is no file."""
    return log.read_text().splitlines() if log.exists() else []


def _folds() -> Any:
    """Return a splitter that cuts 200 steps into five folds."""
    from sktime.split import ExpandingWindowSplitter

    return ExpandingWindowSplitter(fh=list(range(1, 13)), initial_window=140, step_length=12)


QUESTIONS: dict[str, Callable[..., Any]] = {
    question.__name__: question for question in (panel, quantiles, pickled, passes, loads)
}
