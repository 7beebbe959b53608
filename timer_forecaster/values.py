"""Values of users in float64, NaN where missing.

Arrays of numpy, torch, pandas, pyarrow, polars and xarray are read, lists too, and exact numbers
such as ``Decimal``. Durations, dates, complex numbers and text are no values: numpy and pandas
would make numbers of them without a word. Libraries are known by their names, so that none is
imported here.
"""

from __future__ import annotations

import datetime
import warnings
from collections.abc import Iterator
from decimal import Decimal
from numbers import Complex, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from timer_forecaster.arrays import FloatArray
from timer_forecaster.checks import plain

_KINDS = {
    "m": "durations; divide them by a unit, as in values / pd.Timedelta('1h')",
    "M": "dates, which are no values of a series",
    "c": "complex numbers; their .real and .imag are two series",
    "U": "text; turn it into numbers, as pd.to_numeric(values) does",
    "S": "text; turn it into numbers, as pd.to_numeric(values) does",
    "V": "records; pass one of their fields",
}
_PLAIN = {float, int, bool, type(None), np.float64, np.float32, np.int64, np.int32, np.bool_}


def library_of(value: Any) -> str:
    """Return the name of the library that a value's class comes from, or its first base class.

    Examples
    --------
    >>> import numpy as np
    >>> library_of(np.arange(3)), library_of([1])
    ('numpy', 'builtins')
    """
    *bases, _ = type(value).__mro__
    names = [base.__module__.partition(".")[0] for base in bases]
    known = ("numpy", "torch", "pandas", "pyarrow", "polars", "xarray", "darts", "gluonts")
    return next((name for name in names if name in known), names[0] if names else "builtins")


def is_missing(value: Any) -> bool:
    """Whether an object stands for a missing value: None, ``pd.NA``, ``pd.NaT`` or a masked one."""
    return value is None or value is np.ma.masked or type(value).__name__ in ("NAType", "NaTType")


def as_floats(values: Any, name: str) -> FloatArray:
    """Return an array, or a list of numbers, of any shape in float64.

    Parameters
    ----------
    values : array-like
        NaN, None, ``pd.NA`` and masked values are missing.
    name : str
        Name of the values in errors.

    Raises
    ------
    TypeError
        If a value is no real number. The error names the first, or the type of all.

    Examples
    --------
    >>> import numpy as np
    >>> as_floats(np.ma.masked_equal([1, -9], -9), "series")
    array([ 1., nan])
    """
    if isinstance(values, np.ma.MaskedArray):
        return _unmasked(values, name)
    array = _as_array(values, name)
    if array.dtype == np.float64:
        return array
    if array.dtype.kind in "biuf":
        with np.errstate(over="ignore"):  # a long double beyond float64 is infinite, and found out
            return array.astype(np.float64, copy=False)
    refuse_kind(array.dtype.kind, array.dtype, name)
    found = first_unreal(array)
    if found is not None:
        place, reason = found
        value = repr(array.ravel()[place])
        where = np.unravel_index(place, array.shape)
        step = f" at step {place}" if array.ndim == 1 else f" at place {tuple(map(int, where))}"
        raise TypeError(
            f"{name} must hold real numbers, NaN where missing; {value[:60]}"
            f"{step if array.ndim else ''} is {reason}"
        )
    numbers = [np.nan if is_missing(value) else float(value) for value in array.ravel()]
    return np.array(numbers, dtype=np.float64).reshape(array.shape)


def refuse_kind(kind: str, dtype: Any, name: str) -> None:
    """Refuse the kind of a dtype that holds no real numbers; objects may be some.

    Raises
    ------
    TypeError
    """
    if kind in _KINDS:
        raise TypeError(
            f"{name} must hold real numbers, NaN where missing; its dtype is {dtype}, "
            f"{_KINDS[kind]}"
        )


def _unmasked(values: np.ma.MaskedArray[Any, Any], name: str) -> FloatArray:
    """Return a masked array with NaN for its masked values."""
    data, mask = np.ma.getdata(values), np.ma.getmaskarray(values)
    if data.dtype.kind == "O":
        data = data.copy()
        data[mask] = None
    floats = as_floats(data, name)
    return np.where(mask, np.nan, floats)


