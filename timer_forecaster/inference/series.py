"""Series from the containers of users: one 1-D float64 array for each, oldest step first."""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Mapping, Sequence, Set
from decimal import Decimal
from itertools import pairwise
from numbers import Number
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from timer_forecaster.arrays import FloatArray
from timer_forecaster.failures import Failures
from timer_forecaster.inference.times import Owner, Times, owner_of, read_times
from timer_forecaster.values import as_floats, is_missing, library_of

_SCALARS = (str, bytes, Number, Decimal, np.generic, datetime.date, datetime.time)
_NUMBERS = {float, int, bool, type(None), np.float64, np.float32, np.int64}
_EMPTY = np.zeros(1)
_MOST_TOGETHER = 2**18  # values whose keys are made at once
_EXPECTED = "a 1-D array, a list of them or a 2-D array, whose rows are series"


def as_series(
    series: Any, failures: Failures | None = None, door: str | None = None
) -> list[FloatArray]:
    """Return the series of any accepted input as 1-D float64 arrays.

    Parameters
    ----------
    series : array of shape (steps,), array of shape (n_series, steps), or sequence of arrays
        Arrays of numpy, torch, pandas, pyarrow, polars or xarray, lists, arrays of lists,
        iterators, and mappings from names to series, in their order. NaN (or None, a missing value
        of pandas, or a masked value) means missing. A 2-D ``xarray.DataArray`` has its series along
        the dimension that has times. Where a series has dates or periods, a step that is absent
        from their regular grid is NaN, as in a frame.
    failures : Failures, optional
        Notes series that are no numbers; an empty one stands in their place. Default: raise.
    door : str, optional
        Name of the function that takes frames in place of series, for errors. Default: there is
        none.

    Raises
    ------
    TypeError
        If a series does not hold numbers, or if the input is a container that may be read in
        several ways, such as a frame, which `ForecastPipeline.predict_frame` takes. The error
        names what to pass.
    ValueError
        If there is no series, or one is not 1-D, or its times run backwards, are there twice, or
        have no regular step.

    Examples
    --------
    >>> from decimal import Decimal
    >>> as_series([Decimal("1.5"), None])
    [array([1.5, nan])]
    """
    return timed_series(series, failures, door).values


class TimedSeries(NamedTuple):
    """Series with their times."""

    values: list[FloatArray]
    """Each of shape (steps,); NaN at a step that is absent from the times."""
    times: list[Times | None]
    """None for a series without times."""


def timed_series(
    series: Any, failures: Failures | None = None, door: str | None = None
) -> TimedSeries:
    """Return the series of any accepted input with their times; see `as_series`."""
    failures = failures or Failures()
    given = _opened(series, "series", door)
    if isinstance(given, Sequence) and not len(given):
        raise ValueError(f"series={given!r} holds no series; pass {_EXPECTED}")
    if _is_nested(given):
        values = [_as_vector(item, i, failures, door) for i, item in enumerate(given)]
        owners = [_owner(item, f"series[{i}]") for i, item in enumerate(given)]
    else:
        values = _of_array(as_floats(given, "series"), library_of(series) == "xarray")
        owners = [_owner(series, "series")] * len(values)
    if not any(owners):
        return TimedSeries(values, [None] * len(values))
    readable = [None if i in failures.reasons else owner for i, owner in enumerate(owners)]
    times = read_times(readable, failures)
    for number, own in enumerate(times):
        if own is not None:
            values[number] = own.lay(values[number])
        elif number in failures.reasons:
            values[number] = np.empty(0)
    return TimedSeries(values, times)


def _of_array(array: FloatArray, along_times: bool) -> list[FloatArray]:
    """Return the series of an array; refuse a column, unless its dimensions say what it is."""
    if array.ndim == 1:
        return [array]
    if array.ndim != 2 or not len(array):
        raise ValueError(
            f"series has shape {array.shape}; expected (steps,), (n_series >= 1, steps) or a list "
            "of 1-D arrays"
        )
    if array.shape[1] == 1 and len(array) > 1 and not along_times:
        raise ValueError(
            f"series has shape {array.shape}, which is {len(array)} series of one step each; pass "
            "series.ravel() if it is one series, or list(series) if they are several"
        )
    return list(array)


def _as_vector(item: Any, place: int, failures: Failures, door: str | None) -> FloatArray:
    name = f"series[{place}]"
    try:
        array = as_floats(_opened(item, name, door), name)
        if array.ndim != 1:
            raise ValueError(f"{name} has shape {array.shape}; expected a 1-D array")
    except (TypeError, ValueError) as error:
        failures.add(place, error)
        return np.empty(0)
    return array


