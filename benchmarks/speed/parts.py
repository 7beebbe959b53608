"""The parts of the program: which networks and sizes each of them reports on."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.places import MINI
from benchmarks.random_checkpoints import write_checkpoint, write_ttm
from benchmarks.speed.asking import asker
from benchmarks.speed.peers import SIMILAR, TTM_R2
from benchmarks.speed.reports.busy_machine import report_neighbor
from benchmarks.speed.reports.growth import report_growth
from benchmarks.speed.reports.panel_growth import report_panel_growth
from benchmarks.speed.reports.peers import report_peers
from benchmarks.speed.reports.released import (
    Case,
    Setting,
    report_agreement,
    report_cases,
    report_profile,
    report_ragged,
    ways_of,
)
from benchmarks.speed.reports.startup import report_startup

SMALL = {
    "hidden_size": 256,
    "intermediate_size": 1024,
    "num_hidden_layers": 6,
    "num_mtp_tokens": 4,
    "num_attention_heads": 4,
    "num_experts": 8,
}
"""Sizes of a network of 35.7 M parameters, which a laptop could train."""
SIMILAR_SIZES = {
    "hidden_size": 512,
    "intermediate_size": 2048,
    "num_hidden_layers": 4,
    "num_mtp_tokens": 5,
    "num_attention_heads": 8,
    "num_experts": 8,
}
"""Sizes of a Timer-S1 with about as many parameters as Chronos-2; a token uses a third of them."""
CONTEXTS = (2880, 11520)
QUICK_CASES = (Case(1, 64, 32, 1), Case(2, 64, 400, 1))
SMALL_CASES = (Case(1, 2880, 80), Case(64, 512, 80), Case(8, 11520, 720, repeats=2))


def full(arguments: argparse.Namespace, device: str = "cpu") -> None:
    """Report on the network of released size."""
    from timer_forecaster.models.timer_s1 import as_architecture

    config = as_architecture(arguments.sizes)
    ways, left_out = ways_of(
        arguments.reference_python, sys.executable, "bfloat16", int8=device == "cpu"
    )
    _print_left_out(left_out)
    folder = write_checkpoint(arguments.work / "full", arguments.sizes, "bfloat16")
    setting = Setting(folder, ways, arguments.rounds, device, arguments.quick)
    cases = QUICK_CASES if arguments.quick else full_cases(config, device)
    report_cases(setting, config, cases)
    report_agreement(setting, cases[0])
    if device == "cuda":
        report_profile(setting, cases[0])


def full_cases(config: Any, device: str) -> tuple[Case, ...]:
    """Return the cases of the network of released size: one pass of 272 steps, and 720 steps."""
    one_pass = (config.num_mtp_tokens + 1) * config.input_token_len
    if device == "cuda":
        return tuple(Case(batch, context, one_pass) for batch in (1, 64) for context in CONTEXTS)
    short, long = CONTEXTS
    return (
        Case(1, short, one_pass),
        Case(1, short, one_pass * 720 // 272, repeats=2),
        Case(1, long, one_pass, repeats=2),
        Case(64, short, one_pass, repeats=1),
    )


def gpu(arguments: argparse.Namespace) -> None:
    """Report on the network of released size on a GPU: wall time, and shares of an H200."""
    full(arguments, device="cuda")


def small(arguments: argparse.Namespace) -> None:
    """Report on 35.7 M parameters in float32."""
    from timer_forecaster.models.timer_s1 import as_architecture

    ways, left_out = ways_of(arguments.reference_python, sys.executable, "float32", int8=False)
    _print_left_out(left_out)
    folder = _small_checkpoint(arguments)
    setting = Setting(folder, ways, arguments.rounds, quick=arguments.quick)
    cases = (Case(2, 64, 100, 1),) if arguments.quick else SMALL_CASES
    report_cases(setting, as_architecture(SMALL), cases)
    report_agreement(setting, cases[0])
    report_ragged(setting, 4 if arguments.quick else 400, 48, 1)


def panel(arguments: argparse.Namespace) -> None:
    """Report on `timer-s1-mini` as the panel grows."""
    sizes = (2, 4) if arguments.quick else (10, 100, 1000, 10_000)
    report_panel_growth(asker(sys.executable, "ours"), sizes, arguments.rounds)


def growth(arguments: argparse.Namespace) -> None:
    """Report on the embedded and the small network by context, horizon and batch."""
    for name, contexts, checkpoint in (
        (MINI.name, (512, 128, 1024, 2048, 4096), MINI.name),
        ("35.7 M parameters", (2880, 512, 5760, 11520), _small_checkpoint(arguments)),
    ):
        print(f"**{name}**\n")
        report_growth(
            sys.executable,
            checkpoint,
            contexts=contexts[:2] if arguments.quick else contexts,
            horizons=(16,) if arguments.quick else (80, 16, 272, 720),
            batches=(2,) if arguments.quick else (1, 8, 64),
            repeats=1 if arguments.quick else 3,
        )


def neighbor(arguments: argparse.Namespace) -> None:
    """Report on wall time while every core but one is busy."""
    report_neighbor(
        sys.executable,
        arguments.reference_python,
        series=2 if arguments.quick else 64,
        rounds=arguments.rounds,
    )


def startup(arguments: argparse.Namespace) -> None:
    """Report on the time until an import or a first forecast is done, and on the package."""
    report_startup(1 if arguments.quick else arguments.rounds)


def peers(arguments: argparse.Namespace) -> None:
    """Report on the embedded checkpoints beside the released code and other forecasters."""
    pythons = {
        "ours": sys.executable,
        "reference": arguments.reference_python,
        "peers": arguments.peers_python,
    }
    folders = {
        SIMILAR: write_checkpoint(arguments.work / SIMILAR, SIMILAR_SIZES, "float32"),
        TTM_R2: write_ttm(arguments.work / TTM_R2, "r2-512-96"),
    }
    report_peers(pythons, folders, rounds=arguments.rounds, most=2 if arguments.quick else None)


PARTS: dict[str, Callable[[argparse.Namespace], None]] = {
    "full": full,
    "small": small,
    "peers": peers,
    "panel": panel,
    "growth": growth,
    "neighbor": neighbor,
    "startup": startup,
    "gpu": gpu,
}
"""By name on the command line, the function that prints the part."""


def _small_checkpoint(arguments: argparse.Namespace) -> Path:
    return write_checkpoint(arguments.work / "small", SMALL, "float32")


def _print_left_out(names: list[str]) -> None:
    for name in names:
        print(f"Left out: {name}.\n")