def _as_array(values: Any, name: str) -> NDArray[Any]:
    """Return the values of any library as an array of numpy, of objects where there are others."""
    if type(values) is np.ndarray:
        return values
    library = library_of(values)
    try:
        if library == "torch" and hasattr(values, "detach"):
            return _of_tensor(values, name)
        if library == "pandas" and hasattr(values, "to_numpy"):
            if getattr(values.dtype, "kind", "O") in "biuf":
                return np.asarray(values.to_numpy(dtype=np.float64, na_value=np.nan))
            kind = getattr(values.dtype, "kind", "O")
            refuse_kind(kind if kind in "mMc" else "O", values.dtype, name)
            return np.asarray(values.to_numpy(dtype=object))
        if library == "pyarrow" and hasattr(values, "to_numpy"):
            several = hasattr(values, "chunks")
            return np.asarray(values.to_numpy(**({} if several else {"zero_copy_only": False})))
        if isinstance(values, (list, tuple)) and any(library_of(v) == "torch" for v in values[:1]):
            values = [value.item() if hasattr(value, "item") else value for value in values]
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*converting a masked element to nan")
            array = np.asarray(values)
        of_list = array.dtype.kind not in "biufO" and isinstance(values, (list, tuple))
        return np.array(values, dtype=object) if of_list else array  # to find the first such value
    except (TypeError, ValueError, RuntimeError, OverflowError) as error:
        if str(error).startswith(name):  # its own
            raise
        raise TypeError(f"{name} must hold real numbers, NaN where missing: {error}") from None


def _of_tensor(tensor: Any, name: str) -> NDArray[Any]:
    refuse_kind("c" if tensor.is_complex() else "f", tensor.dtype, name)
    tensor = tensor.detach()
    tensor = tensor.dequantize() if tensor.is_quantized else tensor.to_dense()
    return np.asarray(tensor.cpu().double().resolve_neg().numpy())


def holds_labels(values: Any) -> bool:
    """Whether a column holds texts or categories, not numbers.

    Examples
    --------
    >>> holds_labels([None, "wet"]), holds_labels([None, 1.0])
    (True, False)
    """
    dtype = str(getattr(values, "dtype", ""))
    if dtype == "category" or dtype.startswith("str"):
        return True
    array = np.asarray(values) if not hasattr(values, "to_numpy") else values.to_numpy()
    if array.dtype.kind in "US":
        return True
    found = first_unreal(array) if array.dtype.kind == "O" else None
    return found is not None and isinstance(array.ravel()[found[0]], (str, bytes))


def label_text(value: Any) -> str | None:
    """Return the text of a category, None where it is missing. Equal numbers have the same text.

    Examples
    --------
    >>> label_text(1.0), label_text(1), label_text("wet"), label_text(float("nan"))
    ('1', '1', 'wet', None)
    """
    if is_missing(value) or value != value:
        return None
    if isinstance(value, (float, np.floating)) and value.is_integer():
        return str(int(value))  # a column of integers with a gap is one of floats in pandas
    return str(value)


def first_unreal(values: NDArray[Any]) -> tuple[int, str] | None:
    """Return the place of the first object that is neither a real number nor missing, and its kind.

    Parameters
    ----------
    values : ndarray of objects
        The place is counted over the flattened array.
    """
    objects = values.ravel().tolist()
    if set(map(type, objects)) <= _PLAIN - {int}:  # an int may be too large
        return None
    return next(_unreal(objects), None)


def _unreal(objects: list[Any]) -> Iterator[tuple[int, str]]:
    for place, value in enumerate(objects):
        reason = None if is_missing(value) else _reason(plain(value))
        if reason is not None:
            yield place, reason


def _reason(value: Any) -> str | None:
    """Return why a value is no real number; None if it is one."""
    if isinstance(value, (str, bytes)):
        return _KINDS["U"]
    if isinstance(value, (datetime.timedelta, np.timedelta64)):
        return "a duration; divide durations by a unit, as in values / pd.Timedelta('1h')"
    if isinstance(value, (datetime.date, datetime.time, np.datetime64)):
        return "a date or a time, which is no value of a series"
    if isinstance(value, Complex) and not isinstance(value, Real):
        return "a complex number; .real and .imag are two series"
    if not isinstance(value, (Real, Decimal)) and np.ndim(value):
        return "an array or a list; pass a list of 1-D arrays for several series"
    try:
        float(value)
    except OverflowError:
        return "too large for float64; divide the series by a power of ten"
    except (TypeError, ValueError) as error:
        return f"no number: {error}"
    return None
