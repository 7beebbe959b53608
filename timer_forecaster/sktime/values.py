"""Values of y and levels as sktime may read them: nothing turns into other numbers silently."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from timer_forecaster.checks import plain
from timer_forecaster.values import as_floats, refuse_kind

_NO_VALUES = ("c", "m", "M")


def as_numbers(y: Any) -> Any:
    """Return y with NaN for masked values and float64 for exact numbers, for sktime to check.

    sktime drops the masks of masked arrays, and makes numbers of arrays of durations, dates,
    complex numbers and texts.

    Parameters
    ----------
    y : time series in an sktime format

    Raises
    ------
    TypeError
        If y holds no real numbers. The error names the column.
    """
    if isinstance(y, np.ndarray):
        return y if y.dtype.kind in "biuf" and not np.ma.isMA(y) else as_floats(y, "y")
    if isinstance(y, pd.Series):
        return _column(y, "y")
    if isinstance(y, pd.DataFrame) and y.columns.is_unique:
        columns = {name: _column(y[name], f"y: column {name!r}") for name in y.columns}
        changed = [name for name in y.columns if columns[name].dtype != y[name].dtype]
        return _with(y, {name: columns[name] for name in changed})
    return y


def _with(y: pd.DataFrame, columns: dict[Any, pd.Series]) -> pd.DataFrame:
    """Return a frame with other columns of the same names; the frame itself if there are none."""
    if not columns:
        return y
    parts = [columns.get(name, y[name]) for name in y.columns]
    return pd.concat(parts, axis=1).set_axis(y.columns, axis=1)


def _column(column: pd.Series, name: str) -> pd.Series:
    """Return a column with float64 for numbers that are objects; other objects are sktime's."""
    kind = getattr(column.dtype, "kind", "O")
    if kind in _NO_VALUES:
        refuse_kind(kind, column.dtype, name)
    exact = column.dtype == object or str(column.dtype).startswith("decimal")
    nested = exact and len(column) and isinstance(column.iloc[0], (pd.Series, pd.DataFrame))
    if not exact or nested:
        return column
    return pd.Series(as_floats(column, name), index=column.index, name=column.name)


def plain_levels(levels: Any) -> Any:
    """Return one level or several as Python floats, which name columns; others are sktime's."""
    several = isinstance(levels, (list, tuple)) or np.ndim(levels) == 1
    return [plain(level) for level in levels] if several else plain(levels)
