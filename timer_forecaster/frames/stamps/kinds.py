"""Types of time columns: Arrow, categories and objects become dates, whole numbers or texts."""

from __future__ import annotations

import datetime
from collections.abc import Hashable
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from timer_forecaster.frames.stamps.doubts import row_error
from timer_forecaster.frames.stamps.offsets import with_offsets

_LARGEST = 2**63 - 1
_DATES = (datetime.date, np.datetime64)  # a datetime and a pandas Timestamp are dates
_YEAR_FIRST = r"\d{4}-\d{2}-\d{2}.*"

_REFUSED = {
    "b": "truth values",
    "m": "durations",
    "c": "complex numbers",
}
_REFUSED_OBJECTS = {
    "boolean": "truth values",
    "timedelta": "durations",
    "timedelta64": "durations",
    "complex": "complex numbers",
    "time": "times of the day without a date",
    "interval": "intervals",
    "bytes": "bytes",
}


def plain_times(values: pd.Series, column: Hashable, timezone: str | None = None) -> pd.Series:
    """Return a column without missing times as datetime64, period, int64, float64 or texts.

    Parameters
    ----------
    values : pandas.Series
    column : hashable
        Name of the column, for errors.
    timezone : str, optional
        Zone for objects with several offsets from UTC.

    Raises
    ------
    ValueError
        If the column holds something else, several kinds of times, or integers of more than 64
        bits.

    Examples
    --------
    >>> import datetime
    >>> days = pd.Series([datetime.date(2024, 1, 1), datetime.date(2024, 1, 2)], dtype=object)
    >>> plain_times(days, "day").dt.day.tolist()
    [1, 2]
    """
    dtype = values.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return plain_times(values.astype(dtype.categories.dtype), column, timezone)
    if _is_plain(dtype):
        return values
    if isinstance(dtype, pd.IntervalDtype) or dtype.kind in _REFUSED:
        raise _refused(column, dtype, _REFUSED.get(dtype.kind, "intervals"))
    if isinstance(dtype, pd.SparseDtype):
        values = values.astype(dtype.subtype)
    elif isinstance(dtype, pd.StringDtype):
        return values.astype(object)
    if pd.api.types.is_numeric_dtype(values.dtype):
        return _numbers(values, column)
    given = values.to_numpy()
    plain = pd.Series(given, index=values.index, name=values.name)
    return plain if _is_plain(plain.dtype) else _objects(plain.astype(object), column, timezone)


def _is_plain(dtype: Any) -> bool:
    """Whether a type is datetime64, with or without a zone, or period, as pandas has them."""
    if isinstance(dtype, pd.DatetimeTZDtype | pd.PeriodDtype):
        return True
    return isinstance(dtype, np.dtype) and dtype.kind == "M"


def _refused(column: Hashable, dtype: Any, noun: str) -> ValueError:
    return ValueError(
        f"time column {column!r} has dtype {dtype}: it holds {noun}; pass dates or integers"
    )


def _numbers(values: pd.Series, column: Hashable) -> pd.Series:
    """Return numbers in int64 if all are whole, else in float64."""
    if pd.api.types.is_integer_dtype(values.dtype):
        if values.max() > _LARGEST:
            raise too_large(values, (values > _LARGEST).to_numpy(dtype=bool), column)
        return pd.Series(values.to_numpy(dtype="int64"), index=values.index, name=values.name)
    numbers = pd.Series(values.to_numpy(dtype="float64"), index=values.index, name=values.name)
    with np.errstate(invalid="ignore"):
        whole = (numbers % 1 == 0).all()
    large = (numbers.abs() >= float(_LARGEST)).to_numpy() & np.isfinite(numbers.to_numpy())
    if whole and large.any():
        raise too_large(values, large, column)
    return numbers.astype("int64") if whole else numbers


def too_large(values: pd.Series, large: Any, column: Hashable) -> ValueError:
    """Return an error that names the first integer of more than 64 bits."""
    return row_error(
        values,
        np.asarray(large, dtype=bool),
        column,
        f"is too large: integer times reach to {_LARGEST}; subtract the first one, or write dates",
    )


