"""GIFT-Eval's scores of packages that carry their weights: ours, its 8-bit form, and Fracast-0.

    pip install fracast==0.1.0
    python -m benchmarks.packaged_weights --data FOLDER --output results.csv [--only fracast]

The program is that of `timer-forecaster evaluate`: same configurations, windows and metrics. A run
that was stopped goes on from its results. Fracast needs eight observed values; a shorter history
gets its newest value.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from timer_forecaster import ForecastPipeline
from timer_forecaster.evaluation import PipelineForecaster, aggregate, evaluate_gift_eval
from timer_forecaster.evaluation.metrics import LEVELS

MINI = "timer-s1-mini"
FEWEST = 8
"""Observed values that Fracast needs."""

Array = NDArray[np.float64]


class Fracast:
    """Fracast-0 with the weights of its package."""

    settings = "fracast 0.1.0"

    def __init__(self) -> None:
        from fracast import FracastModel

        self._model = FracastModel.from_pretrained()

    def __call__(self, contexts: Sequence[Array], horizon: int) -> Array:
        """Return quantiles (n, horizon, 9)."""
        return np.stack([self._one(np.asarray(context), horizon) for context in contexts])

    def _one(self, context: Array, horizon: int) -> Array:
        observed = context[np.isfinite(context)]
        if len(observed) < FEWEST:
            return np.full((horizon, len(LEVELS)), observed[-1])
        found: Any = np.squeeze(self._model.forecast(context, horizon=horizon))
        return found if found.shape[-1] == len(LEVELS) else found.T


def _ours(**options: Any) -> PipelineForecaster:
    return PipelineForecaster(ForecastPipeline.from_pretrained(MINI, device="cpu", **options))


FORECASTERS = {
    MINI: _ours,
    f"{MINI}, int8": lambda: _ours(quantization="int8"),
    "fracast": Fracast,
}


def main(given: Sequence[str] | None = None) -> None:
    """Print the scores of each package by term and domain."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.packaged_weights", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of the benchmark's files")
    parser.add_argument("--output", type=Path, help="keep the results here; a run goes on from it")
    parser.add_argument("--only", nargs="+", choices=FORECASTERS, default=list(FORECASTERS))
    arguments = parser.parse_args(given)
    forecasters = {name: FORECASTERS[name]() for name in arguments.only}
    results = evaluate_gift_eval(
        forecasters, arguments.data, output=arguments.output, progress=True
    )
    print(aggregate(results).to_string(float_format="{:.3f}".format))


if __name__ == "__main__":
    main()
