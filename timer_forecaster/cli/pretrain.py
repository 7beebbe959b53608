"""The command `pretrain`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from timer_forecaster.cli.common import needs_extra


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.set_defaults(run=run)
    parser.usage = "%(prog)s CONFIG [options]"
    parser.description = (
        "Train a checkpoint by the settings of a YAML file. A second run continues where the first "
        "was interrupted; start it with torchrun or accelerate launch to train in several "
        "processes."
    )
    add = parser.add_argument
    add(
        "config",
        metavar="CONFIG",
        help="settings of the run: a YAML file, or a recipe of the package: tiny (seconds), "
        "timer-s1-mini, timer-s1-small or ttm-mini",
    )
    add(
        "--output",
        type=Path,
        metavar="FOLDER",
        help="folder of the checkpoint, its log and what a run resumes from; default: runs/ and "
        "the name of the settings",
    )
    add(
        "--resume",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="default: continue the run in the folder; --no-resume refuses a folder with a run",
    )
    add(
        "--device",
        default="auto",
        choices=("auto", "cpu", "cuda"),
        help="where to train; default: auto, a GPU if there is one",
    )
    for flag, about in (
        ("--minutes", "stop after this time with a checkpoint; the same command continues"),
        ("--checkpoint-minutes", "write a checkpoint also whenever the newest is this old"),
    ):
        add(flag, type=float, metavar="M", help=about)
    add("--compile", action="store_true", help="compile blocks and loss: slow start, faster steps")


@needs_extra("pretrain")
def run(arguments: argparse.Namespace) -> None:
    """Train, and print the records of the training as they come."""
    import json
    import os

    from tqdm.auto import tqdm

    from timer_forecaster.pretraining import pretrain, read_config

    config = read_config(arguments.config)
    folder, metrics = pretrain(
        config,
        arguments.output or Path("runs") / Path(arguments.config).stem,
        device=arguments.device,
        compile_blocks=arguments.compile,
        resume=arguments.resume,
        progress=sys.stderr.isatty(),
        on_record=lambda record: tqdm.write(json.dumps(record)),
        seconds=_seconds("--minutes", arguments.minutes),
        checkpoint_seconds=_seconds("--checkpoint-minutes", arguments.checkpoint_minutes),
    )
    if os.environ.get("RANK", "0") == "0":
        steps = metrics["step"]
        of = "" if steps == config.steps else f" of {config.steps}; the same command continues"
        print(f"Trained {steps} steps{of} -> {folder}")


def _seconds(option: str, minutes: float | None) -> float | None:
    from timer_forecaster.pretraining.limits import checked_seconds

    checked = checked_seconds(option, minutes)
    return None if checked is None else 60 * checked