def _owner(series: Any, name: str) -> Owner | None:
    """Return a series with its times; None if it has none."""
    if library_of(series) == "xarray":
        dims = _time_dims(series)
        return owner_of(series, name, dims[0]) if dims else None
    return owner_of(series, name)


def _is_nested(series: Any) -> bool:
    """Whether the items of a list, or of an array of objects, are series."""
    if isinstance(series, np.ndarray):
        if series.dtype != object or series.ndim != 1:
            return False
    elif not isinstance(series, Sequence):
        return False
    return not set(map(type, series)) <= _NUMBERS and not all(map(_is_scalar, series))


def _is_scalar(item: Any) -> bool:
    if isinstance(item, _SCALARS) or is_missing(item) or isinstance(item, datetime.timedelta):
        return True
    n_dimensions = getattr(item, "ndim", None)
    if n_dimensions is not None:
        return bool(n_dimensions == 0)
    return not any(hasattr(item, name) for name in ("__len__", "__iter__", "__array__"))


def _opened(series: Any, name: str, door: str | None) -> Any:
    """Return a container as a list or an array; refuse one that may be read in several ways."""
    library = library_of(series)
    if library == "xarray" and hasattr(series, "to_dataset"):  # a Dataset has none
        return _of_data_array(series, name)
    _refuse_frames(series, library, name, door)
    _refuse_unordered(series, name)
    if isinstance(series, Mapping):
        return _of_mapping(series, name)
    if _is_iterable_alone(series):
        return list(series)
    if isinstance(series, memoryview):
        return np.asarray(series)
    if library == "pandas" and hasattr(series, "to_numpy"):
        return _of_pandas(series, name, door)
    if library in ("pyarrow", "polars") and hasattr(series, "to_numpy"):
        chunked = library == "polars" or hasattr(series, "chunks")
        return series.to_numpy() if chunked else series.to_numpy(zero_copy_only=False)
    if library not in ("pandas", "polars") and hasattr(series, "__arrow_c_stream__"):
        import pyarrow as pa

        return _opened(pa.chunked_array(series), name, door)
    if library == "torch" and getattr(series, "is_nested", False):
        return list(series.unbind())
    return series


def _refuse_frames(series: Any, library: str, name: str, door: str | None) -> None:
    """Refuse frames and time series of other libraries, with the expression to pass instead."""
    advice = None
    columns = "{}.T if each column is a series" + (f", or use {door}" if door else "")
    if library == "darts":
        advice = f"{name}.values().T, whose rows are its components, or use TimerS1Model of "
        advice += "timer_forecaster.darts"
    elif library == "gluonts":
        advice = f"[entry['target'] for entry in {name}]"
    elif library == "xarray":
        whole = f", or give it to {door}" if door else ""
        advice = f"one of its variables{whole} ({name}['NAME'])"
    elif library == "pyarrow" and hasattr(series, "column_names"):
        advice = columns.format(f"{name}.to_pandas().to_numpy()")
    elif library == "polars" and hasattr(series, "collect"):
        advice = columns.format(f"{name}.collect().to_numpy()")
    elif hasattr(series, "columns"):
        advice = columns.format(f"{name}.to_numpy()")
    if advice is not None:
        kind = "a frame" if "column" in advice else f"a {type(series).__name__}"
        raise TypeError(f"{name} is {kind}; pass {advice}")


def _refuse_unordered(series: Any, name: str) -> None:
    """Refuse text, sets, sparse matrices and groups."""
    kind = type(series).__name__
    if series is None or isinstance(series, (str, bytes, bytearray)):
        raise ValueError(f"{name}={series!r} holds no series; pass {_EXPECTED}")
    if isinstance(series, Set) and not hasattr(series, "mapping"):
        raise TypeError(f"{name} is a {kind}, which has no order; pass {_EXPECTED}")
    if kind.endswith("GroupBy"):
        raise TypeError(f"{name} is a {kind}; pass [one for _, one in {name}]")
    if hasattr(series, "toarray"):
        raise TypeError(f"{name} is a sparse {kind}; pass {name}.toarray()")


def _of_mapping(series: Mapping[Any, Any], name: str) -> list[Any]:
    """Return the series of a mapping of names to series, in its order."""
    values = list(series.values())
    if "target" in series:
        raise TypeError(f"{name} is a {type(series).__name__}; pass {name}['target']")
    if all(map(_is_scalar, values)):
        raise TypeError(
            f"{name} is a {type(series).__name__} of {len(values)} single values; pass "
            f"list({name}.values()) if they are in the order of time"
        )
    return values


def _is_iterable_alone(series: Any) -> bool:
    """Whether a container can only be iterated over, as a generator or a view of a dict."""
    if isinstance(series, (Sequence, memoryview, type)) or hasattr(series, "ndim"):
        return False
    protocols = ("__array__", "__array_interface__", "__arrow_c_array__", "__arrow_c_stream__")
    return hasattr(series, "__iter__") and not any(hasattr(series, one) for one in protocols)


