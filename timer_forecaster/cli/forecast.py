"""The command `forecast`."""

from __future__ import annotations

import argparse
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from timer_forecaster.cli.common import (
    SOME_LEFT_OUT,
    TABLE_ROWS,
    add_network,
    levels_of,
    levels_of_words,
    load_pipeline,
    print_summary,
)
from timer_forecaster.cli.covariates import (
    add_covariates,
    beside,
    in_words,
    printed_warnings,
    read_with_covariates,
    words_of_command,
)
from timer_forecaster.cli.output import check_results, save_picture, save_table
from timer_forecaster.cli.paths import add_paths, check_paths, how_many
from timer_forecaster.cli.report import add_report, report_forecast
from timer_forecaster.cli.streaming import add_streaming, is_streamed, stream
from timer_forecaster.cli.table import add_table, asked_of, print_left_out, print_reading

if TYPE_CHECKING:
    import pandas as pd

    from timer_forecaster.frames.reading import SeriesFile


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.set_defaults(run=run)
    parser.usage = "%(prog)s DATA --horizon STEPS [options]"
    parser.description = (
        "Forecast every target column, for every id, of a file. Without --output, --plot and "
        "--report the first rows of the forecast are printed. Lines on stderr say how the file was "
        "read."
    )
    add_network(parser)
    add_table(parser)
    add = parser.add_argument
    add("--horizon", type=int, required=True, metavar="STEPS", help="steps to forecast")
    add(
        "--levels",
        type=levels_of_words,
        metavar="LEVELS",
        help="quantile levels with commas between them; default: 0.1,0.5,0.9",
    )
    add(
        "--output",
        type=Path,
        metavar="FILE.csv or FOLDER",
        help="write the forecast here: .csv, .tsv, .json, .parquet, .xlsx, .csv.gz and the like, "
        "or - for the standard output. A folder: series are streamed, so that memory need not hold "
        "them (docs/scale.md); a run that was stopped goes on",
    )
    add("--plot", type=Path, metavar="FILE.png", help="draw it here (png, pdf or svg)")
    add_report(parser)
    add_paths(parser)
    add_streaming(parser)
    add_covariates(parser)


def run(arguments: argparse.Namespace) -> int:
    """Forecast the file, and write, draw or print the forecast.

    Returns
    -------
    int
        The exit status: `SOME_LEFT_OUT` if some series could not be forecast, else 0.
    """
    if is_streamed(arguments):
        return stream(arguments)
    _check(arguments)
    read = read_with_covariates(arguments)
    _check_length(arguments, read)
    print_reading(arguments, read)
    started = time.perf_counter()
    drawn, reasons = _forecast(arguments, read)
    seconds = time.perf_counter() - started
    forecast = read.with_ids(drawn.drop(columns=_extra_columns(arguments)))
    if arguments.output is not None:
        save_table(forecast, arguments.output)
    if arguments.plot is not None:
        _draw(arguments, read, drawn)
    if arguments.report is not None:
        report_forecast(arguments, read, drawn, reasons)
    written = arguments.output, arguments.plot, arguments.report
    if not any(written):
        _print_table(forecast)
    n_series = len(forecast) // _rows_of_each(arguments)
    print_summary(
        f"Forecast {arguments.horizon} steps of {n_series} series in {seconds:.1f} s",
        *written,
    )
    if reasons:
        print_left_out(reasons, len(reasons) + n_series)
    return SOME_LEFT_OUT if reasons else 0


def _check(arguments: argparse.Namespace) -> None:
    """Refuse outputs and levels that cannot be, before the file is read."""
    from timer_forecaster.checks import check_integer
    from timer_forecaster.frames.long import level_columns

    check_results(arguments, [arguments.data, arguments.future])
    check_integer("horizon", arguments.horizon)
    check_paths(arguments)
    level_columns(levels_of(arguments), time_column=None, id_column=None)


def _check_length(arguments: argparse.Namespace, read: SeriesFile) -> None:
    """Refuse a forecast that is too long for the format of its file."""
    if arguments.output is not None:
        from timer_forecaster.frames.files.saving import check_table_rows

        ids = 1 if read.id_column is None else read.frame[read.id_column].nunique()
        rows = ids * len(read.target_columns) * _rows_of_each(arguments)
        check_table_rows(arguments.output, rows)


def _rows_of_each(arguments: argparse.Namespace) -> int:
    """Return the number of rows of each series in the output."""
    return int(arguments.horizon * (arguments.paths or 1))


def _forecast(
    arguments: argparse.Namespace, read: SeriesFile
) -> tuple[pd.DataFrame, dict[str, str]]:
    """Return the forecast, and the reasons of the series that have none."""
    from timer_forecaster.estimators import options_of
    from timer_forecaster.failures import recorded_failures
    from timer_forecaster.frames.long import VALUE, column_name

    pipeline = load_pipeline(arguments.checkpoint, arguments)
    levels = [*levels_of(arguments), *([0.5] if _extra_columns(arguments) else [])]
    ask, columns = partial(pipeline.predict_frame, levels=levels), list(map(column_name, levels))
    if arguments.paths is not None:
        ask, columns = partial(pipeline.sample_paths_frame, **how_many(arguments)), [VALUE]
    with recorded_failures() as reasons, printed_warnings(), words_of_command(arguments):
        forecast = ask(
            read.frame,
            arguments.horizon,
            **asked_of(arguments, read),
            **beside(read),
            **options_of(arguments).arguments,
        )
    reasons = {name: in_words(reason, arguments) for name, reason in reasons.items()}
    if reasons:
        forecast = forecast.dropna(subset=columns, how="all")
    if forecast.empty:
        name, reason = next(iter(reasons.items()))
        raise ValueError(reason if name in reason else f"{name}: {reason}")
    return forecast.reset_index(drop=True), reasons


def _extra_columns(arguments: argparse.Namespace) -> list[str]:
    """Return the columns for pictures alone: the median, if it is not among the levels."""
    drawn = arguments.plot is not None or arguments.report is not None
    return ["q0.5"] if drawn and 0.5 not in levels_of(arguments) else []


def _draw(arguments: argparse.Namespace, read: SeriesFile, forecast: pd.DataFrame) -> None:
    from timer_forecaster.plotting import plot_forecast

    figure = plot_forecast(
        read.frame, forecast, time_column=read.time_column, id_column=read.id_column
    )
    save_picture(figure, arguments.plot)


def _print_table(forecast: pd.DataFrame) -> None:
    head = forecast.head(TABLE_ROWS)
    print(head.to_string(index=False, float_format="{:.6g}".format))
    if len(forecast) > len(head):
        print(f"... and {len(forecast) - len(head)} more rows: --output FILE.csv writes all")
