"""The command `checkpoints`."""

from __future__ import annotations

import argparse


def add_options(parser: argparse.ArgumentParser) -> None:
    """Make the parser run the command, which has no options."""
    parser.set_defaults(run=run)
    parser.description = (
        "List the names that --checkpoint takes, where the weights are, and what they are. "
        "--checkpoint takes folders, and ids of the Hugging Face hub, as well."
    )


def run(arguments: argparse.Namespace) -> None:
    """Print a line for each checkpoint that has a name."""
    from timer_forecaster import list_checkpoints

    for checkpoint in list_checkpoints():
        place = "in the package" if checkpoint.embedded else "on the hub"
        print(f"{checkpoint.name:28} {place:16} {checkpoint.description}")
