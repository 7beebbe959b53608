"""The command `forecast`."""

from __future__ import annotations

import argparse
import dataclasses
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from timer_forecaster.cli.common import (
    TABLE_ROWS,
    add_checkpoint,
    add_forecast_options,
    add_loading_options,
    add_table,
    check_picture,
    check_writable,
    load_pipeline,
    print_summary,
    read_table,
)

if TYPE_CHECKING:
    import pandas as pd


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.set_defaults(run=run)
    parser.description = (
        "Forecast every target column, for every id, of a CSV file. Without --output and --plot "
        "the first rows of the forecast are printed."
    )
    add_table(parser)
    add = parser.add_argument
    add("--horizon", type=int, required=True, metavar="STEPS", help="steps to forecast")
    add(
        "--levels",
        type=_levels,
        default=(0.1, 0.5, 0.9),
        metavar="LEVELS",
        help="quantile levels with commas between them; default: 0.1,0.5,0.9",
    )
    add("--output", type=Path, metavar="FILE.csv", help="write the forecast here")
    add("--plot", type=Path, metavar="FILE.png", help="draw it here (png, pdf or svg)")
    add_checkpoint(parser)
    add_forecast_options(parser)
    add_loading_options(parser)


def run(arguments: argparse.Namespace) -> None:
    """Forecast the file, and write, draw or print the forecast."""
    check_writable(arguments.output)
    check_picture(arguments.plot)
    frame = read_table(arguments)
    started = time.perf_counter()
    drawn = _forecast(arguments, frame)
    seconds = time.perf_counter() - started
    forecast = drawn.drop(columns=_extra_columns(arguments))
    if arguments.output is not None:
        forecast.to_csv(arguments.output, index=False, float_format="%.10g")
    if arguments.plot is not None:
        _draw(arguments, frame, drawn)
    if arguments.output is None and arguments.plot is None:
        _print_table(forecast)
    n_series = len(forecast) // arguments.horizon
    print_summary(
        f"Forecast {arguments.horizon} steps of {n_series} series in {seconds:.1f} s",
        arguments.output,
        arguments.plot,
    )


def _levels(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a list of numbers such as 0.1,0.5,0.9"
        ) from None


def _forecast(arguments: argparse.Namespace, frame: pd.DataFrame) -> pd.DataFrame:
    from timer_forecaster.estimators import options_of

    pipeline = load_pipeline(arguments.checkpoint, arguments)
    levels = [*arguments.levels, *([0.5] if _extra_columns(arguments) else [])]
    return pipeline.predict_frame(
        frame,
        arguments.horizon,
        time_column=arguments.time_column,
        id_column=arguments.id_column,
        target_columns=arguments.target,
        levels=levels,
        freq=arguments.freq,
        progress=sys.stderr.isatty(),
        **dataclasses.asdict(options_of(arguments)),
    )


def _extra_columns(arguments: argparse.Namespace) -> list[str]:
    """Return the columns for the picture alone: the median, if it is not among the levels."""
    return ["q0.5"] if arguments.plot is not None and 0.5 not in arguments.levels else []


def _draw(arguments: argparse.Namespace, frame: pd.DataFrame, forecast: pd.DataFrame) -> None:
    from timer_forecaster.plotting import plot_forecast

    figure = plot_forecast(
        frame, forecast, time_column=arguments.time_column, id_column=arguments.id_column
    )
    figure.savefig(arguments.plot, dpi=150)


def _print_table(forecast: pd.DataFrame) -> None:
    head = forecast.head(TABLE_ROWS)
    print(head.to_string(index=False, float_format="{:.6g}".format))
    if len(forecast) > len(head):
        print(f"... and {len(forecast) - len(head)} more rows: --output FILE.csv writes all")
