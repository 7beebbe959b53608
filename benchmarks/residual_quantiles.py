"""Quantiles from errors of medians, compared with the quantiles that a network was trained for.

The medians of a checkpoint stand for a network that forecasts one value. Quantiles around them come
from `timer_forecaster.inference.residuals`: from errors at past origins of the series, or from the
table. The loss is relative to the checkpoint's own quantiles around the same medians.

Examples
--------
::

    python -m benchmarks.residual_quantiles --data FOLDER
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow.parquet as pq

from timer_forecaster import ForecastPipeline
from timer_forecaster.inference import residuals

LEVELS = np.arange(1, 10) / 10
CONTEXT = 2048  # steps of a series that are read
ORIGINS = 4  # of each series
SETS = (
    "tourism_monthly__M",
    "tourism_quarterly__Q",
    "nn5__D",
    "us_gasoline__W",
    "hourly_peds__H",
    "vic_elec__30T",
    "fremont_bridge__H",
    "steel_energy__15T",
    "call_center_aht__15T",
)


class Scores(NamedTuple):
    """Scores of one data set."""

    windows: int
    own: int
    """Windows whose quantiles come from errors of the same series."""
    coverage: float
    """Of the 80 % interval."""
    loss: float
    """Pinball loss, relative to the checkpoint's own quantiles."""


def main(given: Sequence[str] | None = None) -> None:
    """Print scores of each data set."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.residual_quantiles", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("--data", type=Path, required=True, help="Parquet files of series")
    parser.add_argument("--checkpoint", default="timer-s1-mini")
    parser.add_argument("--sets", nargs="+", default=SETS, help="names of the files")
    parser.add_argument("--series", type=int, default=20, help="of each data set, at most")
    parser.add_argument("--horizon", type=int, default=24)
    options = parser.parse_args(given)
    pipe = ForecastPipeline.from_pretrained(options.checkpoint, device="cpu")
    print("| data set | windows | from own errors | coverage of 80 % | loss |")
    print("| --- | --- | --- | --- | --- |")
    found = []
    for name in options.sets:
        series = read(options.data / f"{name}.parquet", options.series, options.horizon)
        found.append(scores(pipe, series, options.horizon))
        windows, own, coverage, loss = found[-1]
        print(f"| {name} | {windows} | {own} | {coverage:.3f} | {loss:.3f} |", flush=True)
    coverage = np.mean([one.coverage for one in found])
    loss = np.exp(np.mean(np.log([one.loss for one in found])))
    print(f"| mean | | | {coverage:.3f} | {loss:.3f} |")


def read(path: Path, most: int, horizon: int) -> list[np.ndarray]:
    """Return the newest steps of some series, before each origin, where they are long enough."""
    column = pq.read_table(path, columns=["target"])["target"]
    step = max(1, len(column) // most)
    series = [np.array(values, dtype=float) for values in column[::step][:most].to_pylist()]
    cut = [values[: len(values) - k * horizon] for values in series for k in range(ORIGINS)]
    return [values[-CONTEXT - horizon :] for values in cut if usable(values, horizon)]


def usable(values: np.ndarray, horizon: int) -> bool:
    """Whether a series has a history that varies, and values to compare with."""
    history = values[:-horizon]
    enough = np.isfinite(history).sum() >= 2 * horizon and np.isfinite(values[-horizon:]).any()
    return bool(enough) and residuals.unit_of(history) > 0


def scores(pipe: ForecastPipeline, series: Sequence[np.ndarray], horizon: int) -> Scores:
    """Return the scores of residual quantiles at the newest window of each."""
    history = [values[:-horizon] for values in series]
    errors = residuals.Errors(horizon, CONTEXT)
    actual = np.array([values[-horizon:] for values in series])
    trained = pipe.predict(history, horizon)

    def point(given: Sequence[np.ndarray], steps: int) -> np.ndarray:
        return pipe.predict(list(given), steps).median

    offsets = errors.spread(point, history, LEVELS)
    quantiles = trained.median[..., None] + offsets
    seen = np.isfinite(actual)
    inside = (actual >= quantiles[..., 0]) & (actual <= quantiles[..., -1])
    own = errors.sources(history).count(residuals.OWN)
    scale = np.array([residuals.unit_of(one) for one in history])[:, None]
    losses = [
        pinball(actual / scale, one / scale[..., None]) for one in (quantiles, trained.quantiles)
    ]
    return Scores(len(series), own, float(inside[seen].mean()), losses[0] / losses[1])


def pinball(actual: np.ndarray, quantiles: np.ndarray) -> float:
    """Return the sum of the pinball losses."""
    error = actual[..., None] - quantiles
    return float(np.nansum(np.maximum(LEVELS * error, (LEVELS - 1) * error)))


if __name__ == "__main__":
    main()
