"""Rows of which some series cannot be read: these are set apart, and the others read together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from timer_forecaster.frames.reading import SeriesFile

if TYPE_CHECKING:
    import pyarrow as pa

FAULT = "__fault__"
"""Column of a table that says of a row why it could not be read; missing for the others."""

_MANY = 20  # series of which none can be read: the names or the options are at fault

Read = Callable[[pd.DataFrame], SeriesFile]


class Apart(NamedTuple):
    """A reading of rows, and which of them are not in it."""

    read: SeriesFile | None
    """The series that can be read; None if none can."""
    reasons: pd.Series
    """Why the series of a row cannot be read, in the order of the rows; missing if it can."""


def read_apart(frame: pd.DataFrame, ids: Sequence[str], read: Read, is_head: bool = False) -> Apart:
    """Read whole series as a file of those that can be read would be.

    Parameters
    ----------
    frame : pandas.DataFrame
    ids : sequence of str
        The columns that tell series apart.
    read : callable
        Reads the rows of some series, or raises a ValueError.
    is_head : bool
        These are the first rows of a source, of which some have to be read.

    Raises
    ------
    ValueError
        If none of many series can be read, or none of the first series of a source.
    """
    reasons = pd.Series(None, index=frame.index, dtype=object)
    if not len(frame):
        return Apart(None, reasons)
    try:
        return Apart(read(frame), reasons)
    except ValueError as error:
        numbers = series_numbers(frame, ids)
        parting = _Parting(frame, numbers, read, _MANY if is_head else np.inf)
        every = np.arange(numbers.max() + 1)
        parting.halve(every, error)
        if not parting.pieces and (is_head or len(every) >= _MANY):
            raise
        found = parting.together()
        by_number = pd.Series(parting.reasons, dtype=object).reindex(every)
        return Apart(found, pd.Series(by_number.to_numpy()[numbers], index=frame.index))


def without_faults(table: pa.Table, ids: Sequence[str]) -> tuple[pd.DataFrame, pd.Series]:
    """Return the rows of the series without a fault, and the reason of each row of the others.

    The frame has the numbers of its rows in the table as index.
    """
    import pyarrow as pa

    if FAULT not in table.column_names:
        return table.to_pandas(), pd.Series(None, index=range(len(table)), dtype=object)
    keys = table.select([*ids, FAULT]).to_pandas()
    groups = keys[FAULT].groupby(series_numbers(keys, ids))
    reasons = groups.transform("first")
    good = reasons.isna().to_numpy()
    frame = table.drop_columns([FAULT]).filter(pa.array(good)).to_pandas()
    return frame.set_axis(np.flatnonzero(good)), reasons


def is_named(columns: Mapping[str, Any]) -> bool:
    """Whether arguments of `read_series` name the times and targets, so that no row decides."""
    return bool(columns["time_column"] and columns["target_columns"])


def series_numbers(frame: pd.DataFrame, ids: Sequence[str]) -> NDArray[np.intp]:
    """Return the number of the series of each row, in the order of their first rows."""
    keys = frame.groupby(list(ids), sort=False, dropna=False, observed=True)
    return np.asarray(keys.ngroup(), dtype=np.intp)


class _Parting:
    """The series that cannot be read, and pieces of several series that can."""

    def __init__(
        self, frame: pd.DataFrame, numbers: NDArray[np.intp], read: Read, most: float
    ) -> None:
        self._frame, self._numbers, self._read_rows, self._most = frame, numbers, read, most
        self.pieces: list[NDArray[np.intp]] = []
        self.reasons: dict[int, str] = {}

    def halve(self, series: NDArray[np.intp], error: ValueError) -> None:
        """Read the halves of series that cannot be read together, until one is alone."""
        if len(series) == 1:
            self.reasons[int(series[0])] = str(error)
            return
        for half in np.array_split(series, 2):
            if not self.pieces and len(self.reasons) >= self._most:
                return
            try:
                self._read(half)
            except ValueError as own:
                self.halve(half, own)
            else:
                self.pieces.append(half)

    def together(self) -> SeriesFile | None:
        """Read all pieces; those that are written in another way than the largest are rejected."""
        if not self.pieces:
            return None
        try:
            return self._read(np.concatenate(self.pieces))
        except ValueError:
            settled, *others = sorted(self.pieces, key=len, reverse=True)
        found = self._read(settled)
        for piece in others:
            more = np.concatenate([settled, piece])
            try:
                found, settled = self._read(more), more
            except ValueError as error:
                self.reasons |= dict.fromkeys(piece.tolist(), str(error))
        return found

    def _read(self, series: NDArray[np.intp]) -> SeriesFile:
        return self._read_rows(self._frame[np.isin(self._numbers, series)])
