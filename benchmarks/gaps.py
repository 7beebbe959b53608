"""What missing values cost: errors with gaps relative to those of complete series.

    python -m benchmarks.gaps --data FOLDER [--checkpoint NAME] [--half B]

Gaps are cut into the newest 2,048 steps before each forecast, on the data sets held out of training
that `benchmarks.inference_options` takes, and three of their series. A figure is the quantile loss
over that of the plain reading of the complete series, as a geometric mean over the data sets.
`plain` reads gaps as masks. `fast` reads short ones as straight lines, forecasts that at the end,
and transforms series. Only data sets of hours have nights.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.inference_options import chosen_sets, excerpt
from benchmarks.pages import markdown
from timer_forecaster import ForecastPipeline
from timer_forecaster.evaluation.gift_eval import horizon_of
from timer_forecaster.evaluation.metrics import weighted_quantile_loss

CONTEXT, WINDOWS = 2048, 5
QUALITIES = "plain", "fast"
OTHER_HORIZON = 8
"""Steps that are forecast where GIFT-Eval names no number."""

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]


class Windows(NamedTuple):
    """Steps before some origins of a data set, and those after them."""

    name: str
    past: list[Array]
    future: Array


def scattered(steps: int, random: np.random.Generator) -> Mask:
    """One step in five."""
    return random.random(steps) < 0.2


def closed_days(steps: int, random: np.random.Generator) -> Mask:
    """Two of seven steps."""
    return (np.arange(steps) + random.integers(7)) % 7 >= 5


def nights(steps: int, random: np.random.Generator) -> Mask:
    """Eight of 24 steps."""
    return (np.arange(steps) + random.integers(24)) % 24 >= 16


def outages(steps: int, random: np.random.Generator) -> Mask:
    """Blocks of 24 steps, a tenth of all."""
    starts = np.flatnonzero(random.random(steps) < 0.1 / 24)
    return ((np.arange(steps)[:, None] - starts) // 24 == 0).any(axis=1)


def at_end(missing: int) -> Callable[[int, np.random.Generator], Mask]:
    """Return the gap of the newest steps."""
    return lambda steps, _: np.arange(steps) >= steps - missing


def nothing(steps: int, random: np.random.Generator) -> Mask:
    """No step."""
    return np.zeros(steps, dtype=bool)


GAPS: dict[str, Callable[[int, np.random.Generator], Mask]] = {
    "nothing": nothing,
    "one step in five": scattered,
    "two of seven steps": closed_days,
    "eight of 24 hours": nights,
    "blocks of 24 steps": outages,
    "the newest step": at_end(1),
    "the newest 3 steps": at_end(3),
    "the newest 20 steps": at_end(20),
}


def main(given: Sequence[str] | None = None) -> None:
    """Print a row for each kind of gap."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.gaps", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--data", type=Path, required=True, help="folder with the held-out files")
    parser.add_argument("--checkpoint", default="timer-s1-mini")
    parser.add_argument("--half", choices=("A", "B"), help="half of the data sets; default: both")
    arguments = parser.parse_args(given)
    pipe = ForecastPipeline.from_pretrained(arguments.checkpoint, device="cpu")
    sets = [windows_of(arguments.data, name) for name in sorted(chosen_sets(arguments.half))]
    complete = losses(pipe, sets, "plain")
    print(markdown(row(pipe, sets, complete, gap) for gap in GAPS), flush=True)


def windows_of(folder: Path, name: str) -> Windows:
    """Return the newest windows of some series of a data set."""
    try:
        horizon = horizon_of(*name.rsplit("__", 1), "short")
    except ValueError:
        horizon = OTHER_HORIZON
    past, future = [], []
    for series in excerpt(folder / f"{name}.parquet")["target"]:
        values = np.asarray(series, dtype=float)
        for end in range(len(values) - horizon, len(values) // 2, -horizon)[:WINDOWS]:
            past.append(values[max(end - CONTEXT, 0) : end])
            future.append(values[end : end + horizon])
    return Windows(name, past, np.array(future))


def row(
    pipe: ForecastPipeline, sets: Iterable[Windows], complete: Array, gap: str
) -> dict[str, object]:
    """Return the mean loss of each quality relative to that of complete series."""
    found: dict[str, object] = {"missing": gap}
    cut = [with_gaps(windows, GAPS[gap]) for windows in sets]
    has = np.array([GAPS[gap] is not nights or windows.name.endswith("__H") for windows in cut])
    for quality in QUALITIES:
        ratios = losses(pipe, cut, quality)[has] / complete[has]
        found[quality] = f"{np.exp(np.log(ratios).mean()):.3f}" if has.any() else "–"
    return found


def with_gaps(windows: Windows, gap: Callable[[int, np.random.Generator], Mask]) -> Windows:
    """Return windows whose past lacks values; the first value stays."""
    random = np.random.default_rng(0)
    past = [np.where(gap(len(values), random), np.nan, values) for values in windows.past]
    for values, whole in zip(past, windows.past, strict=True):
        values[0] = whole[0]
    return windows._replace(past=past)


def losses(pipe: ForecastPipeline, sets: Iterable[Windows], quality: str) -> Array:
    """Return the weighted quantile loss of each data set."""
    found = []
    for windows in sets:
        horizon = windows.future.shape[1]
        forecast = pipe.predict(windows.past, horizon, quality=quality)
        quantiles = np.reshape(forecast.quantiles, (len(windows.past), horizon, -1))
        found.append(weighted_quantile_loss(windows.future, quantiles, forecast.levels))
    return np.array(found)


if __name__ == "__main__":
    main()
