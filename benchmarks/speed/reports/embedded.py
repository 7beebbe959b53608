"""Report on the embedded checkpoint beside sktime's class and classical forecasters."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping
from contextlib import closing

from benchmarks.measuring import in_turns
from benchmarks.pages import markdown
from benchmarks.places import MINI
from benchmarks.processes import Process
from benchmarks.sktime_comparison.questions import PROGRAM
from benchmarks.speed.asking import Ask
from benchmarks.speed.classical import CLASSICAL


def report_embedded(
    own: str,
    reference: str | None,
    classical: Mapping[str, Callable[[], Mapping[str, float]]],
    *,
    series: int,
    slow_series: int,
    rounds: int,
    steps: int = 512,
    horizon: int = 96,
) -> None:
    """Print the CPU time a series of sktime classes and of classical forecasters.

    The released implementation forecasts one series after the other. So the cost of a series shows
    with fewer of them.

    Parameters
    ----------
    own, reference : str
        Interpreters of our class and of sktime's class, which may be left out.
    classical : mapping
        Functions that time the classical forecasters, from `classical_questions`.
    series, slow_series : int
        Number of series for our class, and for sktime's.
    rounds : int
        Medians are taken over them.
    steps, horizon : int
        Length of each series, and steps to forecast.
    """

    def panel(side: str, python: str, n: int) -> dict[str, float]:
        details = {"horizon": horizon, "n": n, "options": {}, "steps": steps}
        with closing(Process(python, PROGRAM, side)) as process:
            found = [process.ask("panel", MINI, seed=seed, **details) for seed in range(3)]
        return {"seconds": statistics.median(found[1:]) / n, "series": n}

    ways = {f"{MINI.name}, our sktime class": lambda: panel("ours", own, series)}
    if reference:
        name = f"{MINI.name}, released implementation behind sktime's class"
        ways[name] = lambda: panel("sktime", reference, slow_series)
    found = in_turns(ways, rounds) | {name: ask() for name, ask in classical.items()}
    ours = next(iter(found.values()))["seconds"]
    rows = [
        {
            "forecaster": name,
            "ms a series": 1000 * figures["seconds"],
            "series timed": int(figures["series"]),
            "times as long as ours": figures["seconds"] / ours,
        }
        for name, figures in found.items()
    ]
    print(f"Walks of {steps} points, {horizon} steps:\n\n{markdown(rows)}\n")


def classical_questions(
    ask: Ask, ask_statsforecast: Ask | None, budget: float, steps: int = 512, horizon: int = 96
) -> dict[str, Callable[[], Mapping[str, float]]]:
    """Return a function for each classical forecaster that times it in a new process.

    Parameters
    ----------
    ask, ask_statsforecast : callable
        Functions that ask the environments of this package and of statsforecast. Forecasters of
        statsforecast are left out if the second one is None.
    budget : float
        CPU seconds for each forecaster.
    steps, horizon : int
        Length of each series, and steps to forecast.
    """

    def question(name: str, process: Ask) -> Callable[[], Mapping[str, float]]:
        details = {"steps": steps, "horizon": horizon, "budget": budget}
        return lambda: process("classical", name, **details)

    found = {}
    for name in CLASSICAL:
        process = ask_statsforecast if "statsforecast" in name else ask
        if process is None:
            print(f"Left out: {name}: --statsforecast-python is not given.\n")
        else:
            found[name] = question(name, process)
    return found