def _of_pandas(series: Any, name: str, door: str | None) -> Any:
    """Return a Series, an Index or an array of pandas; refuse several series under one another."""
    index: Any = getattr(series, "index", None)
    if getattr(index, "nlevels", 1) > 1 and index.droplevel(-1).nunique() > 1:
        raise TypeError(
            f"{name} has an index of {index.nlevels} levels, and may hold several series; pass "
            f"[one for _, one in {name}.groupby(level=0)] if each key of the first level is a "
            f"series, or {name}.to_numpy() if it is a single one"
            + (f", or {name}.reset_index() to {door}" if door else "")
        )
    nested = series.dtype == object or "list" in str(series.dtype)
    return series.to_numpy(dtype=object) if nested else series


def _of_data_array(series: Any, name: str) -> Any:
    """Return a DataArray with its time as the last dimension."""
    times = _time_dims(series)
    if series.ndim < 2:
        return series.to_numpy()
    if len(times) != 1:
        raise TypeError(
            f"{name} is a DataArray of dimensions {series.dims}, and it is not clear which is the "
            f"time; pass {name}.transpose(..., {series.dims[0]!r}).to_numpy() if "
            f"{series.dims[0]!r} is it"
        )
    return series.transpose(..., times[0]).to_numpy()


def _time_dims(series: Any) -> list[Any]:
    """Return the dimensions of a DataArray that may be the time."""
    return [dim for dim in series.dims if dim == "time" or _has_times(series.indexes.get(dim))]


def _has_times(index: Any) -> bool:
    names = ("DatetimeIndex", "PeriodIndex", "TimedeltaIndex", "CFTimeIndex")
    return type(index).__name__ in names


def from_first_observed(series: FloatArray) -> FloatArray:
    """Return a series without the missing values at its start; all of one without any value.

    Examples
    --------
    >>> from_first_observed(np.array([np.nan, 1.0, np.nan])).tolist()
    [1.0, nan]
    """
    return series[int(np.isnan(series).argmin()) :] if len(series) else series


def key_of(series: FloatArray) -> int:
    """Return a number of 64 bits that stands for a series, whatever is missing at its start.

    Differences from the first value count with 24 binary digits, so that the last digits of a text
    file make no other number.

    Examples
    --------
    >>> key_of(np.array([np.nan, 0.1, 3.0])) == key_of(np.array([0.1 + 1e-17, 3.0]))
    True
    """
    return keys_of([series])[0]


def keys_of(series: Sequence[FloatArray]) -> list[int]:
    """Return `key_of` of each series."""
    observed = [from_first_observed(np.asarray(one, dtype=np.float64)) for one in series]
    if not observed:
        return []
    ends = np.cumsum([len(one) for one in observed])
    parts = np.searchsorted(ends, np.arange(0, ends[-1], _MOST_TOGETHER), side="left").tolist()
    keys: list[int] = []
    for start, stop in pairwise([*sorted({0, *parts}), len(observed)]):
        keys += _keys_together(observed[start:stop])
    return keys


def _keys_together(observed: Sequence[FloatArray]) -> list[int]:
    filled = [one if len(one) else _EMPTY for one in observed]
    values, bounds = np.concatenate(filled), np.cumsum([0, *map(len, filled)])
    firsts = values[bounds[:-1]]
    with np.errstate(invalid="ignore", over="ignore"):  # of infinite and huge values
        distances = values - np.repeat(firsts, np.diff(bounds))
        level = _rounded(firsts, np.arange(len(firsts)))
        shape = _rounded(distances, bounds[:-1])
    keys = []
    for i, (one, start) in enumerate(zip(observed, bounds.tolist(), strict=False)):
        n = len(one)
        parts = level[0][i], level[1][i : i + min(n, 1)], shape[0][i], shape[1][start : start + n]
        text = b"".join([part.tobytes() for part in parts])
        keys.append(int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little"))
    return keys


def _rounded(
    values: FloatArray, starts: NDArray[np.intp]
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the leading 24 binary digits of values, relative to the largest of their part.

    Parts begin at ``starts``. The exponents of their largest values come first.
    """
    sizes = np.abs(values)
    sizes[~np.isfinite(sizes)] = 0.0
    exponents = np.frexp(np.maximum.reduceat(sizes, starts))[1]
    lengths = np.diff(np.append(starts, len(values)))
    rounded = np.ldexp(values, -np.repeat(exponents, lengths)).astype(np.float32)
    rounded += np.float32(0)  # -0.0 is 0.0
    rounded[np.isnan(rounded)] = np.nan  # there are several NaN
    return exponents.astype("<i8"), rounded
