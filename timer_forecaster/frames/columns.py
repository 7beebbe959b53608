"""Columns of a long or wide frame: the checks of their names, and the values in them."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from timer_forecaster.arrays import FloatArray
from timer_forecaster.frames.containers import as_frame, names_of, refuse_unreal
from timer_forecaster.frames.numerals import UnreadableNumberError, read_numerals
from timer_forecaster.frames.targets import Choice, choose_targets, warn_left_out


def with_columns(
    frame: pd.DataFrame, time_column: Hashable, id_column: Hashable | None
) -> pd.DataFrame:
    """Return a frame with the time and the id among its columns, where they may be index levels.

    Raises
    ------
    TypeError
        If the frame is no frame.
    ValueError
        If a column is missing or there twice, or if there are no rows.
    """
    if time_column is None:
        how = _in_index(frame) or "name the column of the times"
        raise TypeError(f"time_column=None: {how}")
    wanted = {"time_column": time_column}
    if id_column is not None:
        wanted["id_column"] = id_column
    for role, name in wanted.items():
        if not isinstance(name, Hashable):
            how = _joined(role, name, frame) if isinstance(name, list) and name else ""
            raise TypeError(f"{role}={name!r} must be the name of one column{how}")
    frame = as_frame(frame, (time_column, id_column))
    in_index = [name for name in frame.index.names if name in wanted.values()]
    both = [name for name in in_index if name in frame.columns]
    _refuse_other_levels(frame, both)
    frame = without_levels(without_levels(frame, both, drop=True), in_index)
    if not frame.columns.is_unique:
        repeated = frame.columns[frame.columns.duplicated()][0]
        raise ValueError(f"frame: column {repeated!r} is there more than once")
    if time_column not in frame.columns and (how := _in_index(frame)):
        raise ValueError(f"time_column: there is no column {time_column!r}: {how}")
    for role, name in wanted.items():
        _require_column(frame, role, name)
    if time_column == id_column:
        raise ValueError(f"id_column and time_column are both {time_column!r}")
    if frame.empty:
        raise ValueError("frame: there are no rows to forecast from")
    return frame


def _joined(role: str, names: Sequence[Hashable], frame: Any) -> str:
    """Return how several columns of a frame, or levels of its index, become one."""
    if role == "time_column":
        return "; join them to one column of times"
    new = " ".join(map(str, names))
    levels = getattr(getattr(frame, "index", None), "names", None) or []
    own = "frame.reset_index()" if any(name in levels for name in names) else "frame"
    return (
        f"; join them: {own}.assign(**{{{new!r}: "
        f"{own}[{list(names)!r}].astype(str).agg(' / '.join, axis=1)}}), with {role}={new!r}"
    )


def _in_index(frame: Any) -> str:
    """Return how to name times that are the index of a frame without a name; empty if none are."""
    index = getattr(frame, "index", None)
    if not isinstance(index, pd.DatetimeIndex | pd.PeriodIndex):
        return ""
    if index.name is not None:
        return f"the times are the index: time_column={index.name!r}"
    return (
        'the times are the index, which has no name: give frame.rename_axis("time").reset_index(), '
        "with time_column='time'"
    )


def without_levels(
    frame: pd.DataFrame, names: Sequence[Hashable], drop: bool = False
) -> pd.DataFrame:
    """Return a frame with levels of its index among its columns, at their front, or without them.

    Methods of pandas take the name of a level for its place if it is an integer.
    """
    own = list(frame.index.names)
    places = [i for i, name in enumerate(own) if name in names and name is not None]
    if not places:
        return frame
    bare, found = frame.index.set_names([None] * len(own)), frame.copy(deep=False)
    for place in [] if drop else places[::-1]:
        found.insert(0, own[place], bare.get_level_values(place))
    kept = [name for i, name in enumerate(own) if i not in places]
    found.index = (
        bare.droplevel(cast(Any, places)).set_names(kept) if kept else pd.RangeIndex(len(frame))
    )
    return found


def _refuse_other_levels(frame: pd.DataFrame, names: Sequence[Hashable]) -> None:
    """Refuse index levels that have the name of a column and other values."""
    own = list(frame.index.names)
    bare = frame.index.set_names([None] * len(own))
    for place, name in enumerate(own):
        if name in names and not bare.get_level_values(place).equals(pd.Index(frame[name])):
            own[place] = f"level_{place}"
            raise ValueError(
                f"{name!r} is the name of an index level and of a column, and they differ; rename "
                f"one of them, for example by frame.rename_axis(index={own})"
            )


def _require_column(frame: pd.DataFrame, role: str, name: Hashable) -> None:
    if name not in frame.columns:
        raise ValueError(f"{role}: there is no column {name!r}; there are {list(frame.columns)}")


def chosen_targets(
    frame: pd.DataFrame,
    given: Sequence[Hashable] | str | None,
    time_column: Hashable,
    id_column: Hashable | None,
    times: pd.Index | None = None,
) -> list[Hashable]:
    """Return the names of the target columns; by default all that hold measurements.

    Numeric columns that hold none, such as row numbers, are left out with a warning.

    Raises
    ------
    ValueError
        If there is none, or one that is given cannot be a target.
    TypeError
        If one that is given cannot be a name.
    """
    if given is None:
        choice = choose_targets(frame, time_column, id_column, times)
        refuse_no_target(choice, list(frame.columns))
        warn_left_out(choice)
        return choice.targets
    targets = names_of(given, frame.columns)
    strange = [name for name in targets if not isinstance(name, Hashable)]
    if strange:
        raise TypeError(f"target_columns: {strange[0]!r} is no name of a column")
    if not targets or len(set(targets)) < len(targets):
        raise ValueError(f"target_columns={targets}: name at least one column, each once")
    for name in targets:
        _require_column(frame, "target_columns", name)
        if name in (time_column, id_column):
            raise ValueError(f"target_columns: {name!r} is the time or the id column")
    return targets


def refuse_no_target(choice: Choice, columns: Sequence[Hashable]) -> None:
    """Refuse a frame of which no column is to be forecast.

    Raises
    ------
    ValueError
        With the reason of each column.
    """
    if not choice.targets:
        reasons = "; ".join(f"{name!r}: {why}" for name, why in choice.left_out.items())
        raise ValueError(
            f"target_columns: no column of {columns} but the time and id is numeric"
            + (f" and holds measurements ({reasons})" if reasons else "")
        )


def read_ids(column: pd.Series, name: Hashable) -> tuple[NDArray[np.intp], pd.Index]:
    """Return the number of each row's id, and the ids in the order in which they come first.

    Raises
    ------
    ValueError
        If a row has no id.
    """
    missing = column.isna().to_numpy()
    if missing.any():
        raise ValueError(f"id_column {name!r}: data row {missing.argmax() + 1} has no id")
    return pd.factorize(column)


_MOST_BAD_TEXTS = 100

Refusal = Callable[[int, ValueError], None]
"""Raises the error of a row, or notes it."""


def _raise(row: int, error: ValueError) -> None:
    raise error


def read_numbers(column: pd.Series, name: Hashable, refuse: Refusal = _raise) -> FloatArray:
    """Return the numbers of a target column in float64, NaN where a value is missing.

    Texts of numbers are read if the column allows exactly one reading. `refuse` raises the error
    of a row that holds no finite number, or notes it; the row is then missing.

    Raises
    ------
    TypeError
        If the column holds dates, durations or complex numbers.
    ValueError
        If a value is no finite number. The error names the first such row, counted from 1.
    """
    refuse_unreal(column, f"target {name!r}")
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(column.cat.categories.dtype)
    numbers = pd.to_numeric(column, errors="coerce")
    unread = (numbers.isna() & column.notna()).to_numpy()
    if unread.any():
        return _read_texts(column, name, refuse)
    values = numbers.to_numpy(dtype="float64", na_value=np.nan)
    bad = np.isinf(values)
    for row in np.flatnonzero(bad).tolist():
        refuse(row, _no_number(column, row, name))
    return np.where(bad, np.nan, values) if bad.any() else values


def _read_texts(column: pd.Series, name: Hashable, refuse: Refusal) -> FloatArray:
    """Read texts that `pandas.to_numeric` does not read."""
    given = column
    for _ in range(_MOST_BAD_TEXTS):
        try:
            return read_numerals(column)[0]
        except UnreadableNumberError as error:
            if error.ambiguous:
                raise ValueError(
                    f"target {name!r}: {error}; pass numbers: texts.str.replace(',', '') where the "
                    "comma separates thousands, texts.str.replace(',', '.') where it is the "
                    "decimal sign"
                ) from None
            refuse(error.row, _no_number(given, error.row, name, error.reason))
            column = column.where(np.arange(len(column)) != error.row)
    raise ValueError(f"target {name!r} holds more than {_MOST_BAD_TEXTS} texts that are no numbers")


def _no_number(
    column: pd.Series, row: int, name: Hashable, reason: str = "is not a finite number"
) -> ValueError:
    value = column.iloc[row]
    shown = value.item() if isinstance(value, np.generic) else value  # inf, not np.float64(inf)
    return ValueError(
        f"target {name!r}: data row {row + 1}, {shown!r}, {reason}; "
        "leave it empty (NaN) if it is missing"
    )
