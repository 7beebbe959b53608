"""The report that a command writes: its option, and what it says of the command."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from timer_forecaster.frames.reading import SeriesFile

_SETTINGS = (
    *("checkpoint", "adapter", "horizon", "windows", "step", "levels", "level", "covariates"),
)


def add_report(parser: argparse.ArgumentParser) -> None:
    """Add the option."""
    parser.add_argument(
        "--report",
        type=Path,
        metavar="FILE.html",
        help="write a report that can be sent: one HTML file with interactive pictures",
    )


def check_report(path: Path | None) -> None:
    """Refuse a report that cannot be written, before the work is done."""
    if path is not None:
        from timer_forecaster import report

        report.check_report(path)


def about(arguments: argparse.Namespace, read: SeriesFile) -> dict[str, Any]:
    """Return how the file was read and how the forecasts are made, for `write_report`."""
    settings: dict[str, object] = {}
    for name in _SETTINGS:
        value = getattr(arguments, name, None)
        if value is not None:
            words = ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
            settings[name.replace("_", " ")] = words
    if not read.known_columns and not read.past_columns:
        settings.pop("covariates", None)
    return {"settings": settings, "reading": read.summarized(arguments.freq)}


def left_out(reasons: Mapping[str, str]) -> list[str]:
    """Return a note for each series that is not in a report.

    Examples
    --------
    >>> left_out({"target 'sold'": "it has no value"})
    ["target 'sold' has no forecast: it has no value"]
    """
    return [f"{name} has no forecast: {reason}" for name, reason in reasons.items()]


def report_forecast(
    arguments: argparse.Namespace,
    read: SeriesFile,
    forecast: pd.DataFrame,
    reasons: dict[str, str],
) -> None:
    """Write the report of a forecast."""
    from timer_forecaster.cli.covariates import beside
    from timer_forecaster.report import forecast_part, write_report

    part = forecast_part(
        read.frame,
        forecast,
        time_column=read.time_column,
        id_column=read.id_column,
        target_columns=read.target_columns,
        freq=arguments.freq,
        **beside(read),
    )
    write_report(
        arguments.report,
        [part],
        title=f"Forecast of {Path(read.report.file).name}",
        notes=left_out(reasons),
        **about(arguments, read),
    )
