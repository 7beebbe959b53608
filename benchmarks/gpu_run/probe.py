"""A few steps eager and compiled: the speed of both, and the losses of the start."""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.gpu_run.report import Report
from benchmarks.gpu_run.settings import probe_settings
from timer_forecaster.pretraining import PretrainingConfig, pretrain


class Speed(NamedTuple):
    """The speed of a probe."""

    first_seconds: float  # of the first step, with what is compiled in it
    rate: float  # patches a second of the other steps


def probe(
    config: PretrainingConfig,
    arguments: argparse.Namespace,
    folder: Path,
    end: float,
    report: Report,
) -> bool:
    """Report the losses of the start and the speeds, and return whether to compile.

    Parameters
    ----------
    config : PretrainingConfig
        Settings of the training.
    arguments : argparse.Namespace
        Of the program.
    folder : Path
        Receives the runs.
    end : float
        End of the training on the monotonic clock.
    report : Report
    """
    short = probe_settings(config, arguments.probe_steps)
    eager, losses = _steps(short, arguments.device, False, folder / "eager", end)
    report(f"Start: {_losses(losses)}")
    report(f"Eager: {eager.rate:,.0f} patches/s, first step {eager.first_seconds:.1f} s")
    if arguments.compile != "probe":
        return bool(arguments.compile == "yes")
    try:
        compiled, _ = _steps(short, arguments.device, True, folder / "compiled", end)
    except RuntimeError as error:  # a compiler or its libraries are missing
        report(f"Compiled: fails ({str(error).splitlines()[0]})")
        return False
    lengths = len(config.stages[-1].window_patches)
    chosen = pays(eager, compiled, end - time.monotonic(), lengths)
    report(
        f"Compiled: {compiled.rate:,.0f} patches/s, first step {compiled.first_seconds:.1f} s, "
        f"{lengths} lengths of windows: {'used' if chosen else 'not used'}"
    )
    return chosen


def pays(eager: Speed, compiled: Speed, seconds: float, lengths: int) -> bool:
    """Return whether compiled blocks make more steps in a time; each length is compiled once."""
    left = seconds - (lengths - 1) * compiled.first_seconds  # the probe compiled the first
    return left * compiled.rate > seconds * eager.rate


def _steps(
    config: PretrainingConfig, device: str, compiled: bool, folder: Path, end: float
) -> tuple[Speed, dict[str, Any]]:
    records: list[dict[str, Any]] = []
    _, last = pretrain(
        config,
        folder,
        device=device,
        compile_blocks=compiled,
        on_record=records.append,
        seconds=max(0.1, end - time.monotonic()),
    )
    rates = [record["tokens_per_second"] for record in records[1:] or records]
    return Speed(records[0]["seconds"], statistics.median(rates)), last


def _losses(record: dict[str, Any]) -> str:
    """Return the losses of validation in a record as text."""
    return ", ".join(
        f"{name.removeprefix('validation_')} {value:.4f}"
        for name, value in record.items()
        if name.startswith("validation_")
    )
