"""The channels of a CSV file on a regular grid of times."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from timer_forecaster.arrays import FloatArray
from timer_forecaster.callers import stacklevel_of_caller
from timer_forecaster.frames.panel import Panel
from timer_forecaster.frames.reading import MissingColumnError, read_series
from timer_forecaster.frames.targets import LeftOutWarning


class Channels(NamedTuple):
    """The columns of a file that hold numbers.

    Parameters
    ----------
    names : list of str
    values : ndarray, shape (channels, rows)
        Oldest row first, NaN where missing.
    left_out : mapping of str to str
        The other columns, and why they are none.
    """

    names: list[str]
    values: FloatArray
    left_out: Mapping[str, str]


def read_channels(
    path: str | Path, datetime_col: str, target_columns: Sequence[str] | str | None
) -> Channels:
    """Read the channels of a file. Warn of columns that are left out, and of absent rows.

    Rows are put in the order of their times. Steps without a row become rows of missing values.

    Raises
    ------
    MissingColumnError
        If there is no column ``datetime_col``.
    ValueError
        If the file cannot be read, or its times are on no regular grid. The error names the file.
    """
    try:
        read = read_series(path, time_column=datetime_col, target_columns=target_columns)
    except MissingColumnError as error:
        names = {"time_column": "datetime_col"}
        raise error.renamed(names.get(error.argument, error.argument)) from None
    columns = read.target_columns
    try:
        panel = Panel.of_columns(read.frame, read.time_column, None, columns)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    values = panel.grids[0].lay(panel.values[0])
    left_out = {} if target_columns is not None else dict(read.report.left_out)
    if left_out:
        reasons = ", ".join(f"{name!r} ({why})" for name, why in left_out.items())
        warnings.warn(
            f"{path}: no channels: {reasons}; name the channels in target_columns to choose others "
            "or to silence this",
            LeftOutWarning,
            stacklevel=stacklevel_of_caller(),
        )
    absent = values.shape[1] - len(read.frame)
    if absent > 0:
        warnings.warn(
            f"{path}: {absent} steps between the first time and the last have no row; they count "
            "as rows, with missing values",
            UserWarning,
            stacklevel=stacklevel_of_caller(),
        )
    return Channels([str(name) for name in columns], values, left_out)
