"""Tables as scikit-learn may read them: what it would turn into numbers silently is refused.

scikit-learn drops the masks of masked arrays, and makes numbers of durations, dates and texts.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from timer_forecaster.values import as_floats, library_of, refuse_kind


def as_numbers(table: Any, name: str) -> Any:
    """Return a table for scikit-learn to validate, with NaN for masked values.

    Frames stay frames, whose columns have names.

    Parameters
    ----------
    table : array-like
    name : str
        Name of the table in errors.

    Raises
    ------
    TypeError
        If the table holds durations, dates, texts, or other objects that are no real numbers.

    Examples
    --------
    >>> import numpy as np
    >>> as_numbers(np.ma.masked_equal([[1, -9]], -9), "X")
    array([[ 1., nan]])
    """
    library = library_of(table)
    if library == "pandas" and hasattr(table, "columns"):
        return _frame(table, name)
    plain = library == "torch" or isinstance(table, (np.ma.MaskedArray, list, tuple))
    dtype = getattr(table, "dtype", None)
    if plain or getattr(dtype, "kind", None) in ("O", "U", "S", "m", "M"):
        try:
            return as_floats(table, name)
        except TypeError as error:
            if "is text" in str(error) and _is_refused(table):
                return table
            raise
    return table


def _is_refused(table: Any) -> bool:
    """Whether scikit-learn refuses texts itself, in the words that its users know."""
    try:
        np.asarray(table, dtype=np.float64)
    except (TypeError, ValueError):
        return True
    return False


def _frame(table: Any, name: str) -> Any:
    """Return a frame with float64 for its columns of objects."""
    labels = [f"column {column!r} of {name}" for column in table.columns]
    objects = {}
    for place, (label, dtype) in enumerate(zip(labels, table.dtypes, strict=True)):
        kind = getattr(dtype, "kind", "O")
        refuse_kind(kind, dtype, label)
        if kind == "O":
            objects[place] = as_floats(table.iloc[:, place], label)
    if not objects:
        return table
    columns = [objects.get(place, table.iloc[:, place]) for place in range(table.shape[1])]
    numbers = type(table)(dict(enumerate(columns)), index=table.index)
    return numbers.set_axis(table.columns, axis=1)
