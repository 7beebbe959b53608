"""Measure time, calls and memory of a function, and take medians over rounds."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

STATUS = Path("/proc/self/status")
RESET_PEAK = "5"
"""The value that resets the peak of memory when it is written to /proc/self/clear_refs (Linux)."""


def measure(function: Callable[[], object]) -> float:
    """Return the wall seconds of a call."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def measure_cpu(function: Callable[[], object]) -> float:
    """Return the CPU seconds of a call, summed over all threads of this process."""
    start = time.process_time()
    function()
    return time.process_time() - start


def in_turns(
    measurements: Mapping[Any, Callable[[], Mapping[str, float]]], rounds: int
) -> dict[Any, Any]:
    """Take all measurements in each round, one after the other.

    The measurements take turns, so that a slow phase of the machine meets all of them.

    Parameters
    ----------
    measurements : mapping
        By name, a function that measures once and returns its figures by name.
    rounds : int
        How often each function is called.

    Returns
    -------
    dict
        By measurement and figure, the median over the rounds.
    """
    found: dict[Any, list[Mapping[str, float]]] = {name: [] for name in measurements}
    for _ in range(rounds):
        for name, measurement in measurements.items():
            found[name].append(measurement())
    return {
        name: {figure: statistics.median(one[figure] for one in each) for figure in each[0]}
        for name, each in found.items()
    }


def count_calls(function: Callable[[], object], *counted: tuple[object, str]) -> list[int]:
    """Count the calls of some functions during one call.

    Parameters
    ----------
    function : callable
        The call.
    *counted : tuple of object and str
        The functions to count: the class or module that holds each, and its name there.

    Returns
    -------
    list of int
        One count for each counted function.
    """
    counts = [0] * len(counted)
    originals = [getattr(owner, name) for owner, name in counted]

    def counter(number: int) -> Callable[..., object]:
        def call(*arguments: object, **options: object) -> object:
            counts[number] += 1
            return originals[number](*arguments, **options)

        return call

    try:
        for number, (owner, name) in enumerate(counted):
            setattr(owner, name, counter(number))
        function()
    finally:
        for (owner, name), original in zip(counted, originals, strict=True):
            setattr(owner, name, original)
    return counts


def memory() -> dict[str, float]:
    """Return the memory of this process in GB (10⁹ bytes), as Linux reports it.

    ``now`` is the resident memory. ``peak`` is its maximum so far, and includes the pages of mapped
    files. ``anonymous`` is the part of ``now`` that belongs to no file: the system cannot drop it
    and read it again.
    """
    lines = dict(line.split(":", 1) for line in STATUS.read_text().splitlines())
    names = {"peak": "VmHWM", "now": "VmRSS", "anonymous": "RssAnon"}
    return {key: int(lines[name].split()[0]) * 1024 / 1e9 for key, name in names.items()}


def forget_peak() -> None:
    """Reset the peak of `memory` to the memory that is resident now."""
    (STATUS.parent / "clear_refs").write_text(RESET_PEAK)
