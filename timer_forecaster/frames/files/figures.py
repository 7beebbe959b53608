"""The numbers of a file: columns of texts are read, and a decimal sign serves all of them."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import numpy as np
import pandas as pd

from timer_forecaster.frames.numerals import Notation, UnreadableNumberError, read_numerals
from timer_forecaster.frames.table import whole

_MOST_KEPT = 100


class Figures(NamedTuple):
    """The columns of a file with the numbers of its texts."""

    frame: pd.DataFrame
    notations: dict[str, str]
    """How the numbers of columns are written, where they are not plain."""
    refused: dict[str, UnreadableNumberError]
    """Columns of texts that are no numbers, or of several readings."""


def read_figures(
    frame: pd.DataFrame,
    columns: Collection[str],
    *,
    decimal: str | None = None,
    thousands: str | None = None,
    shown: str | None = None,
    usual: str | None = None,
    kept: Collection[str] | None = None,
) -> Figures:
    """Read the numbers of columns of texts.

    A column that allows two readings is read by the decimal sign of the other columns, if all of
    them that show one show the same. These may be columns that are not to be read.

    Parameters
    ----------
    frame : pandas.DataFrame
    columns : collection of str
        Columns to read; those that are no texts stay as they are.
    decimal, thousands : str, optional
        Signs that are given.
    shown : str, optional
        The decimal sign of numbers that are read already.
    usual : str, optional
        The decimal sign where no column shows one.
    kept : collection of str, optional
        Columns in which a few texts that are no numbers may stay, among the numbers of the others.

    Examples
    --------
    >>> frame = pd.DataFrame({"visits": ["1.234", "987"], "price": ["3,50", "4,20"]})
    >>> figures = read_figures(frame, ["visits", "price"])
    >>> figures.frame["visits"].tolist(), figures.notations["visits"]
    ([1234, 987], "decimal ',', thousands '.', by the decimal sign of other columns")
    """
    texts = [name for name in columns if _is_text(frame[name])]
    signs, most_kept = {shown} - {None}, dict.fromkeys(kept or (), _MOST_KEPT)
    read: dict[str, pd.Series] = {}
    notations: dict[str, str] = {}
    refused: dict[str, UnreadableNumberError] = {}
    for name in texts:
        try:
            values, notation = _read(frame[name], decimal, thousands, most_kept.get(name, 0))
        except UnreadableNumberError as error:
            refused[name] = error
            continue
        read[name], notations[name] = values, str(notation)
        signs |= {notation.decimal} if notation.decided else set()
    doubtful = [name for name, error in refused.items() if error.ambiguous]
    if doubtful:
        signs |= _signs(frame.drop(columns=texts))
    by = "other columns" if signs else "files separated by commas"
    signs = signs or ({usual} - {None})
    if len(signs) == 1 and doubtful:
        sign = next(iter(signs))
        for name in doubtful:
            try:
                values, notation = _read(frame[name], sign, None, most_kept.get(name, 0))
            except UnreadableNumberError:
                continue
            read[name] = values
            notations[name] = f"{notation}, by the decimal sign of {by}".lstrip(", ")
            del refused[name]
    return Figures(frame.assign(**read), {n: how for n, how in notations.items() if how}, refused)


def _read(
    column: pd.Series, decimal: str | None, thousands: str | None, most_kept: int
) -> tuple[pd.Series, Notation]:
    """Read the numbers of a column; a few texts that are none may stay among them."""
    is_kept = np.zeros(len(column), dtype=bool)
    while True:
        try:
            numbers = column.mask(is_kept) if is_kept.any() else column
            values, notation = read_numerals(numbers, decimal=decimal, thousands=thousands)
        except UnreadableNumberError as error:
            if is_kept.sum() >= most_kept or not (error.numeric and _is_no_number(error.text)):
                raise
            is_kept[error.row] = True
        else:
            read = whole(pd.Series(values, column.index))
            if is_kept.any():
                read = read.astype(object).mask(is_kept, column.astype(object))
            return read, notation


def _is_no_number(text: str) -> bool:
    """Whether a text is no number in any column; one that is would be read where it is kept."""
    try:
        read_numerals(pd.Series([text]))
    except UnreadableNumberError as error:
        return not error.ambiguous
    return False


def _signs(frame: pd.DataFrame) -> set[str | None]:
    """Return the decimal signs that columns of texts show."""
    signs: set[str | None] = set()
    for name in frame:
        if _is_text(frame[name]):
            try:
                _, notation = read_numerals(frame[name])
            except UnreadableNumberError:
                continue
            signs |= {notation.decimal} if notation.decided else set()
    return signs


def _is_text(column: pd.Series) -> bool:
    """Whether a column holds texts, perhaps among other values."""
    dtype = column.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return _is_text(dtype.categories.to_series())
    if pd.api.types.is_object_dtype(dtype):
        return bool(column.map(lambda value: isinstance(value, str)).any())
    return bool(pd.api.types.is_string_dtype(dtype))
