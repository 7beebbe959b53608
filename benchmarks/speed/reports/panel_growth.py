"""Report on `timer-s1-mini` as the panel grows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from benchmarks.measuring import in_turns
from benchmarks.pages import markdown
from benchmarks.speed.asking import Ask


def report_panel_growth(
    ask: Ask, sizes: Iterable[int], rounds: int, steps: int = 512, horizon: int = 96
) -> None:
    """Print the CPU time a series and the peak of memory for panels of some sizes."""
    rows = []
    for n in sizes:
        row: dict[str, Any] = {"series": n}
        details = {"n": n, "steps": steps, "horizon": horizon}
        turns = {
            door: lambda door=door, details=details: ask("grown_panel", door=door, **details)
            for door in ("pipeline", "sktime")
        }
        for door, found in in_turns(turns, rounds).items():
            row |= {
                f"{door}: ms a series": 1000 * found["seconds"] / n,
                f"{door}: peak GB": found["peak"],
                f"{door}: added by the forecast": found["peak"] - found["before"],
            }
        rows.append(row)
    print(f"Panels of {steps} points, {horizon} steps:\n\n{markdown(rows)}\n")
