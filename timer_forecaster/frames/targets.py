"""The choice of the target columns, where they are not named.

Columns that are numeric and no series of measurements are left out: row numbers, parts of the
date, constants, and attributes that each id has one of.
"""

from __future__ import annotations

import warnings
from collections.abc import Hashable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from timer_forecaster.callers import stacklevel_of_caller
from timer_forecaster.frames.numerals import UnreadableNumberError, read_numerals
from timer_forecaster.frames.table import is_empty

# With fewer rows, that a column counts or does not change says nothing yet.
_LEAST_ROWS = 6

_ROW_NUMBERS = frozenset(
    "index idx level_0 row rows row_number rownumber rownum row_num row_id rowid nr no num number "
    "n # id seq sequence record obs observation lfd lfd.nr".split()
)


class LeftOutWarning(UserWarning):
    """A numeric column is not forecast, because it holds no measurements."""


class Choice(NamedTuple):
    """The target columns of a frame, and the reasons of the others."""

    targets: list[Hashable]
    left_out: dict[Hashable, str]
    doubtful: dict[Hashable, str]
    """Targets that look like no measurements, and are forecast because there are no others."""
    numeric: set[Hashable]
    """Columns that are left out although they are numeric, truth values, or texts of numbers."""


def choose_targets(
    frame: pd.DataFrame,
    time_column: Hashable,
    id_column: Hashable | None = None,
    times: pd.Index | None = None,
) -> Choice:
    """Choose the columns to forecast: all numeric ones but those that hold no measurements.

    A column that only looks like a row number, a part of the date or a constant is forecast if
    there is no other one.

    Parameters
    ----------
    frame : pandas.DataFrame
    time_column : hashable
    id_column : hashable, optional
    times : pandas.Index, optional
        The times, where the column holds texts of them.

    Returns
    -------
    Choice

    Examples
    --------
    >>> days = pd.date_range("2024-01-01", periods=6)
    >>> frame = pd.DataFrame({"day": days, "sold": [3, 5, 4, 6, 2, 8], "year": 2024})
    >>> choice = choose_targets(frame, "day")
    >>> choice.targets, choice.left_out
    (['sold'], {'year': 'the year of the time'})
    """
    columns: list[Hashable] = [
        name for name in frame.columns if name not in (time_column, id_column)
    ]
    kinds = {name: reason_of_kind(frame[name]) for name in columns}
    numeric = [name for name in columns if kinds[name] is None]
    stamps = frame[time_column] if times is None else pd.Series(times)
    rows = _Rows.of(stamps, _ids(frame, id_column))
    if any(_begins_whole(frame[name]) for name in numeric):
        rows = rows.with_parts()
    found = {name: rows.reason(frame[name], name) for name in numeric}
    targets = [name for name in numeric if found[name] is None]
    doubtful = {} if targets else {n: why.text for n, why in found.items() if why and not why.sure}
    left_out: dict[Hashable, str] = {}
    for name in columns:
        reason, why = kinds[name], found.get(name)
        if reason is not None:
            left_out[name] = reason.text
        elif why is not None and name not in doubtful:
            left_out[name] = why.text
    surprising = {name for name in columns if name in left_out and kinds[name] is None}
    surprising |= {n for n, reason in kinds.items() if reason is not None and not reason.sure}
    return Choice(targets or list(doubtful), left_out, doubtful, surprising)


def warn_left_out(choice: Choice) -> None:
    """Warn of numeric columns that are left out, at the line that called the package."""
    reasons = [f"{n!r} ({why})" for n, why in choice.left_out.items() if n in choice.numeric]
    if reasons:
        warnings.warn(
            f"not forecast: {', '.join(reasons)}; name columns in target_columns to forecast them, "
            "or to silence this",
            LeftOutWarning,
            stacklevel=stacklevel_of_caller(),
        )


class Reason(NamedTuple):
    """Why a column is no target."""

    text: str
    sure: bool = True


_TRUTH = Reason("it holds True and False", sure=False)


def reason_of_kind(column: pd.Series) -> Reason | None:
    """Return why values of this kind are no numbers; None if they are numbers.

    Truth values and texts of numbers are no numbers either, as long as nobody names their column;
    to leave them out is a surprise, and the reason is then not sure.
    """
    dtype = column.dtype
    if pd.api.types.is_bool_dtype(dtype):
        return _TRUTH
    if pd.api.types.is_complex_dtype(dtype):
        return Reason("it holds complex numbers")
    if pd.api.types.is_numeric_dtype(dtype) and not isinstance(dtype, pd.CategoricalDtype):
        return None
    if pd.api.types.is_object_dtype(dtype) or pd.api.types.is_string_dtype(dtype):
        return _reason_of_objects(column)
    return Reason(f"it holds values of type {dtype}")


