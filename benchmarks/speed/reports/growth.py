"""Report on CPU time as the context, the horizon and the batch grow."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from benchmarks.pages import markdown
from benchmarks.speed.asking import start

ROLLOUTS = ("median", "multiscale", "quantile")


def report_growth(
    python: str,
    checkpoint: Path | str,
    *,
    contexts: Sequence[int],
    horizons: Sequence[int],
    batches: Sequence[int],
    repeats: int,
) -> None:
    """Print the CPU time by context, by horizon and roll-out, and by batch.

    Parameters
    ----------
    python : str
        Interpreter.
    checkpoint : Path or str
        A folder of random weights, or the name of an embedded checkpoint.
    contexts, horizons, batches : sequence of int
        Sizes. Where a size does not vary, it is the first of its list, and the batch is 1.
    repeats : int
        Medians are taken over them.
    """
    with closing(start(python, "ours")) as process:
        process.ask("load", checkpoint, dtype="float32")
        if Path(checkpoint).exists():  # random weights
            process.ask("balance")

        def milliseconds(context: int, horizon: int, batch: int, rollout: str) -> float:
            found = process.ask("seconds", context, horizon, batch, repeats, rollout=rollout)
            return 1000 * statistics.median(found)

        base = {"context": contexts[0], "horizon": horizons[0], "batch": 1, "rollout": "median"}
        rows = [
            {"context": context, "ms": milliseconds(**base | {"context": context})}
            for context in sorted(contexts)
        ]
        print(f"One series, {horizons[0]} steps:\n\n{markdown(rows)}\n")
        rows = [
            {"horizon": horizon}
            | {
                f"{rollout}, ms": milliseconds(**base | {"horizon": horizon, "rollout": rollout})
                for rollout in ROLLOUTS
            }
            for horizon in sorted(horizons)
        ]
        print(f"One series of {contexts[0]} points, by roll-out:\n\n{markdown(rows)}\n")
        rows = [
            {"series": n, "ms": (ms := milliseconds(**base | {"batch": n})), "ms a series": ms / n}
            for n in batches
        ]
        print(f"Series of {contexts[0]} points, {horizons[0]} steps:\n\n{markdown(rows)}\n")
