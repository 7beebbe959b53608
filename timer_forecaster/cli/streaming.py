"""The command `forecast` into a folder: series are streamed, and may be more than memory holds."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from timer_forecaster.cli.common import (
    SOME_LEFT_OUT,
    STANDARD_STREAM,
    levels_of,
    load_pipeline,
    print_summary,
)
from timer_forecaster.cli.covariates import in_words, printed_warnings, words_of_command
from timer_forecaster.cli.paths import check_paths, how_many
from timer_forecaster.cli.settings import given_settings
from timer_forecaster.cli.table import COLUMN_OPTIONS
from timer_forecaster.frames.files.options import ReadingOptions

if TYPE_CHECKING:
    import pandas as pd

    from timer_forecaster.scale import SeriesSource, Task, Totals

_SHOWN = 5  # series that are left out, and printed
_IN_MEMORY = {"future": "--future", "plot": "--plot", "report": "--report"}


def add_streaming(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    group = parser.add_argument_group("more series than memory holds")
    group.add_argument(
        "--partition-rows",
        type=int,
        metavar="ROWS",
        help="with a folder as --output: rows that are held at once, of DATA and of the forecast; "
        "default: 1,000,000, about half a gigabyte",
    )


def is_streamed(arguments: argparse.Namespace) -> bool:
    """Whether the output is a folder: one that exists, or a name without a suffix.

    Raises
    ------
    ValueError
        If only a folder as output makes sense of the data or of an option.
    """
    output = arguments.output
    if output is not None and output != STANDARD_STREAM:
        if output.is_dir() or not output.suffix:
            return True
    for given, what in (
        (arguments.data.is_dir(), f"{arguments.data} is a folder, which is streamed"),
        (arguments.partition_rows is not None, "--partition-rows is about series in a stream"),
    ):
        if given:
            raise ValueError(f"{what}: give --output a folder, that is a name without a suffix")
    return False


def stream(arguments: argparse.Namespace) -> int:
    """Forecast the series of a file or a folder into a folder.

    Returns
    -------
    int
        The exit status: `SOME_LEFT_OUT` if some series could not be forecast, else 0.
    """
    from timer_forecaster import scale

    _check(arguments)
    with words_of_command(arguments):
        source = _source(arguments)
        task = _task(arguments, source)
    if not arguments.quiet:
        print(_reading(source), file=sys.stderr)
    pipeline = load_pipeline(arguments.checkpoint, arguments)
    rows = arguments.partition_rows or scale.PARTITION_ROWS
    started = time.perf_counter()
    with printed_warnings(), words_of_command(arguments):
        totals = scale.stream(
            pipeline,
            source,
            task,
            arguments.output,
            partition_rows=rows,
            progress=sys.stderr.isatty(),
        )
    return _print_totals(arguments, task, totals, time.perf_counter() - started)


def _check(arguments: argparse.Namespace) -> None:
    """Refuse options that need all series in memory, and an output that is the input."""
    from timer_forecaster.checks import check_integer

    if arguments.data == STANDARD_STREAM:
        raise ValueError(
            f"--output {arguments.output} is a folder, and the standard input cannot be streamed: "
            "save it to a file first, or give --output a file such as forecast.csv"
        )
    for name, option in _IN_MEMORY.items():
        if getattr(arguments, name) is not None:
            why = "; rows of DATA with empty targets hold the future" if name == "future" else ""
            raise ValueError(f"{option} needs all series in memory: give --output a file{why}")
    if not arguments.id_column:
        raise ValueError(
            f"--output {arguments.output} is a folder, which takes series by their ids: give "
            "--id-column, or a file such as forecast.csv"
        )
    check_paths(arguments)
    if arguments.partition_rows is not None:
        check_integer("--partition-rows", arguments.partition_rows)
    data, output = arguments.data.resolve(), arguments.output.resolve()
    if data == output or data in output.parents:
        raise ValueError(f"--output {arguments.output} lies in DATA: name a folder outside it")


def _source(arguments: argparse.Namespace) -> SeriesSource:
    from timer_forecaster.frames.reading import MissingColumnError
    from timer_forecaster.scale import Names, SeriesSource

    names = Names(
        arguments.id_column,
        arguments.time_column,
        arguments.target,
        arguments.known,
        arguments.past,
        arguments.categories,
        arguments.freq,
    )
    options = ReadingOptions(**given_settings(arguments, ReadingOptions))
    try:
        return SeriesSource(arguments.data, names, options)
    except MissingColumnError as error:
        raise error.renamed(COLUMN_OPTIONS[error.argument]) from None


def _task(arguments: argparse.Namespace, source: SeriesSource) -> Task:
    from timer_forecaster.estimators import options_of
    from timer_forecaster.scale import ForecastTask, PathsTask

    asked = source.columns, arguments.horizon
    if arguments.paths is None:
        return ForecastTask(*asked, levels_of(arguments), options_of(arguments))
    many = how_many(arguments)
    return PathsTask(
        *asked, many["n"], many["past_windows"], many["random_state"], options_of(arguments)
    )


def _reading(source: SeriesSource) -> str:
    """Return how the source is read, in words."""
    columns, rows = source.columns, source.rows
    size = "" if rows.total is None else f": {rows.total:,} {_units(rows.unit)}"
    parts: dict[str, Sequence[str]] = {"times": [columns.time_column], "ids": [columns.id_column]}
    parts |= {"targets": columns.target_columns, "known": columns.known_columns or ()}
    parts |= {"past": columns.past_columns or ()}
    lines = [f"  {name}: {', '.join(map(repr, own))}" for name, own in parts.items() if own]
    return "\n".join([f"{source.path}{size}, streamed", *lines])


def _units(unit: str) -> str:
    return "bytes" if unit == "B" else f"{unit}s"


def _print_totals(arguments: argparse.Namespace, task: Task, totals: Totals, seconds: float) -> int:
    """Print what was done, and which series are left out; return the exit status."""
    from timer_forecaster.scale.folder import RunFolder

    lacking = RunFolder(arguments.output).first_rejected()
    if lacking is not None and not totals.forecast_rows:
        raise ValueError(f"no series could be forecast: {_lines(lacking, arguments)[0]}")
    n_targets = len(task.columns.target_columns)
    forecast = totals.forecast_rows * n_targets // task.rows_of_series()
    words = f"Forecast {arguments.horizon} steps of {forecast:,} series in {seconds:.1f} s"
    print_summary(words, arguments.output)
    if lacking is None:
        return 0
    print(
        f"timer-forecaster: {totals.rejected:,} of {totals.series * n_targets:,} series left out, "
        f"with the reasons in {arguments.output / 'rejected'}:",
        *_lines(lacking.head(_SHOWN), arguments),
        sep="\n  ",
        file=sys.stderr,
    )
    return SOME_LEFT_OUT


def _lines(rejected: pd.DataFrame, arguments: argparse.Namespace) -> list[str]:
    """Return a line for each rejected series: its ids, its target and the reason."""
    lines = []
    for *ids, target, reason in rejected.itertuples(index=False):
        named = ", ".join(f"{name} {key!r}" for name, key in zip(rejected, ids, strict=False))
        lines.append(f"{named}: target {target!r}: {in_words(reason, arguments)}")
    return lines