def _reason_of_objects(column: pd.Series) -> Reason | None:
    if is_empty(column).all():
        return Reason("it is empty")
    inferred = pd.api.types.infer_dtype(column, skipna=True)
    if inferred in ("integer", "floating", "mixed-integer-float", "decimal"):
        return None
    if inferred == "boolean":
        return _TRUTH
    if inferred not in ("string", "mixed-integer", "mixed"):
        return Reason(f"it holds values of type {inferred}")
    if not column.map(lambda value: isinstance(value, str | int | float) or pd.isna(value)).all():
        return Reason("it holds values that are no numbers")
    try:
        read_numerals(column)
    except UnreadableNumberError as error:
        return Reason(f"text: {error}", sure=not error.numeric)
    return Reason("text of numbers, which are forecast where the column is named", sure=False)


def _ids(frame: pd.DataFrame, id_column: Hashable | None) -> NDArray[np.intp]:
    """Return the number of the series of each row."""
    if id_column is None:
        return np.zeros(len(frame), dtype=np.intp)
    return pd.factorize(frame[id_column])[0]


def _begins_whole(column: pd.Series) -> bool:
    """Whether the first values are whole numbers, as all parts of a date are."""
    first = pd.to_numeric(column.head(_LEAST_ROWS), errors="coerce").to_numpy("float64", na_value=0)
    return bool((first == np.floor(first)).all())


class _Rows(NamedTuple):
    """The rows of a frame by series, to compare columns with."""

    times: pd.Series
    number: NDArray[np.intp]  # of the row within its series, from 0, in the order of the file
    series: NDArray[np.intp]
    longest: int
    parts: Sequence[tuple[str, NDArray[Any]]]

    @classmethod
    def of(cls, times: pd.Series, series: NDArray[np.intp]) -> _Rows:
        """Make the rows of series from the number of the series of each row."""
        number = pd.Series(series).groupby(series).cumcount().to_numpy().astype(np.intp)
        return cls(times, number, series, int(number.max(initial=-1)) + 1, [])

    def with_parts(self) -> _Rows:
        """Return the same rows with the parts of their times."""
        return self._replace(parts=list(_parts_of(self.times)))

    def reason(self, column: pd.Series, name: Hashable) -> Reason | None:
        """Return why a numeric column holds no measurements; None if it may hold some."""
        values = pd.to_numeric(column, errors="coerce").to_numpy(dtype="float64", na_value=np.nan)
        whole = pd.api.types.is_integer_dtype(column.dtype)
        label = str(name).strip().lower()
        if self._counts(values):
            if not label or label.startswith("unnamed: ") or label in _ROW_NUMBERS:
                return Reason("row numbers")
            if whole and self.longest >= _LEAST_ROWS:
                return Reason("row numbers", sure=False)
        equal = [part for part, expected in self.parts if (values == expected).all()]
        words = label.replace("_", " ").split()
        named = next((part for part in equal if part in words), None)
        if named is not None:
            return Reason(f"the {named} of the time")
        constant = self._reason_of_constants(values)
        if constant is None and equal and whole and self.longest >= _LEAST_ROWS:
            return Reason(f"the {equal[0]} of the time", sure=False)
        return constant

    def _counts(self, values: NDArray[np.float64]) -> bool:
        """Whether values number the rows of the frame or of each series, from 0 or 1."""
        if not len(values) or values[0] not in (0, 1):
            return False
        rows = np.arange(len(values))
        return bool((values - values[0] == rows).all() or (values - values[0] == self.number).all())

    def _reason_of_constants(self, values: NDArray[np.float64]) -> Reason | None:
        observed = ~np.isnan(values)
        if not observed.any():
            return Reason("it is empty", sure=False)
        if min(observed.sum(), self.longest) < _LEAST_ROWS:
            return None
        first = values[observed][0]
        if (values[observed] == first).all():
            return Reason(f"constant, {first:.6g}", sure=False)
        n_series = int(self.series.max(initial=0)) + 1
        if n_series > 1:
            seen = pd.Series(values[observed]).groupby(self.series[observed])
            if (seen.nunique() == 1).all():
                return Reason("constant within each id", sure=False)
        return None


def _parts_of(times: pd.Series) -> Iterator[tuple[str, NDArray[Any]]]:
    """Yield parts of dates that tables have as columns, by their names."""
    if isinstance(times.dtype, pd.PeriodDtype):
        times = times.dt.to_timestamp()
    if not (isinstance(times.dtype, pd.DatetimeTZDtype) or times.dtype.kind == "M"):
        if pd.api.types.is_integer_dtype(times.dtype):
            yield "number", times.to_numpy()
        return
    at = times.dt
    for part in ("year", "month", "day", "hour", "minute", "second", "quarter"):
        yield part, getattr(at, part).to_numpy()
    weekday = at.dayofweek.to_numpy()
    for shift in (weekday, weekday + 1, (weekday + 1) % 7, (weekday + 1) % 7 + 1):
        yield "weekday", shift
    yield "week", at.isocalendar().week.to_numpy(dtype=np.int64)
    yield "day of the year", at.dayofyear.to_numpy()
    yield "weekend", weekday >= 5
    year, month, day = (getattr(at, part).to_numpy() for part in ("year", "month", "day"))
    yield "year and month", year * 100 + month
    yield "date", (year * 100 + month) * 100 + day
    seconds = at.as_unit("s").astype("int64").to_numpy()
    yield "seconds since 1970", seconds
    yield "milliseconds since 1970", seconds * 1000
