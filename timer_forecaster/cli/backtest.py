"""The command `backtest`."""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from timer_forecaster.cli.common import (
    SOME_LEFT_OUT,
    STANDARD_STREAM,
    add_network,
    load_pipeline,
    print_summary,
)
from timer_forecaster.cli.covariates import (
    add_covariates,
    beside,
    printed_warnings,
    read_with_covariates,
    words_of_command,
)
from timer_forecaster.cli.output import (
    check_outputs,
    check_picture,
    check_table,
    save_picture,
)
from timer_forecaster.cli.report import about, add_report, check_report
from timer_forecaster.cli.table import add_table, asked_of, print_reading
from timer_forecaster.cli.windows import WINDOW_OPTIONS, add_windows

if TYPE_CHECKING:
    from timer_forecaster.backtesting import BacktestResult
    from timer_forecaster.frames.reading import SeriesFile


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.set_defaults(run=run)
    parser.usage = "%(prog)s DATA --horizon STEPS [options]"
    parser.description = (
        "Forecast the past of every target column, for every id, of a file from rolling origins; "
        "print the scores beside Seasonal Naive and other models, and say whether the forecasts "
        "beat the naive ones on these data. With --output, a run that was stopped continues where "
        "it was."
    )
    add_network(parser)
    add_table(parser)
    add_windows(parser)
    add = parser.add_argument
    add(
        "--output",
        type=Path,
        metavar="FILE or FOLDER",
        help="write all forecasts here: .csv, .parquet and the like; or a folder, for forecasts, "
        "scores and the leaderboard",
    )
    add(
        "--plot",
        type=Path,
        metavar="FILE.png",
        help="draw the best, median and worst window, and the coverage (png, pdf or svg)",
    )
    add_report(parser)
    add_covariates(parser)


def run(arguments: argparse.Namespace) -> int:
    """Backtest the file; print the leaderboard, and write or draw the forecasts.

    Returns
    -------
    int
        The exit status: `SOME_LEFT_OUT` if a series has no window, or if the checkpoint failed in
        one, else 0.
    """
    from timer_forecaster.backtesting import outputs

    _check(arguments)
    read = read_with_covariates(arguments)
    print_reading(arguments, read)
    started = time.perf_counter()
    result = _backtest(arguments, read)
    seconds = time.perf_counter() - started
    notes = list(result.notes)
    if arguments.output is not None:
        notes += outputs.write(result, arguments.output, read.with_ids)
    if arguments.plot is not None:
        save_picture(result.plot(), arguments.plot)
    if arguments.report is not None:
        result.report(arguments.report, **about(arguments, read))
    print(
        result, end="\n\n", file=sys.stderr if arguments.output == STANDARD_STREAM else sys.stdout
    )
    print_summary(
        f"Forecast {len(result.windows):,} windows by {len(result.models)} models in "
        f"{seconds:.1f} s",
        arguments.output,
        arguments.plot,
        arguments.report,
    )
    for note in notes:
        print(f"timer-forecaster: note: {note}", file=sys.stderr)
    failed = result.answers[result.model].reasons
    return SOME_LEFT_OUT if result.left_out or failed else 0


def _check(arguments: argparse.Namespace) -> None:
    """Refuse outputs and numbers that cannot be, before the file is read."""
    from timer_forecaster.backtesting import outputs
    from timer_forecaster.backtesting.settings import BacktestSettings

    BacktestSettings(**{name: getattr(arguments, name) for name in ("horizon", *WINDOW_OPTIONS)})
    inputs, output = [arguments.data, arguments.future], arguments.output
    named = {"--plot": arguments.plot, "--report": arguments.report}
    if output is None or not outputs.is_folder(output):
        check_table(output)
        named = {"--output": output, **named}
    check_outputs(named, inputs)
    if output is not None:
        outputs.check_output(output)
    check_picture(arguments.plot)
    check_report(arguments.report)


def _backtest(arguments: argparse.Namespace, read: SeriesFile) -> BacktestResult:
    """Return the result; its notes are printed later."""
    from timer_forecaster.backtesting.outputs import parts_of
    from timer_forecaster.estimators import options_of

    pipeline = load_pipeline(arguments.checkpoint, arguments)
    with _without_notes(), printed_warnings(), words_of_command(arguments), _words():
        return pipeline.backtest_frame(
            read.frame,
            arguments.horizon,
            baselines=arguments.against,
            **asked_of(arguments, read),
            parts=parts_of(arguments.output),
            **{name: getattr(arguments, name) for name in WINDOW_OPTIONS},
            **beside(read),
            **options_of(arguments).arguments,
        )


@contextmanager
def _words() -> Iterator[None]:
    """Name options in place of arguments in errors."""
    try:
        yield
    except (ValueError, ImportError) as error:
        text = str(error).replace("baselines: ", "--against: ")
        text = text.replace("min_history", "--min-history")
        raise (error if text == str(error) else type(error)(text)) from None


@contextmanager
def _without_notes() -> Iterator[None]:
    """Give no warning of the notes of a result, which are printed in its place."""
    from timer_forecaster.backtesting import BacktestWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BacktestWarning)
        yield
