"""Values of covariates: numbers, or codes of categories, in a frame and in its future."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from timer_forecaster.arrays import FloatArray
from timer_forecaster.frames.covariates.roles import FUTURE
from timer_forecaster.frames.numerals import UnreadableNumberError, read_numerals
from timer_forecaster.values import as_floats, label_text


class Values(NamedTuple):
    """The values of columns, NaN where missing; categories are codes."""

    names: list[Hashable]
    labels: list[NDArray[Any] | None]
    """Labels by their codes for a column of categories; None for a column of numbers."""
    frame: FloatArray
    """Of shape (columns, rows of the frame)."""
    future: FloatArray | None
    """Of shape (columns, rows of the future)."""

    def __bool__(self) -> bool:
        """Whether there are columns."""
        return bool(self.names)

    def history(self, rows: NDArray[np.intp]) -> FloatArray:
        """Return the values (columns, rows) of rows of the frame."""
        return self.frame[:, rows]

    def decoded(self, place: int, values: FloatArray) -> NDArray[Any]:
        """Return values of a column as numbers, or as labels, None where missing."""
        labels = self.labels[place]
        if labels is None:
            return values
        codes = np.where(np.isnan(values), len(labels) - 1, values).astype(np.intp)
        return labels[codes]


def values_of(
    frame: pd.DataFrame,
    future: pd.DataFrame | None,
    names: Sequence[Hashable],
    role: str,
    categories: Collection[Hashable] = (),
) -> Values:
    """Read columns of a frame and of its future.

    Texts and categories are categories. A cell without one is a category of its own, such as a day
    without a holiday, if the frame has such cells.

    Parameters
    ----------
    frame : pandas.DataFrame
    future : pandas.DataFrame, optional
    names : sequence of hashable
        Columns of both.
    role : str
        Such as "known column", for errors.
    categories : collection of hashable
        Columns of numbers that are categories.

    Raises
    ------
    ValueError, TypeError
        If a column holds neither numbers nor categories, or both. The error names it and the frame.

    Examples
    --------
    >>> frame = pd.DataFrame({"weather": ["wet", "dry", "wet"]})
    >>> values = values_of(frame, frame.tail(1), ["weather"], "known column")
    >>> values.frame.tolist(), values.decoded(0, values.future[0]).tolist()
    ([[1.0, 0.0, 1.0]], ['wet'])
    """
    columns: list[FloatArray] = []
    labels: list[NDArray[Any] | None] = []
    for name in names:
        parts = {f"{role} {name!r}": frame[name]}
        if future is not None:
            parts[f"{FUTURE}: {role} {name!r}"] = future[name]
        if name in categories:
            parts = {label: part.astype("category") for label, part in parts.items()}
        if any(map(_is_text, parts.values())):
            _refuse_two_kinds(parts)
            codes, found = _coded(list(parts.values()))
        else:
            numbers = [_numbers(part, label) for label, part in parts.items()]
            codes, found = np.concatenate(numbers), None
        columns.append(codes)
        labels.append(found)
    rows = len(frame)
    together = np.stack(columns) if columns else np.empty((0, rows))
    return Values(
        list(names), labels, together[:, :rows], None if future is None else together[:, rows:]
    )


def _is_text(column: pd.Series) -> bool:
    """Whether a column holds categories, or texts among other values."""
    dtype = column.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return True
    if pd.api.types.is_object_dtype(dtype):
        return bool(column.map(lambda value: isinstance(value, str)).any())
    return bool(pd.api.types.is_string_dtype(dtype))


def _numbers(column: pd.Series, label: str) -> FloatArray:
    numbers = as_floats(column, label)
    infinite = np.isinf(numbers)
    if infinite.any():
        raise ValueError(
            f"{label}: data row {infinite.argmax() + 1}, {numbers[infinite][0]}, is not finite; "
            "leave it empty (NaN) if it is missing"
        )
    return numbers


def _coded(parts: Sequence[pd.Series]) -> tuple[FloatArray, NDArray[Any]]:
    """Return the codes of the categories of a column, and their labels; the last one is None."""
    blank = [part.isna().to_numpy() | (part == "").to_numpy(bool, na_value=False) for part in parts]
    texts = [
        np.array(
            ["" if none else label_text(value) for value, none in zip(part, gone, strict=True)],
            object,
        )
        for part, gone in zip(parts, blank, strict=True)
    ]
    together, gone = np.concatenate(texts), np.concatenate(blank)
    missing = np.zeros(len(gone), bool) if blank[0].any() else gone
    found = sorted(set(together[~missing].tolist()))
    place = {text: float(code) for code, text in enumerate(found)}
    codes = [np.nan if none else place[text] for text, none in zip(together, missing, strict=True)]
    labels = np.array([*found, None], dtype=object)
    return np.array(codes, dtype=np.float64), labels


def _refuse_two_kinds(parts: Mapping[str, pd.Series]) -> None:
    """Refuse texts beside numbers, and texts of fractions, unless categories are declared."""
    if any(isinstance(part.dtype, pd.CategoricalDtype) for part in parts.values()):
        return
    for label, part in parts.items():
        if not _is_text(part) and part.notna().any():
            other = "the history" if label.startswith(FUTURE) else FUTURE
            raise ValueError(
                f"{label} holds numbers, such as {part.dropna().tolist()[0]!r}, and texts in "
                f"{other}; make both numbers, or both texts, or name it in categories"
            )
    for label, part in parts.items():
        if _is_text(part):
            _refuse_fractions(part, label)


def _refuse_fractions(column: pd.Series, label: str) -> None:
    """Refuse texts of numbers that are not whole: they are measurements, and no categories."""
    try:
        numbers, _ = read_numerals(column)
    except UnreadableNumberError:
        return
    broken = np.flatnonzero(np.nan_to_num(numbers) % 1 != 0)
    if len(broken):
        raise ValueError(
            f"{label} holds texts of numbers, such as {column.iloc[broken[0]]!r}; convert it by "
            "pd.to_numeric, or by astype('category') if they are names of categories"
        )
