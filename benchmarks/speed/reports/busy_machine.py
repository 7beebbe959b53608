"""Report on wall time while other processes keep the cores busy."""

from __future__ import annotations

import contextlib
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing

from benchmarks.measuring import in_turns
from benchmarks.pages import markdown
from benchmarks.places import MINI
from benchmarks.processes import ONE_THREAD
from benchmarks.speed.asking import start


def report_neighbor(own: str, reference: str | None, *, series: int, rounds: int) -> None:
    """Print the wall time of `timer-s1-mini` with default settings beside busy processes.

    The busy processes leave one core to the forecast. They are compared with one thread while all
    cores are free.

    Parameters
    ----------
    own, reference : str
        Interpreters of ours and of the released implementation, which may be left out.
    series : int
        Number of walks.
    rounds : int
        Medians are taken over them.
    """
    sides = {"ours": own} | ({"released": reference} if reference else {})

    def turn(side: str, threads: Mapping[str, str], busy: int) -> dict[str, float]:
        with closing(start(sides[side], side, threads)) as process, _busy(busy):
            process.ask("load", MINI, dtype="float32")
            found = process.ask("seconds", 512, 96, series, repeats=3, wall=True)
            return {"seconds": statistics.median(found)}

    neighbors = max(1, (os.cpu_count() or 1) - 1)
    turns = {
        (side, name): lambda side=side, threads=threads, busy=busy: turn(side, threads, busy)
        for side in sides
        for name, threads, busy in (("alone", ONE_THREAD, 0), ("beside", {}, neighbors))
    }
    found = in_turns(turns, rounds)
    rows = []
    for side in sides:
        alone, beside = (found[side, name]["seconds"] for name in ("alone", "beside"))
        row = {"implementation": side, "one thread, wall s": alone}
        rows.append(row | {f"beside {neighbors} busy, wall s": beside, "ratio": beside / alone})
    print(f"{series} walks of 512 points, 96 steps:\n\n{markdown(rows)}\n")


@contextlib.contextmanager
def _busy(n: int) -> Iterator[None]:
    """Keep `n` cores busy."""
    command = [sys.executable, "-c", "while True: pass"]
    processes = [subprocess.Popen(command) for _ in range(n)]  # noqa: S603
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()
