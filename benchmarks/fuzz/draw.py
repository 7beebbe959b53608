"""Random choices of a case."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np

T = TypeVar("T")


class Draw:
    """Random choices that depend on a seed, a door and the number of a case alone.

    Parameters
    ----------
    seed : int
        Seed of the run.
    door : str
        Name of the door.
    case : int
        Number of the case.
    """

    def __init__(self, seed: int, door: str, case: int) -> None:
        self.rng = np.random.default_rng([seed, zlib.crc32(door.encode()), case])
        self.case = case
        self.notes: dict[str, Any] = {}

    def chance(self, probability: float) -> bool:
        """Return True with a probability."""
        return bool(self.rng.random() < probability)

    def integer(self, least: int, most: int) -> int:
        """Return an integer between two bounds, both included."""
        return int(self.rng.integers(least, most + 1))

    def number(self, least: float, most: float) -> float:
        """Return a number between two bounds."""
        return float(self.rng.uniform(least, most))

    def pick(self, choices: Sequence[T]) -> T:
        """Return one of the choices."""
        return choices[int(self.rng.integers(len(choices)))]

    def weighted(self, choices: dict[T, float]) -> T:
        """Return one of the keys; its value is its weight."""
        bound = self.rng.random() * sum(choices.values())
        for choice, weight in choices.items():
            bound -= weight
            if bound <= 0:
                return choice
        return choice

    def order(self, n: int) -> np.ndarray:
        """Return the numbers below n in random order."""
        return self.rng.permutation(n)

    def note(self, **values: Any) -> None:
        """Keep what was drawn, for the description of a failure."""
        self.notes.update(values)
