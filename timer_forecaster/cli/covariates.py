"""The covariates of a forecast: their options, and errors in the words of the command."""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from timer_forecaster.cli.common import STANDARD_STREAM
from timer_forecaster.cli.table import COLUMN_OPTIONS, read_table
from timer_forecaster.cli.words import in_options

if TYPE_CHECKING:
    from timer_forecaster.frames.reading import SeriesFile

_ROLES = ("target_columns", "known_columns", "past_columns")
_WORDS = {**{role: COLUMN_OPTIONS[role] for role in _ROLES}, "in categories": "in --categories"}

_CHOICES = ("auto", "always", "fast", "off")  # as in `CovariateOptions`, whose import loads torch


def add_covariates(parser: argparse.ArgumentParser, future: bool = True) -> None:
    """Add the options of covariates; only forecasts of the future have a file of it."""
    group = parser.add_argument_group("columns that say more of the series")
    add = group.add_argument
    names: dict[str, Any] = {"nargs": "+", "action": "extend", "metavar": "NAME"}
    known = "columns known over the horizon, such as prices and holidays, also as a,b"
    if future:
        add(
            "--future",
            type=Path,
            metavar="FILE",
            help="file with the known columns over the horizon, and the time and id columns of "
            "DATA",
        )
        known += "; default: all columns of --future. Without --future, rows of DATA with empty "
        known += "targets hold them"
    else:
        parser.set_defaults(future=None)
    add("--known", **names, help=known)
    add("--past", **names, help="columns known up to the last target, also as a,b")
    add(
        "--categories",
        **names,
        help="those of these columns whose numbers are categories, such as codes, also as a,b; "
        "texts are found without",
    )
    add(
        "--covariates",
        choices=_CHOICES,
        default="auto",
        help="use these columns as far as a check in the history shows that they help (auto, or "
        "fast at less cost), in any case, or not at all; default: auto",
    )


def read_with_covariates(arguments: argparse.Namespace) -> SeriesFile:
    """Read the file of series, and the file of the future if there is one."""
    if not _asked(arguments):
        return read_table(arguments, "nan")
    if arguments.future == arguments.data == STANDARD_STREAM:
        raise ValueError("--future and DATA are both the standard input: name a file for one")
    with words_of_command(arguments):
        return read_table(
            arguments,
            "nan",
            known_columns=arguments.known,
            past_columns=arguments.past,
            categories=arguments.categories,
            future=arguments.future,
        )


def beside(read: SeriesFile) -> dict[str, Any]:
    """Return covariates that were read as arguments of `ForecastPipeline.predict_frame`."""
    if not read.known_columns and not read.past_columns:
        return {}
    columns = {"known_columns": read.known_columns, "past_columns": read.past_columns}
    return {"future_frame": read.future, **columns}


def in_words(text: str, arguments: argparse.Namespace) -> str:
    """Return a message with options and the file of the future in place of arguments."""
    text = in_options(text)
    if not _asked(arguments):
        return text
    for argument, option in _WORDS.items():
        text = text.replace(argument, option)
    return text.replace("future_frame", str(arguments.future or "--future FILE"))


@contextmanager
def words_of_command(arguments: argparse.Namespace) -> Iterator[None]:
    """Name options and the file of the future in errors."""
    try:
        yield
    except ValueError as error:
        text = in_words(str(error), arguments)
        raise (error if text == str(error) else ValueError(text)) from None


@contextmanager
def printed_warnings() -> Iterator[None]:
    """Print warnings about covariates and frequencies to stderr as notes; others are given."""
    from timer_forecaster.inference.covariates import CovariateWarning
    from timer_forecaster.inference.frequency_warning import FrequencyWarning

    notes = CovariateWarning, FrequencyWarning
    with warnings.catch_warnings(record=True) as caught:
        for category in notes:
            warnings.simplefilter("always", category)
        yield
    said: set[str] = set()
    for warning in caught:
        text = in_options(str(warning.message))
        if isinstance(warning.message, notes):
            if text not in said:
                print(f"timer-forecaster: note: {text}", file=sys.stderr)
            said.add(text)
        else:
            warnings.warn_explicit(
                warning.message, warning.category, warning.filename, warning.lineno
            )


def _asked(arguments: argparse.Namespace) -> bool:
    return any((arguments.future, arguments.known, arguments.past, arguments.categories))
