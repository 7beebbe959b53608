"""Reports on panels, growth and peers, for which the embedded checkpoint or ours alone is timed."""

from __future__ import annotations

import contextlib
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import sktime_comparison
from measuring import in_turns, markdown
from processes import ONE_THREAD, Process

from speed_parts import peers

MINI = "timer-s1-mini"
Ask = Callable[..., Any]


def asker(python: str, program: Path, side: str) -> Ask:
    """Make a function that asks one question of a new process each time it is called."""

    def ask(question: str, *arguments: Any, **details: Any) -> Any:
        with closing(Process(python, program, side)) as process:
            return process.ask(question, *arguments, **details)

    return ask


# --------------------------------------------------------------------------- embedded checkpoint


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
    """Print CPU time a series of sktime classes and of classical forecasters.

    The released implementation forecasts series one after the other, so that fewer of them show
    what one costs.
    """
    program = Path(sktime_comparison.__file__)
    folder = _mini_folder()

    def panel(side: str, python: str, n: int) -> dict[str, float]:
        with closing(Process(python, program, side)) as process:
            found = [
                process.ask(
                    "panel", folder, seed=seed, horizon=horizon, n=n, options={}, steps=steps
                )
                for seed in range(3)
            ]
        return {"seconds": statistics.median(found[1:]) / n, "series": n}

    ways = {f"{MINI}, our sktime class": lambda: panel("ours", own, series)}
    if reference:
        name = f"{MINI}, released implementation behind sktime's class"
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


def _mini_folder() -> Path:
    return next(path for path in sktime_comparison.CHECKPOINTS if path.name == MINI)


def classical_questions(
    ask: Ask, ask_statsforecast: Ask | None, budget: float, steps: int = 512, horizon: int = 96
) -> dict[str, Callable[[], Mapping[str, float]]]:
    """List the classical forecasters that can be asked, each in a process of its own."""

    def question(name: str, process: Ask) -> Callable[[], Mapping[str, float]]:
        details = {"steps": steps, "horizon": horizon, "budget": budget}
        return lambda: process("classical", name, **details)

    found = {}
    for name in peers.CLASSICAL:
        process = ask_statsforecast if "statsforecast" in name else ask
        if process is None:
            print(f"Left out: {name}: --statsforecast-python is not given.\n")
        else:
            found[name] = question(name, process)
    return found


def report_panel_growth(
    ask: Ask, sizes: Iterable[int], rounds: int, steps: int = 512, horizon: int = 96
) -> None:
    """Print CPU time a series and peak memory as the panel grows."""
    rows = []
    for n in sizes:
        row: dict[str, Any] = {"series": n}
        for door in ("pipeline", "sktime"):
            details = {"n": n, "steps": steps, "horizon": horizon, "door": door}
            turns = {door: lambda details=details: ask("grown_panel", **details)}
            found = in_turns(turns, rounds)[door]
            row |= {
                f"{door}: ms a series": 1000 * found["seconds"] / n,
                f"{door}: peak GB": found["peak"],
                f"{door}: added by the forecast": found["peak"] - found["before"],
            }
        rows.append(row)
    print(f"Panels of {steps} points, {horizon} steps:\n\n{markdown(rows)}\n")


# -------------------------------------------------------------------------------------- neighbours


