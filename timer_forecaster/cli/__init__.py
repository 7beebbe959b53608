"""The command `timer-forecaster`: a module here for each of its commands."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module

from timer_forecaster import __version__

__all__ = ["main"]

_COMMANDS = {
    "forecast": "forecast the columns of a file",
    "finetune": "finetune a checkpoint to the series of a file",
    "evaluate": "score checkpoints on GIFT-Eval",
    "pretrain": "train a checkpoint",
    "corpus": "build or describe a training corpus",
    "convert": "write a checkpoint of half the size",
    "checkpoints": "list the checkpoints that have a name",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments without the name of the program. Default: the arguments of the process.

    Returns
    -------
    int
        0, or 2 if the input cannot be used or a training run failed. The reason is then one line
        on stderr.
    """
    words = sys.argv[1:] if argv is None else list(argv)
    arguments = _parser(words).parse_args(words)
    try:
        arguments.run(arguments)
    except (ValueError, FloatingPointError, ImportError, OSError) as error:
        print(f"timer-forecaster: error: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    return 0


def _parser(words: Sequence[str]) -> argparse.ArgumentParser:
    """Make the parser, with the options of the command that the words begin with.

    The modules of the other commands are not imported, so that help is quick.
    """
    parser = argparse.ArgumentParser(
        prog="timer-forecaster", description="Probabilistic forecasts with Timer-S1."
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for name, summary in _COMMANDS.items():
        command = commands.add_parser(name, help=summary)
        if name in words[:1]:
            import_module(f"timer_forecaster.cli.{name}").add_options(command)
    return parser
