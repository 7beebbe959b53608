"""The command `forecast`."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from timer_forecaster.cli.common import (
    SOME_LEFT_OUT,
    TABLE_ROWS,
    add_checkpoint,
    add_forecast_options,
    add_loading_options,
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
from timer_forecaster.cli.output import (
    check_outputs,
    check_picture,
    check_table,
    save_picture,
    save_table,
)
from timer_forecaster.cli.table import add_table, print_left_out, print_reading

if TYPE_CHECKING:
    import pandas as pd

    from timer_forecaster.frames.reading import SeriesFile


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.set_defaults(run=run)
    parser.usage = "%(prog)s DATA --horizon STEPS [options]"
    parser.description = (
        "Forecast every target column, for every id, of a file. Without --output and --plot the "
        "first rows of the forecast are printed. A report on stderr says how the file was read."
    )
    add_table(parser)
    add = parser.add_argument
    add("--horizon", type=int, required=True, metavar="STEPS", help="steps to forecast")
    add(
        "--levels",
        type=levels_of_words,
        default=(0.1, 0.5, 0.9),
        metavar="LEVELS",
        help="quantile levels with commas between them; default: 0.1,0.5,0.9",
    )
    add(
        "--output",
        type=Path,
        metavar="FILE.csv",
        help="write the forecast here: .csv, .tsv, .json, .parquet, .xlsx, .csv.gz and the like, "
        "or - for the standard output",
    )
    add("--plot", type=Path, metavar="FILE.png", help="draw it here (png, pdf or svg)")
    add_covariates(parser)
    add_checkpoint(parser)
    add_forecast_options(parser)
    add_loading_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Forecast the file, and write, draw or print the forecast.

    Returns
    -------
    int
        The exit status: `SOME_LEFT_OUT` if some series could not be forecast, else 0.
    """
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
    if arguments.output is None and arguments.plot is None:
        _print_table(forecast)
    n_series = len(forecast) // arguments.horizon
    print_summary(
        f"Forecast {arguments.horizon} steps of {n_series} series in {seconds:.1f} s",
        arguments.output,
        arguments.plot,
    )
    if reasons:
        print_left_out(reasons, len(reasons) + n_series)
    return SOME_LEFT_OUT if reasons else 0


def _check(arguments: argparse.Namespace) -> None:
    """Refuse outputs and levels that cannot be, before the file is read."""
    from timer_forecaster.checks import check_integer
    from timer_forecaster.frames.long import level_columns

    check_table(arguments.output)
    outputs = {"--output": arguments.output, "--plot": arguments.plot}
    check_outputs(outputs, [arguments.data, arguments.future])
    check_picture(arguments.plot)
    check_integer("horizon", arguments.horizon)
    level_columns(arguments.levels, time_column=None, id_column=None)


def _check_length(arguments: argparse.Namespace, read: SeriesFile) -> None:
    """Refuse a forecast that is too long for the format of its file."""
    if arguments.output is not None:
        from timer_forecaster.frames.files.saving import check_table_rows

        ids = 1 if read.id_column is None else read.frame[read.id_column].nunique()
        check_table_rows(arguments.output, ids * len(read.target_columns) * arguments.horizon)


def _forecast(
    arguments: argparse.Namespace, read: SeriesFile
) -> tuple[pd.DataFrame, dict[str, str]]:
    """Return the forecast, and the reasons of the series that have none."""
    from timer_forecaster.estimators import options_of
    from timer_forecaster.failures import recorded_failures
    from timer_forecaster.frames.long import column_name

    pipeline = load_pipeline(arguments.checkpoint, arguments)
    levels = [*arguments.levels, *([0.5] if _extra_columns(arguments) else [])]
    with recorded_failures() as reasons, printed_warnings(), words_of_command(arguments):
        forecast = pipeline.predict_frame(
            read.frame,
            arguments.horizon,
            time_column=read.time_column,
            id_column=read.id_column,
            target_columns=read.target_columns,
            levels=levels,
            freq=arguments.freq,
            progress=sys.stderr.isatty(),
            on_error="nan",
            **beside(read),
            **options_of(arguments).arguments,
        )
    reasons = {name: in_words(reason, arguments) for name, reason in reasons.items()}
    if reasons:
        forecast = forecast.dropna(subset=[column_name(level) for level in levels], how="all")
    if forecast.empty:
        raise ValueError(next(iter(reasons.values())))
    return forecast.reset_index(drop=True), reasons


def _extra_columns(arguments: argparse.Namespace) -> list[str]:
    """Return the columns for the picture alone: the median, if it is not among the levels."""
    return ["q0.5"] if arguments.plot is not None and 0.5 not in arguments.levels else []


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
