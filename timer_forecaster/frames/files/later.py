"""The ids and numbers of a file of the future, read as in the file of the history."""

from __future__ import annotations

import pandas as pd

from timer_forecaster.frames.files.figures import read_figures
from timer_forecaster.frames.numerals import UnreadableNumberError
from timer_forecaster.frames.table import Table


def later_ids(columns: pd.DataFrame, own: pd.Series, parts: pd.DataFrame | None) -> pd.Series:
    """Return the ids of the rows of the future, as the ids of the history are.

    Parameters
    ----------
    columns : pandas.DataFrame
        The columns of ids of the future.
    own : pandas.Series
        The ids of the history.
    parts : pandas.DataFrame, optional
        The columns that the ids of the history were joined of, by the joined id. Ids that the
        history does not have are then missing.

    Raises
    ------
    ValueError
        If a row has no id.

    Examples
    --------
    >>> parts = pd.DataFrame({"store": ["1"], "item": ["a"]}, index=["1 / a"])
    >>> later_ids(parts.reset_index(drop=True), pd.Series(["1 / a"]), parts).tolist()
    ['1 / a']
    """
    missing = columns.isna().any(axis=1).to_numpy()
    if missing.any():
        raise ValueError(f"data row {missing.argmax() + 1} has no id")
    if parts is None:
        ids = columns.iloc[:, 0]
        texts = own.map(lambda value: isinstance(value, str)).all()
        return ids.map(str) if texts else ids
    known = pd.MultiIndex.from_frame(parts.astype(str))
    places = known.get_indexer(pd.MultiIndex.from_frame(columns.astype(str)))
    labels = pd.Series([*parts.index, None], dtype=object)
    return labels.iloc[places].set_axis(columns.index)


def later_numbers(
    table: Table,
    later: Table,
    name: str,
    decimal: str | None,
    thousands: str | None,
    own: pd.Series,
) -> pd.Series:
    """Return the numbers of a column of the future, read in one column with the history.

    Parameters
    ----------
    table, later : Table
        The files of the history and of the future.
    name : str
    decimal, thousands : str, optional
        Signs that are given.
    own : pandas.Series
        The numbers of the history.

    Raises
    ------
    ValueError
        If a row is no number, or the column is written in another way than in the history.
    """
    signs = {"decimal": decimal, "thousands": thousands}
    alike = table.usual == later.usual
    if not alike:  # the history does not decide how the other kind of file is written
        alone = read_figures(
            later.frame, [name], **signs, shown=later.decimal, usual=later.usual
        ).refused.get(name)
        if alone is not None and alone.ambiguous:
            raise ValueError(_refusal(name, alone, alone.row))
    after = later.frame.reindex(columns=table.frame.columns)
    figures = read_figures(
        pd.concat([table.frame.astype(object), after.astype(object)], ignore_index=True),
        [name],
        **signs,
        shown=table.decimal or later.decimal,
        usual=table.usual if alike else None,
    )
    n_rows, error = len(table.frame), figures.refused.get(name)
    if error is not None and error.row >= n_rows:
        raise ValueError(_refusal(name, error, error.row - n_rows))
    numbers = None if error is not None else pd.to_numeric(figures.frame[name], errors="coerce")
    if numbers is None or not _equal(numbers.iloc[:n_rows], own):
        here, there = (one.frame[name].dropna().iloc[:1].tolist() for one in (later, table))
        raise ValueError(
            f"known column {name!r}: its numbers, such as {str(*here)!r}, are written in another "
            f"way than in the history, such as {str(*there)!r}; write both alike"
        )
    return numbers.iloc[n_rows:].set_axis(later.frame.index)


def _refusal(name: str, error: UnreadableNumberError, row: int) -> str:
    """Return the message about a row of the future that cannot be read."""
    advice = "write numbers as in the history"
    if not error.ambiguous:
        advice = f"leave it empty if it is missing, or {advice}"
    return f"known column {name!r}: data row {row + 1}, {error.text!r}, {error.reason}; {advice}"


def _equal(numbers: pd.Series, own: pd.Series) -> bool:
    """Whether numbers are the same, with the same ones missing."""
    first, second = (one.reset_index(drop=True).astype("float64") for one in (numbers, own))
    return bool(((first == second) | (first.isna() & second.isna())).all())
