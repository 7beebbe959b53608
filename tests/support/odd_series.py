"""Containers that hold one series, and values that are no numbers, as people have them.

polars is imitated: its classes are known by their module, and used by their protocol.
"""

import array
import collections
import datetime
import decimal
import fractions

import numpy as np
import pandas as pd
import pyarrow as pa
import torch
import xarray as xr

VALUES = [float(k % 7) + k / 4 for k in range(40)]  # exact in binary and in decimal
MISSING = 5  # a step that a container may hold as missing


def with_gap(missing=None):
    """Return the values with a missing one."""
    return [missing if step == MISSING else value for step, value in enumerate(VALUES)]


class PolarsSeries:
    """What polars.Series promises."""

    __module__ = "polars.series.series"

    def __init__(self, values):
        self.values = values

    def __len__(self):
        return len(self.values)

    def __iter__(self):
        return iter(self.values.tolist())

    def to_numpy(self):
        return self.values


class PolarsFrame:
    """What polars.DataFrame promises."""

    __module__ = "polars.dataframe.frame"

    def __init__(self, frame):
        self.frame = frame
        self.columns = list(frame.columns)

    def to_pandas(self):
        return self.frame

    def to_numpy(self):
        return self.frame.to_numpy()


class PolarsLazyFrame:
    """What polars.LazyFrame promises."""

    __module__ = "polars.lazyframe.frame"

    def __init__(self, frame):
        self.frame = frame

    def collect(self):
        return PolarsFrame(self.frame)


class ArrowStream:
    """A library that speaks Arrow alone."""

    def __init__(self, data):
        self.data = data

    def __arrow_c_stream__(self, requested_schema=None):
        return self.data.__arrow_c_stream__(requested_schema)


def _days():
    return pd.date_range("2024-01-01", periods=len(VALUES))


ONE_SERIES = {
    "list": lambda: list(VALUES),
    "tuple": lambda: tuple(VALUES),
    "deque": lambda: collections.deque(VALUES),
    "array.array": lambda: array.array("d", VALUES),
    "memoryview": lambda: memoryview(np.array(VALUES)),
    "generator": lambda: (value for value in VALUES),
    "map": lambda: map(float, VALUES),
    "dict view": lambda: dict(enumerate(VALUES)).values(),
    "Decimal": lambda: [decimal.Decimal(value) for value in VALUES],
    "Fraction": lambda: [fractions.Fraction(value) for value in VALUES],
    "Decimal Series": lambda: pd.Series([decimal.Decimal(value) for value in VALUES]),
    "zero-dimensional arrays": lambda: [np.array(value) for value in VALUES],
    "zero-dimensional tensors": lambda: list(torch.tensor(VALUES, dtype=torch.float64)),
    "tensors with gradients": lambda: list(torch.tensor(VALUES, requires_grad=True)),
    "tensor with gradient": lambda: torch.tensor(VALUES, requires_grad=True),
    "sparse tensor": lambda: torch.tensor(VALUES).to_sparse(),
    "bfloat16": lambda: torch.tensor(VALUES, dtype=torch.float64).to(torch.float32),
    "long double": lambda: np.array(VALUES, dtype=np.longdouble),
    "nullable": lambda: pd.Series(VALUES, dtype="Float32"),
    "Arrow-typed": lambda: pd.Series(VALUES, dtype="double[pyarrow]"),
    "Arrow halffloat": lambda: pd.Series(pd.array(pa.array(np.array(VALUES, "f4")))),
    "Arrow decimals": lambda: pd.Series(
        [decimal.Decimal(value) for value in VALUES], dtype=pd.ArrowDtype(pa.decimal128(12, 4))
    ),
    "categories of numbers": lambda: pd.Series(VALUES).astype("category"),
    "sparse column": lambda: pd.Series(pd.arrays.SparseArray(VALUES)),
    "Index": lambda: pd.Index(VALUES),
    "array of pandas": lambda: pd.array(VALUES),
    "pyarrow.Array": lambda: pa.array(VALUES),
    "pyarrow.ChunkedArray": lambda: pa.chunked_array([VALUES[:9], VALUES[9:]]),
    "pyarrow decimals": lambda: pa.array([decimal.Decimal(value) for value in VALUES]),
    "pyarrow dictionary": lambda: pa.array(VALUES).dictionary_encode(),
    "polars.Series": lambda: PolarsSeries(np.array(VALUES)),
    "Arrow stream": lambda: ArrowStream(pa.chunked_array([VALUES])),
    "DataArray": lambda: xr.DataArray(VALUES, dims="step"),
    "DataArray of days": lambda: xr.DataArray(VALUES, {"day": _days()}, "day"),
    "Series of days": lambda: pd.Series(VALUES, _days()),
    "one series of a panel": lambda: pd.Series(
        VALUES, pd.MultiIndex.from_product([["a"], range(len(VALUES))])
    ),
}
"""Containers that hold `VALUES` as one series."""

