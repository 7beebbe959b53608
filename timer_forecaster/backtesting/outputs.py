"""A backtest on disk: a file of all forecasts, or a folder with the scores too."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from timer_forecaster import files
from timer_forecaster.frames.files import saving

if TYPE_CHECKING:
    from timer_forecaster.backtesting.result import BacktestResult


def is_folder(output: Path) -> bool:
    """Whether an output is a folder: one that exists, or a name without a suffix.

    Examples
    --------
    >>> is_folder(Path("results")), is_folder(Path("forecasts.csv")), is_folder(Path("-"))
    (True, False, False)
    """
    return output != saving.STANDARD_OUTPUT and (output.is_dir() or not output.suffix)


def parts_of(output: Path | None) -> Path | None:
    """Return the folder of the finished parts of an output.

    Examples
    --------
    >>> parts_of(Path("forecasts.csv")).name, parts_of(Path("results")).as_posix()
    ('forecasts.csv.parts', 'results/parts')
    """
    if output is None or output == saving.STANDARD_OUTPUT:
        return None
    return output / "parts" if is_folder(output) else output.with_name(f"{output.name}.parts")


def check_output(output: Path) -> None:
    """Refuse an output that cannot be written, before the work is done; make a folder.

    Raises
    ------
    ValueError
        Naming the file or folder.
    """
    if is_folder(output):
        files.make_folder(output)
        files.check_writable(output / "scores.csv")
    else:
        saving.check_table_name(output)
        if output != saving.STANDARD_OUTPUT:
            files.check_writable(output)


def write(
    result: BacktestResult,
    output: Path,
    with_ids: Callable[[pd.DataFrame], pd.DataFrame] = lambda table: table,
) -> list[str]:
    """Write a result, each file whole; then its finished parts are removed.

    Parameters
    ----------
    result : BacktestResult
    output : Path
        A file for all forecasts, in the format of its name, or a folder for forecasts and scores.
    with_ids : callable
        Returns a table with the columns of ids that a user has.

    Returns
    -------
    list of str
        Notes where a format cannot hold all of a table.
    """
    tables = {output: with_ids(result.forecasts)}
    if is_folder(output):
        forecasts = tables.pop(output)
        parquet = importlib.util.find_spec("pyarrow") is not None
        tables = {
            output / "scores.csv": with_ids(result.scores),
            output / "by_step.csv": result.by_step,
            output / "leaderboard.csv": result.leaderboard.reset_index(),
            output / f"forecasts.{'parquet' if parquet else 'csv'}": forecasts,
        }
    notes = [saving.save_table(table, path) for path, table in tables.items()]
    parts = parts_of(output)
    if parts is not None:
        shutil.rmtree(parts, ignore_errors=True)
    return [note for note in notes if note]
