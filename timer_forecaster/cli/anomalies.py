"""The command `anomalies`."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from timer_forecaster.cli.common import (
    SOME_LEFT_OUT,
    STANDARD_STREAM,
    TABLE_ROWS,
    add_network,
    load_pipeline,
    print_summary,
)
from timer_forecaster.cli.covariates import (
    add_covariates,
    in_words,
    printed_warnings,
    read_with_covariates,
    words_of_command,
)
from timer_forecaster.cli.output import check_results, save_picture, save_table
from timer_forecaster.cli.report import about, add_report, left_out
from timer_forecaster.cli.table import add_table, asked_of, print_left_out, print_reading

if TYPE_CHECKING:
    from timer_forecaster.frames.reading import SeriesFile
    from timer_forecaster.inference.anomalies import AnomalyReport

_SETTINGS = ("level", "horizon", "min_history", "calibrate", "repair", "exact")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.set_defaults(run=run)
    parser.usage = "%(prog)s DATA [--level LEVEL] [options]"
    parser.description = (
        "Find the steps of every target column, for every id, of a file that the forecasts from "
        "earlier steps did not expect; print the oddest ones. --output writes all steps with what "
        "was expected of them. A report on stderr says how the file was read."
    )
    add_network(parser)
    add_table(parser)
    _add_settings(parser)
    add = parser.add_argument
    add(
        "--output",
        type=Path,
        metavar="FILE.csv",
        help="write all steps here, with their scores: .csv, .tsv, .json, .parquet, .xlsx, .csv.gz "
        "and the like, or - for the standard output",
    )
    add("--plot", type=Path, metavar="FILE.png", help="draw them here (png, pdf or svg)")
    add_report(parser)
    add_covariates(parser, future=False)


def _add_settings(parser: argparse.ArgumentParser) -> None:
    add: Any = parser.add_argument
    add(
        "--level",
        type=float,
        default=0.99,
        help="share of steps that are no anomalies; default: %(default)s, one in a hundred is odd",
    )
    steps = {"type": int, "metavar": "STEPS"}
    text = "steps ahead that each step is forecast; default: %(default)s"
    add("--horizon", default=1, help=text, **steps)
    text = "observed values that a step needs before it; default: %(default)s"
    add("--min-history", default=32, help=text, **steps)
    add(
        "--calibrate",
        choices=("auto", "table", "off"),
        default="auto",
        help="tails of the forecasts by a table and the earlier steps of each series, by the table "
        "alone, or as they are; default: auto",
    )
    add(
        "--no-repair",
        dest="repair",
        action="store_false",
        help="let later histories hold very odd values too",
    )
    add(
        "--fast",
        dest="exact",
        action="store_false",
        help="for a Timer-S1: share rows of the network, which changes forecasts a little",
    )


def run(arguments: argparse.Namespace) -> int:
    """Search the file; print the oddest steps, and write or draw all of them.

    Returns
    -------
    int
        The exit status: `SOME_LEFT_OUT` if some series could not be read, else 0.
    """
    _check(arguments)
    read = read_with_covariates(arguments)
    print_reading(arguments, read)
    started = time.perf_counter()
    report, reasons = _detect(arguments, read)
    seconds = time.perf_counter() - started
    if arguments.output is not None:
        save_table(read.with_ids(report.to_frame()), arguments.output)
    if arguments.plot is not None:
        save_picture(report.plot_all(), arguments.plot)
    if arguments.report is not None:
        title = f"Unusual steps of {Path(read.report.file).name}"
        notes = left_out(reasons)
        report.report(arguments.report, title=title, notes=notes, **about(arguments, read))
    _print_oddest(arguments, read, report)
    summary = f"{report.sentence}; {seconds:.1f} s"
    print_summary(summary, arguments.output, arguments.plot, arguments.report)
    if reasons:
        print_left_out(reasons, report.n_series)
    return SOME_LEFT_OUT if reasons else 0


def _check(arguments: argparse.Namespace) -> None:
    """Refuse outputs and settings that cannot be, before the file is read."""
    from timer_forecaster.checks import check_integer, check_level

    check_results(arguments, [arguments.data])
    check_level("level", arguments.level)
    for name in ("horizon", "min_history"):
        check_integer(name, getattr(arguments, name))


def _detect(
    arguments: argparse.Namespace, read: SeriesFile
) -> tuple[AnomalyReport, dict[str, str]]:
    """Return the report, and the reasons of the series that could not be read."""
    from timer_forecaster.estimators import options_of
    from timer_forecaster.failures import recorded_failures

    pipeline = load_pipeline(arguments.checkpoint, arguments)
    with recorded_failures() as reasons, printed_warnings(), words_of_command(arguments):
        report = pipeline.detect_anomalies_frame(
            read.frame,
            **asked_of(arguments, read),
            known_columns=read.known_columns or None,
            past_columns=read.past_columns or None,
            **{name: getattr(arguments, name) for name in _SETTINGS},
            **options_of(arguments).arguments,
        )
    reasons = {name: in_words(reason, arguments) for name, reason in reasons.items()}
    if len(reasons) == report.n_series:
        raise ValueError(next(iter(reasons.values())))
    return report, reasons


def _print_oddest(arguments: argparse.Namespace, read: SeriesFile, report: AnomalyReport) -> None:
    """Print the oddest steps; to stderr if the table of all is on stdout."""
    found = report.anomalies
    if not len(found):
        return
    file = sys.stderr if arguments.output == STANDARD_STREAM else sys.stdout
    head = read.with_ids(found.head(TABLE_ROWS))
    print(head.to_string(index=False, float_format="{:.6g}".format), file=file)
    if len(found) > len(head):
        print(f"... and {len(found) - len(head)} more anomalies", file=file)
