"""The doors: a module for each, with a function ``case(draw, product)``.

The function asks a question and returns its `benchmarks.fuzz.oracle.Outcome`. It raises
`benchmarks.fuzz.oracle.Broken` if the outcome is wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from benchmarks.fuzz.draw import Draw
from benchmarks.fuzz.oracle import Outcome
from benchmarks.fuzz.product import Product

Case = Callable[[Draw, Product], Outcome]

CASES = {
    "pipeline": 100_000,
    "transformed": 5_000,
    "frame": 5_000,
    "reading": 5_000,
    "sktime": 5_000,
    "darts": 5_000,
    "sklearn": 5_000,
    "evaluation": 5_000,
    "finetune": 5_000,
    "adapters": 5_000,
    "command": 5_000,
}
"""The doors, and the number of cases of each in a whole run."""

SECONDS = {"darts": 60.0, "finetune": 60.0, "command": 60.0}
"""Seconds of the processor after which a case is too slow, where they are not the usual ones."""


_FRAMEWORKS = {
    "sktime": "timer_forecaster.sktime",
    "darts": "timer_forecaster.darts",
    "sklearn": "timer_forecaster.sklearn",
    "evaluation": "timer_forecaster.evaluation",
    "finetune": "timer_forecaster.finetuning",
    "command": "timer_forecaster.finetuning",
}
"""Modules that take long to import."""


def case_of(door: str) -> Case:
    """Return the function that runs a case of a door, with its framework imported."""
    if door in _FRAMEWORKS:
        import_module(_FRAMEWORKS[door])
    found: Case = import_module(f"benchmarks.fuzz.doors.{door}").case
    return found