def report_neighbour(
    own: str, reference: str | None, program: Path, *, series: int, rounds: int
) -> None:
    """Print wall time of the embedded checkpoint with default settings beside busy processes.

    As many of them as leave one core to the forecast, against one thread with all cores free.
    """
    folder = _mini_folder()
    sides = {"ours": own} | ({"released": reference} if reference else {})

    def turn(side: str, threads: Mapping[str, str], busy: int) -> dict[str, float]:
        with closing(Process(sides[side], program, side, threads)) as process, _busy(busy):
            process.ask("load", folder, dtype="float32")
            found = process.ask("seconds", 512, 96, series, repeats=3, wall=True)
            return {"seconds": statistics.median(found)}

    neighbours = max(1, (os.cpu_count() or 1) - 1)
    turns = {
        (side, name): lambda side=side, threads=threads, busy=busy: turn(side, threads, busy)
        for side in sides
        for name, threads, busy in (("alone", ONE_THREAD, 0), ("beside", {}, neighbours))
    }
    found = in_turns(turns, rounds)
    rows = []
    for side in sides:
        alone, beside = (found[side, name]["seconds"] for name in ("alone", "beside"))
        row = {"implementation": side, "one thread, wall s": alone}
        rows.append(row | {f"beside {neighbours} busy, wall s": beside, "ratio": beside / alone})
    print(f"{series} walks of 512 points, 96 steps:\n\n{markdown(rows)}\n")


@contextlib.contextmanager
def _busy(n: int) -> Iterator[None]:
    """Keep cores busy."""
    command = [sys.executable, "-c", "while True: pass"]
    processes = [subprocess.Popen(command) for _ in range(n)]  # noqa: S603
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


# ----------------------------------------------------------------------------------------- growth


def report_growth(
    python: str,
    program: Path,
    checkpoint: Path | str,
    *,
    contexts: Sequence[int],
    horizons: Sequence[int],
    batches: Sequence[int],
    repeats: int,
) -> None:
    """Print how CPU time grows with the context, with the horizon by roll-out, with the batch.

    What does not vary is the first of its list, and for the batch the last context but one.
    """
    with closing(Process(python, program, "ours")) as process:
        process.ask("load", checkpoint, dtype="float32")
        if Path(checkpoint).exists():  # random weights
            process.ask("balance")

        def milliseconds(context: int, horizon: int, batch: int, rollout: str) -> float:
            found = process.ask("seconds", context, horizon, batch, repeats, rollout=rollout)
            return 1000 * statistics.median(found)

        base = {"context": contexts[0], "horizon": horizons[0], "batch": 1, "rollout": "median"}
        rows = [
            {"context": context, "ms": milliseconds(**base | {"context": context})}
            for context in contexts
        ]
        print(f"One series, {horizons[0]} steps:\n\n{markdown(rows)}\n")
        rollouts = ("median", "multiscale", "quantile")
        rows = [
            {"horizon": horizon}
            | {
                f"{rollout}, ms": milliseconds(**base | {"horizon": horizon, "rollout": rollout})
                for rollout in rollouts
            }
            for horizon in horizons
        ]
        print(f"One series of {contexts[0]} points, by roll-out:\n\n{markdown(rows)}\n")
        rows = [
            {"series": n, "ms": (ms := milliseconds(**base | {"batch": n})), "ms a series": ms / n}
            for n in batches
        ]
        print(f"Series of {contexts[0]} points, {horizons[0]} steps:\n\n{markdown(rows)}\n")


# ------------------------------------------------------------------------------------------ peers


def report_darts(
    ask: Ask, similar: Path, *, n: int, rounds: int, steps: int = 512, horizon: int = 96
) -> None:
    """Print forecasts a CPU second of Darts' foundation models and of ours."""
    ours = {f"TimerS1Model, {MINI}": "", "TimerS1Model, random weights": str(similar)}
    details = {"n": n, "steps": steps, "horizon": horizon, "repeats": 1}
    turns = {
        name: lambda folder=folder: ask("darts_model", "TimerS1Model", checkpoint=folder, **details)
        for name, folder in ours.items()
    } | {name: lambda name=name: ask("darts_model", name, **details) for name in peers.DARTS_MODELS}
    rows = [
        {
            "model": name,
            "10⁶ parameters": figures["parameters"] / 1e6,
            "forecasts a CPU second": n / figures["seconds"],
        }
        for name, figures in in_turns(turns, rounds).items()
    ]
    print(f"{n} walks of {steps} points, {horizon} steps, three quantiles, through Darts:\n")
    print(markdown(rows) + "\n")
    for name, reason in peers.LEFT_OUT.items():
        print(f"Left out: {name}: {reason}.\n")
