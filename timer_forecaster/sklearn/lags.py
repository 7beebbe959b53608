"""Windows of covariates as named columns, beside the windows of the series."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from timer_forecaster.arrays import FloatArray
from timer_forecaster.inference.covariates.alignment import beside
from timer_forecaster.inference.scaling import check_finite
from timer_forecaster.inference.series import TimedSeries
from timer_forecaster.sklearn.columns import TARGET, names_of_steps
from timer_forecaster.values import as_floats, holds_labels, library_of

if TYPE_CHECKING:
    import pandas as pd

Table = dict[str, Any]
"""Columns of one series by their names: floats, texts or a categorical of pandas."""


class Cut:
    """A way to cut windows out of the steps of a series.

    Parameters
    ----------
    window_length, horizon, step : int
        As in `make_windows`.
    missing : int
        Missing steps before the first one.
    """

    def __init__(self, window_length: int, horizon: int, step: int, missing: int) -> None:
        self.window_length, self.horizon = window_length, horizon
        self._step, self._missing = step, missing

    def windows(self, values: NDArray[Any], fill: Any = np.nan) -> NDArray[Any]:
        """Return the windows and the steps after them, (windows, window_length + horizon)."""
        padded = np.concatenate([np.full(self._missing, fill, dtype=values.dtype), values])
        found = sliding_window_view(padded, self.window_length + self.horizon)
        return found[(len(found) - 1) % self._step :: self._step]


def named_windows(
    target: FloatArray, known: Sequence[Table], past: Sequence[Table], cut: Cut
) -> pd.DataFrame:
    """Return windows of the target and of its covariates, with named columns.

    Parameters
    ----------
    target : ndarray, shape (windows, window_length)
        Windows of all series.
    known, past : sequence of Table
        The table of each series; none if there are no such columns.
    cut : Cut
    """
    import pandas as pd

    oldest = -cut.window_length
    parts = [pd.DataFrame(target, columns=names_of_steps(TARGET, oldest, -1))]
    for tables, newest in ((known, cut.horizon), (past, -1)):
        for name in tables[0] if tables else ():
            columns = [table[name] for table in tables]
            parts.append(_windows_of(columns, names_of_steps(name, oldest, newest), cut))
    return pd.concat(parts, axis=1)


def _windows_of(columns: Sequence[Any], names: Sequence[str], cut: Cut) -> pd.DataFrame:
    """Return the windows of one covariate of all series."""
    import pandas as pd
    from pandas.api.types import union_categoricals

    if all(isinstance(column, pd.Categorical) for column in columns):
        whole = union_categoricals(list(columns))
        codes = np.split(whole.codes, np.cumsum([len(column) for column in columns])[:-1])
        windows = np.concatenate([cut.windows(own, -1) for own in codes])
        steps = zip(names, windows.T, strict=False)  # those after the window are of known columns
        return pd.DataFrame(
            {name: pd.Categorical.from_codes(own, dtype=whole.dtype) for name, own in steps}
        )
    numbers = all(getattr(column.dtype, "kind", "O") == "f" for column in columns)
    arrays = [np.asarray(column, dtype=np.float64 if numbers else object) for column in columns]
    fill = np.nan if numbers else None
    windows = np.concatenate([cut.windows(values, fill) for values in arrays])
    return pd.DataFrame(windows[:, : len(names)], columns=list(names))


def tables_beside(given: Any, argument: str, series: Any, timed: TimedSeries) -> list[Table]:
    """Return the table of each series, all with the same columns; none if none is given.

    Parameters
    ----------
    given : frame, mapping, or list of them; None if there are none
    argument : str
        Name of the argument in errors.
    series : object
        The series as they were given. Those of pandas have an index to compare.
    timed : TimedSeries
        The same, with their times. Where steps are absent from them, rows are found by time.

    Raises
    ------
    TypeError, ValueError
        If a table is none, or does not fit its series.
    """
    if given is None:
        return []
    tables = [given] if _is_table(given) else given
    if isinstance(tables, (str, np.ndarray)) or not isinstance(tables, Sequence):
        raise TypeError(
            f"{argument} has type {type(given).__name__}; pass a frame, whose columns have names, "
            "or a list with one for each series"
        )
    if len(tables) != len(timed.values):
        raise ValueError(f"{argument} has {len(tables)} tables for {len(timed.values)} series")
    indexes = _indexes(series, len(tables))
    found: list[Table] = []
    for i, (table, times) in enumerate(zip(tables, timed.times, strict=True)):
        name = argument if table is given else f"{argument}[{i}]"
        index = indexes[i]
        if times is not None and times.n_absent:
            table, index = beside(table, times, (argument, i), 0), times.with_future(0)
        found.append(_columns(table, name, len(timed.values[i]), index))
        if found[i].keys() != found[0].keys():
            raise ValueError(
                f"{name} has the columns {list(found[i])}, and {argument}[0] has "
                f"{list(found[0])}; all tables need the same"
            )
    return found


def _is_table(given: Any) -> bool:
    return isinstance(given, Mapping) or hasattr(given, "columns")


def _indexes(series: Any, n_series: int) -> list[Any]:
    """Return the index of each series of pandas, and None for other series."""
    given = list(series.values()) if isinstance(series, Mapping) else series
    if not isinstance(given, (list, tuple)):
        given = [given]
    if len(given) != n_series:
        return [None] * n_series
    return [one.index if library_of(one) == "pandas" and _has_index(one) else None for one in given]


def _has_index(values: Any) -> bool:
    return hasattr(getattr(values, "index", None), "equals")


def _columns(table: Any, name: str, length: int, index: Any) -> Table:
    """Return the columns of one table, checked against its series."""
    from timer_forecaster.frames.containers import as_frame

    if isinstance(table, Mapping):
        labels, columns = list(table), list(table.values())
    elif hasattr(table, "columns"):
        frame = as_frame(table)
        labels = list(frame.columns)
        columns = [frame.iloc[:, place] for place in range(frame.shape[1])]
        columns = columns if library_of(table) == "pandas" else [one.array for one in columns]
    else:
        raise TypeError(f"{name} has type {type(table).__name__}; pass a frame")
    _check_labels(labels, name)
    found: Table = {}
    for label, column in zip(labels, columns, strict=True):
        called = f"{name} column {label!r}"
        found[label] = _read(column, called)
        if len(found[label]) != length:
            raise ValueError(
                f"{called} has {len(found[label])} rows and its series {length} steps; each step "
                "needs a row. To forecast beyond the data, add missing values (NaN) to the series"
            )
        if index is not None and _has_index(column) and not index.equals(column.index):
            raise ValueError(
                f"{called} and its series have different indexes, {_ends(column.index)} and "
                f"{_ends(index)}; give them the same, or pass the series as an array if its steps "
                "are the rows of the table"
            )
    return found


def _check_labels(labels: Sequence[Hashable], name: str) -> None:
    """Refuse names that scikit-learn cannot use, that occur twice, or that the target has."""
    for place, label in enumerate(labels):
        if not isinstance(label, str):
            raise TypeError(f"{name} has a column {label!r}; names of columns must be texts")
        if label == TARGET:
            raise ValueError(
                f"{name} has a column {label!r}, as the series is called in X; give it another name"
            )
        if label in labels[:place]:
            raise ValueError(f"{name} has two columns {label!r}; each needs a name of its own")


def _read(column: Any, name: str) -> Any:
    """Return a column as a categorical of pandas, as texts with None for missing, or as floats."""
    import pandas as pd

    if isinstance(getattr(column, "dtype", None), pd.CategoricalDtype):
        return pd.Categorical(column)
    if holds_labels(column):
        return np.array([None if pd.isna(one) else one for one in column], dtype=object)
    floats = as_floats(column, name)
    check_finite(floats, name)
    return floats


def _ends(index: Any) -> str:
    return f"{index[0]} to {index[-1]}" if len(index) else "empty"