def whole_numbers(numbers: list[int], values: pd.Series, column: Hashable) -> pd.Series:
    """Return Python integers in int64."""
    large = np.array([abs(number) > _LARGEST for number in numbers])
    if large.any():
        raise too_large(values, large, column)
    return pd.Series(np.array(numbers, dtype="int64"), index=values.index, name=values.name)


def _objects(values: pd.Series, column: Hashable, timezone: str | None) -> pd.Series:
    kind = pd.api.types.infer_dtype(values, skipna=False)
    if kind in _REFUSED_OBJECTS:
        raise _refused(column, values.dtype, _REFUSED_OBJECTS[kind])
    kinds = np.array([_kind(value) for value in values])
    for noun in ("truth values", "durations"):
        if (kinds == noun).any():
            raise row_error(values, kinds == noun, column, f"is one of {noun}; pass dates")
    present = set(kinds)
    if present == {"text"}:
        return values
    if present == {"number"}:
        numbers = values.tolist()
        if all(number % 1 == 0 for number in numbers):
            return whole_numbers([int(number) for number in numbers], values, column)
        return values.astype("float64")
    if present == {"period"}:
        return _periods(values, column)
    if present == {"date"}:
        return _dates(values, column, timezone)
    if present == {"text", "date"}:
        return _mixed(values, kinds == "text", column)
    if present == {"text", "number"} and values.astype(str).str.fullmatch(r"[+-]?\d+").all():
        return values.astype(str).astype(object)
    raise _strange(values, kinds, column)


def _strange(values: pd.Series, kinds: NDArray[Any], column: Hashable) -> ValueError:
    """Return the error of objects that are no times, or of several kinds."""
    first = type(values.iloc[0]).__name__
    other = kinds != kinds[0]
    if not other.any():
        return row_error(values, ~other, column, f"is a {first}, and no time; pass dates")
    kind = type(values[other].iloc[0]).__name__
    why = f"is a {kind}, and the first row is a {first}; pass one kind of times"
    return row_error(values, other, column, why)


def _kind(value: Any) -> str:
    if isinstance(value, bool | np.bool_):
        return "truth values"
    if isinstance(value, datetime.timedelta | np.timedelta64):
        return "durations"
    if isinstance(value, str):
        return "text"
    if isinstance(value, int | float | np.integer | np.floating | Decimal):
        return "number"
    if isinstance(value, pd.Period):
        return "period"
    return "date" if isinstance(value, _DATES) else type(value).__name__


def _periods(values: pd.Series, column: Hashable) -> pd.Series:
    frequencies = np.array([value.freqstr for value in values])
    other = frequencies != frequencies[0]
    if other.any():
        raise row_error(
            values, other, column, f"is no period of {values.iloc[0].freqstr!r}, as row 1 is"
        )
    return pd.Series(pd.PeriodIndex(values), index=values.index, name=values.name)


def _mixed(values: pd.Series, is_text: Any, column: Hashable) -> pd.Series:
    """Return dates and texts of dates as texts; the order in texts must be evident."""
    strange = is_text & ~values.astype(str).str.fullmatch(_YEAR_FIRST).to_numpy()
    if strange.any():
        raise row_error(
            values,
            strange,
            column,
            "is a text, and other rows are dates, which may have been read with the day and the "
            "month exchanged; read the column as texts alone",
        )
    return values.astype(str).astype(object)


def _dates(values: pd.Series, column: Hashable, timezone: str | None) -> pd.Series:
    """Return date objects as datetime64; with several offsets from UTC, in the zone of these."""
    stamps = [pd.Timestamp(value) for value in values]
    zones = {str(stamp.tz) for stamp in stamps}
    if len(zones) == 1:
        times = pd.DatetimeIndex(stamps)
    elif "None" in zones:
        naive = np.array([stamp.tz is None for stamp in stamps])
        raise row_error(values, naive, column, "has no time zone, and other rows have one")
    else:
        wall = pd.DatetimeIndex([stamp.tz_localize(None) for stamp in stamps])
        offsets = pd.TimedeltaIndex([stamp.utcoffset() for stamp in stamps])
        times = with_offsets(wall, offsets, column, timezone)
    return pd.Series(times, index=values.index, name=values.name)