ONE_SERIES_WITH_GAP = {
    "None": with_gap,
    "nan": lambda: with_gap(np.nan),
    "pd.NA": lambda: with_gap(pd.NA),
    "pd.NaT": lambda: with_gap(pd.NaT),
    "np.ma.masked": lambda: with_gap(np.ma.masked),
    "Decimal NaN": lambda: with_gap(decimal.Decimal("nan")),
    "objects": lambda: np.array(with_gap(pd.NA), dtype=object),
    "Series of objects": lambda: pd.Series(with_gap(pd.NA), dtype=object),
    "nullable": lambda: pd.Series(with_gap(), dtype="Float64"),
    "Arrow-typed": lambda: pd.Series(with_gap(), dtype="float[pyarrow]"),
    "pyarrow": lambda: pa.array(with_gap()),
    "masked": lambda: np.ma.masked_array(with_gap(1e6), np.arange(40) == MISSING),
    "masked integers": lambda: np.ma.masked_array(
        np.array(with_gap(-999)), np.arange(40) == MISSING
    ),
    "masked objects": lambda: np.ma.masked_array(
        np.array(with_gap("x"), dtype=object), np.arange(40) == MISSING
    ),
}
"""Containers that hold `VALUES` but for one missing step."""

TWO = [VALUES, VALUES[:25]]
_LONG = pd.DataFrame({"id": ["b"] * 40 + ["a"] * 25, "y": TWO[0] + TWO[1]})


def _ragged():
    ragged = np.empty(2, dtype=object)
    ragged[:] = [np.array(values) for values in TWO]
    return ragged


TWO_SERIES = {
    "list of lists": lambda: TWO,
    "list of arrays": lambda: [np.array(values) for values in TWO],
    "ragged array of objects": _ragged,
    "aggregated lists": lambda: _LONG.groupby("id", sort=False)["y"].agg(list),
    "groups": lambda: [one for _, one in _LONG.groupby("id", sort=False)["y"]],
    "dict": lambda: {"b": TWO[0], "a": TWO[1]},
    "generator": lambda: (np.array(values) for values in TWO),
    "dict view": lambda: {"b": TWO[0], "a": TWO[1]}.values(),
    "Arrow-typed lists": lambda: pd.Series(TWO, dtype=pd.ArrowDtype(pa.list_(pa.float64()))),
    "pyarrow lists": lambda: pa.array(TWO),
    "polars lists": lambda: PolarsSeries(_ragged()),
    "list of polars.Series": lambda: [PolarsSeries(np.array(values)) for values in TWO],
    "list of pyarrow.Array": lambda: [pa.array(values) for values in TWO],
    "list of generators": lambda: [iter(values) for values in TWO],
    "nested tensor": lambda: torch.nested.nested_tensor(
        [torch.tensor(values, dtype=torch.float64) for values in TWO]
    ),
}
"""Containers that hold two series of 40 and 25 steps."""

DURATIONS = pd.to_timedelta(VALUES, unit="s")
DAYS = pd.date_range("2020-01-01", periods=len(VALUES))
_TEXTS = [str(value) for value in VALUES]

NO_NUMBERS = {
    "durations": (lambda: DURATIONS.to_numpy(), "duration"),
    "durations with NaT": (lambda: DURATIONS.insert(3, pd.NaT)[:40].to_numpy(), "duration"),
    "durations of pandas": (lambda: pd.Series(DURATIONS), "duration"),
    "durations of Arrow": (
        lambda: pd.Series(DURATIONS).astype("duration[us][pyarrow]"),
        "duration",
    ),
    "list of timedelta": (lambda: DURATIONS.to_pytimedelta().tolist(), "duration"),
    "list of timedelta64": (lambda: list(DURATIONS.to_numpy()), "duration"),
    "one timedelta among numbers": (
        lambda: with_gap(datetime.timedelta(1)),
        f"step {MISSING} is a duration",
    ),
    "dates": (lambda: DAYS.to_numpy(), "date"),
    "dates of pandas": (lambda: pd.Series(DAYS), "date"),
    "dates with a zone": (lambda: pd.Series(DAYS.tz_localize("UTC")), "date"),
    "list of dates": (lambda: DAYS.date.tolist(), "date"),
    "list of Timestamp": (lambda: list(DAYS), "date"),
    "one datetime64 among numbers": (lambda: with_gap(np.datetime64("2020")), "date"),
    "periods": (lambda: pd.Series(DAYS.to_period("D")), "no number"),
    "pyarrow dates": (lambda: pa.array(DAYS), "date"),
    "complex": (lambda: np.array(VALUES) + 1j, "complex"),
    "complex without imaginary parts": (lambda: np.array(VALUES).astype(np.complex64), "complex"),
    "complex of pandas": (lambda: pd.Series(VALUES) + 1j, "complex"),
    "complex tensor": (lambda: torch.tensor(VALUES) + 1j, "complex"),
    "one complex among numbers": (lambda: with_gap(2j), f"step {MISSING} is a complex"),
    "complex objects": (lambda: np.array(with_gap(np.complex128(2)), dtype=object), "complex"),
    "texts": (lambda: np.array(_TEXTS), "text"),
    "list of texts": (lambda: list(_TEXTS), "step 0 is text"),
    "texts of pandas": (lambda: pd.Series(_TEXTS), "text"),
    "bytes": (lambda: np.array(_TEXTS, dtype="S"), "text"),
    "one text among numbers": (lambda: with_gap("7"), f"'7' at step {MISSING} is text"),
    "one text in objects": (
        lambda: np.array(with_gap("7"), dtype=object),
        f"'7' at step {MISSING} is text",
    ),
    "categories of text": (lambda: pd.Series(_TEXTS).astype("category"), "text"),
    "one number too large": (lambda: with_gap(10**400), f"step {MISSING} is too large"),
    "records": (lambda: np.array([(1.0, 2.0)], dtype="f8,f8"), "records"),
    "one dict": (lambda: [*VALUES, object()], "step 40 is no number"),
}
"""Containers of values that are no real numbers, and words of the error."""
