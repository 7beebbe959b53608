"""The file of series that a command reads: its options, and the report of the reading."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from timer_forecaster.cli.common import STANDARD_STREAM
from timer_forecaster.cli.settings import add_settings, given_settings
from timer_forecaster.frames.files.options import ReadingOptions

if TYPE_CHECKING:
    from timer_forecaster.frames.reading import SeriesFile

COLUMN_OPTIONS = {
    "time_column": "--time-column",
    "id_column": "--id-column",
    "target_columns": "--target",
    "known_columns": "--known",
    "past_columns": "--past",
    "categories": "--categories",
}


def add_table(parser: argparse.ArgumentParser) -> None:
    """Add the options that name a file and its columns, and that say how it is written.

    The usage of the parser has to name DATA first. By itself it would be last, where an option of
    several names takes it for one of them.
    """
    add = parser.add_argument
    add(
        "data",
        type=Path,
        metavar="DATA",
        help="a text file such as CSV, plain or packed, an Excel or a Parquet file, or - for the "
        "standard input: a row of names, then one row per time (and id). DATA comes first, since "
        "options of several NAMEs, such as --target, take all words that follow",
    )
    add(
        "--time-column",
        nargs="+",
        metavar="NAME",
        help="column of dates (ISO 8601 is read without guessing) or integers, or two columns of a "
        "date and a clock time; default: the only column of dates",
    )
    add(
        "--target",
        nargs="+",
        action="extend",
        metavar="NAME",
        help="columns that are series; default: all numeric columns but the time, the ids, row "
        "numbers, parts of the date and constants",
    )
    add("--id-column", nargs="+", metavar="NAME", help="columns that identify the series of a row")
    add("--freq", help="step of the times, such as h, 15min, B or MS; default: inferred")
    add("--quiet", action="store_true", help="print no report of how the file was read")
    reading = parser.add_argument_group("how the file is written, if it is not found out")
    add_settings(reading, ReadingOptions)


def read_table(
    arguments: argparse.Namespace, on_error: str = "raise", **covariates: Any
) -> SeriesFile:
    """Read the file that the options of `add_table` name.

    Parameters
    ----------
    arguments : Namespace
    on_error : {"raise", "nan"}
        As in `read_series`.
    **covariates
        The columns and the file of covariates, as in `read_series`; none by default.
    """
    from timer_forecaster.frames.reading import MissingColumnError, read_series

    if covariates.get("future") == STANDARD_STREAM:
        covariates["future"] = sys.stdin.buffer
    standard_input = arguments.data == STANDARD_STREAM
    try:
        return read_series(
            sys.stdin.buffer if standard_input else arguments.data,
            time_column=arguments.time_column,
            id_column=arguments.id_column,
            target_columns=arguments.target,
            freq=arguments.freq,
            options=ReadingOptions(**given_settings(arguments, ReadingOptions)),
            on_error=on_error,
            **covariates,
        )
    except MissingColumnError as error:
        raise error.renamed(COLUMN_OPTIONS[error.argument]) from None


def asked_of(arguments: argparse.Namespace, read: SeriesFile) -> dict[str, Any]:
    """Return how a method of the pipeline is asked for all series of a file."""
    return {
        "time_column": read.time_column,
        "id_column": read.id_column,
        "target_columns": read.target_columns,
        "freq": arguments.freq,
        "progress": sys.stderr.isatty(),
        "on_error": "nan",
    }


def print_reading(arguments: argparse.Namespace, read: SeriesFile) -> None:
    """Print to stderr how the file was read, unless --quiet."""
    if not arguments.quiet:
        print(read.summarized(arguments.freq), file=sys.stderr)


def print_left_out(reasons: Mapping[str, str], n_series: int) -> None:
    """Print to stderr which series have no forecast, and why."""
    print(f"timer-forecaster: {len(reasons)} of {n_series} series left out:", file=sys.stderr)
    for name, reason in reasons.items():
        print(f"  {name}: {reason}", file=sys.stderr)
