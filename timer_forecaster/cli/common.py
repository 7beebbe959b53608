"""Options and steps that several commands share."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from timer_forecaster.checkpoints.registry import TIMER_S1_SMALL
from timer_forecaster.extras import missing_extra
from timer_forecaster.models.timer_s1.architecture import DTYPES, QUALITIES, ROLLOUTS

if TYPE_CHECKING:
    from timer_forecaster import ForecastPipeline

TABLE_ROWS = 12
"""Rows of a table that is printed."""

SOME_LEFT_OUT = 3
"""Exit status where some series have a forecast, and others have none."""


STANDARD_STREAM = Path("-")
"""Name that stands for the standard input or output."""


def add_network(parser: argparse.ArgumentParser) -> None:
    """Add the options of a checkpoint and its forecasts, under a heading of their own."""
    group = parser.add_argument_group("the checkpoint, and how it forecasts")
    add_checkpoint(group)
    add_forecast_options(group)
    add_loading_options(group)


def add_checkpoint(parser: argparse._ActionsContainer) -> None:
    """Add the option that names a checkpoint."""
    parser.add_argument(
        "--checkpoint",
        default=TIMER_S1_SMALL,
        metavar="NAME",
        help="name that `timer-forecaster checkpoints` lists, folder or hub id; "
        "default: %(default)s",
    )


def add_forecast_options(parser: argparse._ActionsContainer) -> None:
    """Add an option for each field of `ForecastOptions`."""
    add = parser.add_argument
    add(
        "--context-length",
        type=int,
        metavar="STEPS",
        help="newest steps to forecast from; default: all that the checkpoint reads",
    )
    add(
        "--rollout",
        choices=("auto", *ROLLOUTS),
        default="auto",
        help="how to continue beyond one pass; default: auto, as the checkpoint prefers",
    )
    add(
        "--flip",
        action="store_true",
        help="average over both signs of each series, at twice the cost",
    )
    add(
        "--batch-size",
        type=int,
        metavar="SERIES",
        help="most series that enter the network at once; default: by a budget of tokens",
    )
    _add_readings(parser)


def _add_readings(parser: argparse._ActionsContainer) -> None:
    """Add the options that say how series are read, and what their forecasts may be."""
    add = parser.add_argument
    add(
        "--padding",
        choices=("mean", "released"),
        default="mean",
        help="values before a history that is shorter than the only context of a TinyTimeMixer; "
        "default: mean. released: zeros, as in the released implementation",
    )
    add(
        "--quality",
        choices=QUALITIES,
        default="fast",
        help="default: fast, one reading of each series, transformed if the checkpoint prefers it. "
        "best: the mean of both signs and, within one pass, of a transformed series as it is, at "
        "two to four times the cost. plain: the series as it is",
    )
    add(
        "--nonnegative",
        action=argparse.BooleanOptionalAction,
        default="auto",
        help="whether forecasts are never negative; then negative values are refused. default: "
        "%(default)s, those of a history without negative values, if series are transformed",
    )


def add_loading_options(parser: argparse._ActionsContainer) -> None:
    """Add the options that say which network a checkpoint becomes."""
    add = parser.add_argument
    add("--adapter", metavar="FOLDER", help="folder that `finetune` wrote, or a hub id")
    add(
        "--device",
        default="auto",
        metavar="NAME",
        help="such as cpu, cuda or cuda:1; default: auto, a GPU if there is one, but a CPU for "
        "8-bit experts",
    )
    add(
        "--dtype",
        choices=("auto", *DTYPES),
        default="auto",
        help="type to compute in; default: auto, float32 or, for large networks, as stored",
    )
    add_quantization(parser)


def add_quantization(parser: argparse._ActionsContainer, default: str | None = None) -> None:
    """Add the option for 8-bit experts."""
    parser.add_argument(
        "--quantization",
        choices=("int8",),
        default=default,
        help="experts in 8-bit integers, on a CPU; default: "
        + ("as the checkpoint is stored" if default is None else default),
    )


def levels_of(arguments: argparse.Namespace) -> tuple[float, ...]:
    """Return the quantile levels of a forecast."""
    return arguments.levels or (0.1, 0.5, 0.9)


def levels_of_words(text: str) -> tuple[float, ...]:
    """Return the levels that a text lists."""
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a list of numbers such as 0.1,0.5,0.9"
        ) from None


def load_pipeline(checkpoint: str, arguments: argparse.Namespace) -> ForecastPipeline:
    """Return the pipeline of a checkpoint, by the options of `add_loading_options`."""
    from timer_forecaster import ForecastPipeline

    return ForecastPipeline.from_pretrained(
        checkpoint,
        device=arguments.device,
        dtype=arguments.dtype,
        quantization=arguments.quantization,
        adapter=arguments.adapter,
    )


def print_summary(summary: str, *paths: Path | None) -> None:
    """Print a sentence and the files that were written; to stderr if a table is on stdout."""
    written = ", ".join(str(path) for path in paths if path not in (None, STANDARD_STREAM))
    file = sys.stderr if STANDARD_STREAM in paths else sys.stdout
    print(f"{summary} -> {written}" if written else summary, file=file)


@contextmanager
def needs_extra(extra: str) -> Iterator[None]:
    """Add the extra of the package that has it to the error of a missing module."""
    try:
        yield
    except ModuleNotFoundError as error:
        module = str(error.name).partition(".")[0]
        raise ImportError(missing_extra(f"this command needs {module}", extra)) from error
