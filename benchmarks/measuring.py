"""What the benchmarks share: time and calls behind an answer."""

from __future__ import annotations

import time
from collections.abc import Callable


def measure(answer: Callable[[], object]) -> float:
    """Seconds that an answer takes."""
    start = time.perf_counter()
    answer()
    return time.perf_counter() - start


def count_calls(answer: Callable[[], object], *functions: tuple[object, str]) -> list[int]:
    """Count the calls of functions behind an answer, each given by its owner and its name."""
    counts = [0] * len(functions)
    originals = [getattr(owner, name) for owner, name in functions]

    def counted(number: int) -> Callable[..., object]:
        def call(*arguments: object, **options: object) -> object:
            counts[number] += 1
            return originals[number](*arguments, **options)

        return call

    try:
        for number, (owner, name) in enumerate(functions):
            setattr(owner, name, counted(number))
        answer()
    finally:
        for (owner, name), original in zip(functions, originals, strict=True):
            setattr(owner, name, original)
    return counts
