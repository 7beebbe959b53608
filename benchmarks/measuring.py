"""What the benchmarks share: time, calls and memory behind an answer, medians, tables."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

STATUS = Path("/proc/self/status")
FORGET_PEAK = "5"
"""What /proc/self/clear_refs takes to begin the highest memory anew (Linux)."""


def measure(answer: Callable[[], object]) -> float:
    """Seconds that an answer takes."""
    start = time.perf_counter()
    answer()
    return time.perf_counter() - start


def measure_cpu(answer: Callable[[], object]) -> float:
    """CPU seconds of this process, all its threads, that an answer takes."""
    start = time.process_time()
    answer()
    return time.process_time() - start


def in_turns(ways: Mapping[str, Callable[[], Mapping[str, float]]], rounds: int) -> dict[str, Any]:
    """Ask all ways in each round; medians over the rounds, by way and figure."""
    found: dict[str, list[Mapping[str, float]]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            found[name].append(way())
    return {
        name: {figure: statistics.median(one[figure] for one in each) for figure in each[0]}
        for name, each in found.items()
    }


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


def memory() -> dict[str, float]:
    """Read this process's memory in GB (10⁹ bytes), from Linux.

    ``peak`` is the most that was resident, pages of mapped files included; ``now`` what is;
    ``anonymous`` what of it cannot be given back to the page cache.
    """
    lines = dict(line.split(":", 1) for line in STATUS.read_text().splitlines())
    names = {"peak": "VmHWM", "now": "VmRSS", "anonymous": "RssAnon"}
    return {key: int(lines[name].split()[0]) * 1024 / 1e9 for key, name in names.items()}


def forget_peak() -> None:
    """Let the peak of `memory` begin at what is resident now."""
    (STATUS.parent / "clear_refs").write_text(FORGET_PEAK)


def markdown(rows: Iterable[Mapping[str, Any]]) -> str:
    """Lay rows of equal keys out as a table of markdown; numbers with three digits."""
    rows = list(rows)
    lines = [list(rows[0]), ["---"] * len(rows[0])]
    lines += [[_cell(value) for value in row.values()] for row in rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    if not isinstance(value, float):
        return f"{value:,}" if isinstance(value, int) else str(value)
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def write_page(page: Path, tables: Mapping[str, str]) -> None:
    """Replace what stands between ``<!-- NAME -->`` and ``<!-- end NAME -->``."""
    text = page.read_text(encoding="utf-8")
    for name, table in tables.items():
        start, end = f"<!-- {name} -->", f"<!-- end {name} -->"
        if text.count(start) != 1 or text.count(end) != 1:
            raise ValueError(f"{page} must hold each of {start} and {end} once")
        before, _, rest = text.partition(start)
        text = f"{before}{start}\n{table}\n{end}{rest.partition(end)[2]}"
    page.write_text(text, encoding="utf-8")
