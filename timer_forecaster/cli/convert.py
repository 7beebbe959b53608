"""The command `convert`."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from timer_forecaster.cli.common import add_quantization


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.set_defaults(run=run)
    parser.description = (
        "Write a checkpoint with experts in 8-bit integers to a folder, once. The folder then "
        "loads by its name in less time and memory."
    )
    add = parser.add_argument
    add(
        "checkpoint",
        metavar="NAME",
        help="name that `timer-forecaster checkpoints` lists, folder or hub id",
    )
    add_quantization(parser, default="int8")
    add(
        "--output",
        type=Path,
        required=True,
        metavar="FOLDER",
        help="write the checkpoint to this folder, which must not exist yet",
    )


def run(arguments: argparse.Namespace) -> None:
    """Convert the checkpoint, and print its size."""
    from timer_forecaster.inference import convert_checkpoint

    started = time.perf_counter()
    folder = convert_checkpoint(
        arguments.checkpoint, arguments.output, quantization=arguments.quantization
    )
    size = sum(file.stat().st_size for file in folder.iterdir())
    seconds = time.perf_counter() - started
    print(f"Converted {arguments.checkpoint} in {seconds:.1f} s: {size / 1e6:.1f} MB -> {folder}")
