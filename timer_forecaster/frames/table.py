"""The table that a file holds, before its times and numbers are read."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd

_LARGEST_EXACT = 2.0**53


class Table(NamedTuple):
    """The columns of a file, and how they were read."""

    frame: pd.DataFrame
    format: str
    """How the file is written, in words."""
    skipped: dict[str, int]
    """Numbers of rows that are no data, by their kind."""
    repeated: frozenset[str] = frozenset()
    """Names that several columns have."""
    decimal: str | None = None
    """The decimal sign of the numbers that were read already; None if they show none."""
    usual: str | None = None
    """The decimal sign of such a file, where no number shows another."""


def without_empty(frame: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, int]]:
    """Leave rows without any value out, and columns without a name and a value; count them."""
    empty = np.ones(len(frame), dtype=bool)
    for name in frame:
        if not empty.any():
            break
        empty &= is_empty(frame[name])
    if empty.any():
        frame = frame[~empty].reset_index(drop=True)
        frame = frame.assign(**{str(n): whole(frame[n]) for n in frame if _is_float(frame[n])})
    nameless = [n for n in frame if str(n).startswith("Unnamed: ") and is_empty(frame[n]).all()]
    counts = {"empty row": int(empty.sum()), "empty column without a name": len(nameless)}
    return frame.drop(columns=nameless), counts


def is_empty(column: pd.Series) -> Any:
    """Whether each value of a column is missing, or a text without a sign."""
    empty = column.isna().to_numpy()
    if pd.api.types.is_string_dtype(column.dtype) or column.dtype == object:
        empty = empty | (column == "").to_numpy(dtype=bool, na_value=False)
    return empty


def _is_float(column: pd.Series) -> bool:
    return isinstance(column.dtype, np.dtype) and column.dtype.kind == "f"


def whole(column: pd.Series) -> pd.Series:
    """Return a column of floats as integers if all are whole and none is missing."""
    values = column.to_numpy()
    if len(values) and (values % 1 == 0).all() and (np.abs(values) < _LARGEST_EXACT).all():
        return column.astype("int64")
    return column
