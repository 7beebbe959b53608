"""Tables of other libraries as pandas frames, and the names of their columns.

polars, pyarrow, xarray and Darts are known by the names of their classes, so that none is imported
here. Any other table is read if it has a ``to_pandas`` or speaks Arrow.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd

from timer_forecaster.values import as_floats, first_unreal, library_of

_NEVER_NUMBERS = {"m": "durations", "M": "dates", "c": "complex numbers"}


def as_frame(table: Any, names: Iterable[Hashable] = ()) -> pd.DataFrame:
    """Return a table as a pandas frame with flat column names and plain numbers.

    Parameters
    ----------
    table : pandas.DataFrame, or table of another library
        A Series is a frame of one column. The variables of an ``xarray`` object are columns, and
        its dimensions are levels of the index. So are the components and the times of a Darts
        series.
    names : iterable of hashable
        The columns of times and ids, which are kept as they are.

    Returns
    -------
    pandas.DataFrame
        A name of several levels is a tuple, without the empty levels at its end: ``("day", "")``
        is ``"day"``, as pandas reads it, unless ``names`` has the tuple. Exact numbers
        (``Decimal``, ``Fraction``) become float64.

    Raises
    ------
    TypeError
        If it is no table. The error names the expression to pass.

    Examples
    --------
    >>> columns = pd.MultiIndex.from_tuples([("day", ""), ("Close", "A")])
    >>> as_frame(pd.DataFrame([[1, 2.5]], columns=columns)).columns.tolist()
    ['day', ('Close', 'A')]
    """
    kept = {name for name in names if name is not None}
    frame = _to_pandas(table, kept)
    if isinstance(frame.columns, pd.MultiIndex):
        frame = frame.set_axis(_flat(frame.columns, kept), axis=1)
    exact = [
        place
        for place, (name, dtype) in enumerate(zip(frame.columns, frame.dtypes, strict=True))
        if not isinstance(dtype, np.dtype) or dtype.kind == "O"  # numbers of numpy are read fast
        if name not in kept and _is_exact(frame.iloc[:, place])
    ]
    if not exact:
        return frame
    columns = [frame.iloc[:, place] for place in range(frame.shape[1])]
    for place in exact:
        values = as_floats(columns[place], f"column {frame.columns[place]!r}")
        columns[place] = pd.Series(values, index=frame.index)
    return pd.concat(columns, axis=1).set_axis(frame.columns, axis=1)


def _to_pandas(table: Any, kept: set[Hashable]) -> pd.DataFrame:
    """Return a table of any library as a pandas frame."""
    if isinstance(table, pd.DataFrame):
        return table
    if isinstance(table, pd.Series):
        return table.to_frame("value" if table.name is None else table.name)
    library, kind = library_of(table), type(table).__name__
    if library == "polars" and hasattr(table, "collect"):
        table = table.collect()
    if library == "xarray" and hasattr(table, "to_dataframe"):
        return _of_xarray(table, kept)
    if library == "darts" and hasattr(table, "to_dataframe"):
        return _of_darts(table)
    if isinstance(table, Mapping) or not _is_table(table):
        advice = ""
        if isinstance(table, (Mapping, list, np.ndarray)):
            advice = "; make one by pd.DataFrame(frame)"
        raise TypeError(f"frame must be a pandas.DataFrame, not {kind}{advice}")
    if library == "pyarrow":
        found = table.to_pandas(date_as_object=False)
    elif hasattr(table, "to_pandas"):
        found = table.to_pandas()
    else:
        import pyarrow as pa

        found = pa.table(table).to_pandas(date_as_object=False)
    return _to_pandas(found, kept) if isinstance(found, pd.Series) else pd.DataFrame(found)


def _is_table(table: Any) -> bool:
    return callable(getattr(table, "to_pandas", None)) or hasattr(table, "__arrow_c_stream__")


def _of_darts(series: Any) -> pd.DataFrame:
    """Return the components of a ``TimeSeries``; an index without a name is called "time"."""
    frame = pd.DataFrame(series.to_dataframe())
    nameless = frame.index.name is None and "time" not in frame
    return frame.rename_axis("time") if nameless else frame


def _of_xarray(table: Any, kept: set[Hashable]) -> pd.DataFrame:
    """Return the variables of an xarray object; of its other coordinates, those that are named."""
    array = hasattr(table, "to_dataset")
    others = [name for name in table.coords if name not in table.dims and name not in kept]
    table = table.drop_vars(others)
    if array:
        table = table.to_dataset(name="value" if table.name is None else table.name)
    return pd.DataFrame(table.to_dataframe())


def _flat(columns: pd.MultiIndex, kept: set[Hashable]) -> pd.Index:
    """Return the names of several levels as tuples without the empty levels at their ends."""
    flat = [name if name in kept else _stripped(name) for name in columns]
    if len(set(flat)) < len(set(columns)):
        flat = list(columns)
    return pd.Index(flat, dtype=object, tupleize_cols=False)


def _stripped(name: Any) -> Any:
    """Return a name without the empty levels at its end."""
    if not isinstance(name, tuple) or not name:
        return name
    while len(name) > 1 and name[-1] == "":
        name = name[:-1]
    return name[0] if len(name) == 1 else name


def names_of(given: Any, columns: pd.Index) -> list[Hashable]:
    """Return the names that an argument gives: one, or several in a list.

    A tuple is one name if there is a column of this name, and several names if there is none.

    Examples
    --------
    >>> names_of(("Close", "A"), pd.Index([("Close", "A"), "day"], tupleize_cols=False))
    [('Close', 'A')]
    >>> names_of(1, pd.Index([0, 1]))
    [1]
    """
    if isinstance(given, str) or not isinstance(given, Iterable) or _is_column(given, columns):
        return [given]
    if isinstance(given, tuple) and _is_column(_stripped(given), columns):
        return [_stripped(given)]
    return [name if _is_column(name, columns) else _stripped(name) for name in given]


def _is_column(name: Any, columns: pd.Index) -> bool:
    try:
        return name in set(columns)
    except TypeError:  # a list
        return False


def _is_exact(column: pd.Series) -> bool:
    """Whether a column holds exact numbers, such as ``Decimal``, which pandas does not read."""
    dtype = str(column.dtype)
    if dtype.startswith(("decimal", "halffloat")):
        return True
    if column.dtype != object:
        return False
    values = column.to_numpy(dtype=object)
    types = set(map(type, values))
    exact = any(issubclass(one, (Decimal, Fraction)) for one in types)
    return exact and first_unreal(values) is None


def refuse_unreal(column: pd.Series, name: str) -> None:
    """Refuse a column of durations, dates, complex numbers or lists, which are never numbers.

    Texts are accepted: they may be numbers.

    Parameters
    ----------
    column : pandas.Series
    name : str
        Name of the column in errors.

    Raises
    ------
    TypeError
        Naming the column, the kind, and the first row in a column of different objects.
    """
    kind = getattr(column.dtype, "kind", "O")
    if kind in _NEVER_NUMBERS:
        remedy = {
            "m": "divide it by a unit, as in frame[column] / pd.Timedelta('1h')",
            "M": "name it as time_column, or choose other targets",
            "c": "forecast its real and imaginary parts, np.real and np.imag of it, as two columns",
        }[kind]
        raise TypeError(
            f"{name} holds {_NEVER_NUMBERS[kind]} ({column.dtype}), and no numbers; {remedy}"
        )
    if kind != "O" or isinstance(column.dtype, pd.StringDtype | pd.CategoricalDtype):
        return
    values = column.to_numpy(dtype=object)
    others = values.copy()
    others[[isinstance(value, str) for value in values]] = None
    found = first_unreal(others)
    if found is not None:
        row, reason = found
        raise TypeError(f"{name}: data row {row + 1}, {repr(values[row])[:60]}, is {reason}")
