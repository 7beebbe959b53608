"""The command `timer-forecaster`: a module here for each of its commands."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from timer_forecaster import __version__
from timer_forecaster.cli.help import show_examples
from timer_forecaster.cli.words import options_named

__all__ = ["main"]

_COMMANDS = {
    "forecast": "forecast the columns of a file",
    "backtest": "score forecasts of the past of a file, beside other models",
    "anomalies": "find the odd steps of the columns of a file",
    "finetune": "finetune a checkpoint to the series of a file",
    "evaluate": "score checkpoints on GIFT-Eval",
    "pretrain": "train a checkpoint",
    "corpus": "build or describe a training corpus",
    "convert": "write a checkpoint of half the size",
    "checkpoints": "list the checkpoints that have a name",
}

_EXPECTED = (ValueError, TypeError, ArithmeticError, OSError)  # what checks of arguments raise


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments without the name of the program. Default: the arguments of the process.

    Returns
    -------
    int
        0; or 3 if some series of a file could not be forecast, and the others were;
        or 2 if the input cannot be used, a file cannot be read or written, or a training run
        failed; or 130 after Ctrl-C. The reason is then one line on stderr. It is 141 if the reader
        of the output has gone, as the reader of ``timer-forecaster ... | head`` has.
    """
    words = list(sys.argv[1:] if argv is None else argv) or ["--help"]
    try:
        return _run(words)
    except BrokenPipeError:
        _close_output()
        return 128 + 13  # the status of a program that SIGPIPE has ended
    except KeyboardInterrupt:
        print("timer-forecaster: interrupted", file=sys.stderr)
        return 128 + 2  # the status of a program that SIGINT has ended
    except (*_EXPECTED, ImportError, MemoryError) as error:
        text = " ".join(str(error).split()) or "memory does not suffice"
        print(f"timer-forecaster: error: {text}", file=sys.stderr)
        return 2


def _run(words: Sequence[str]) -> int:
    """Run a command and return its exit status; most commands return none and mean 0."""
    try:
        arguments = _parser(words).parse_args(words)
        with options_named(arguments):
            status: int | None = arguments.run(arguments)
    except SystemExit:  # of argparse, after a help text for instance
        sys.stdout.flush()
        raise
    sys.stdout.flush()
    return status or 0


def _close_output() -> None:
    """Let nothing more be written to a pipe without a reader, at the end of the process either."""
    with contextlib.suppress(OSError, ValueError):  # an output that is no file
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parser(words: Sequence[str]) -> argparse.ArgumentParser:
    """Make the parser, with the options of the command that the words begin with.

    The modules of the other commands are not imported, so that help is quick.
    """
    parser = argparse.ArgumentParser(
        prog="timer-forecaster",
        description="Probabilistic forecasts with Timer-S1 and TinyTimeMixer, from files as people "
        "write them. Trained checkpoints are inside the package: nothing is downloaded.",
        epilog="`timer-forecaster COMMAND --help` has all options of a command, their defaults and "
        "more examples. Exit status: 0, or 3 if some series were left out, or 2 with a line that "
        "says why nothing could be done.",
    )
    show_examples(parser, "")
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for name, summary in _COMMANDS.items():
        command = commands.add_parser(name, help=summary)
        show_examples(command, name)
        if name in words[:1]:
            import_module(f"timer_forecaster.cli.{name}").add_options(command)
    return parser
