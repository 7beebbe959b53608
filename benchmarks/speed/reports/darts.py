"""Report on Darts' foundation models beside ours."""

from __future__ import annotations

from pathlib import Path

from benchmarks.measuring import in_turns
from benchmarks.pages import markdown
from benchmarks.places import MINI
from benchmarks.speed.asking import Ask
from benchmarks.speed.darts_models import DARTS_MODELS, LEFT_OUT


def report_darts(
    ask: Ask, similar: Path, *, n: int, rounds: int, steps: int = 512, horizon: int = 96
) -> None:
    """Print the forecasts a CPU second of Darts' foundation models and of ours.

    Parameters
    ----------
    ask : callable
        Asks each question of a new process.
    similar : Path
        Random weights of a Timer-S1 that is about as large as Chronos-2.
    n, rounds : int
        Number of walks, and of rounds that medians are taken over.
    steps, horizon : int
        Length of each walk, and steps to forecast.
    """
    ours = {f"TimerS1Model, {MINI.name}": "", "TimerS1Model, random weights": str(similar)}
    details = {"n": n, "steps": steps, "horizon": horizon, "repeats": 1}
    turns = {
        name: lambda folder=folder: ask("darts_model", "TimerS1Model", checkpoint=folder, **details)
        for name, folder in ours.items()
    } | {name: lambda name=name: ask("darts_model", name, **details) for name in DARTS_MODELS}
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
    for name, reason in LEFT_OUT.items():
        print(f"Left out: {name}: {reason}.\n")
