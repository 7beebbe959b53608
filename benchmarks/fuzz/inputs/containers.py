"""Containers and types of numbers: the same series as a list, an array or a tensor.

`MUST` make containers that every reader of arrays takes. `MAY` make unusual ones: they are read
rightly, or refused. `BAD` make containers that hold no numbers, or too many dimensions.
"""

from __future__ import annotations

import array
import datetime
from collections import OrderedDict, deque
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.fuzz.inputs.values import Floats

Maker = Callable[[Floats], Any]


def _is_whole(values: Floats, most: float) -> bool:
    return bool(np.isfinite(values).all() and (values == np.round(values)).all()) and bool(
        (np.abs(values) <= most).all()
    )


def _integers(kind: type, least: float, most: float) -> Maker:
    def make(values: Floats) -> Any:
        if not _is_whole(values, 2**52) or values.min() < least or values.max() > most:
            return None
        return values.astype(kind)

    return make


def _objects(missing: Any) -> Maker:
    def make(values: Floats) -> Any:
        made = np.empty(len(values), dtype=object)
        made[:] = [missing if np.isnan(one) else float(one) for one in values]
        return made

    return make


def _masked(values: Floats) -> Any:
    hidden = np.where(np.isnan(values), 12345.0, values)
    return np.ma.MaskedArray(hidden, mask=np.isnan(values))


def _masked_integers(values: Floats) -> Any:
    observed = values[~np.isnan(values)]
    if not _is_whole(observed, 2**31 - 1):
        return None
    hidden = np.where(np.isnan(values), -1, values).astype(np.int32)
    return np.ma.MaskedArray(hidden, mask=np.isnan(values))


def _tensor(values: Floats) -> Any:
    import torch

    return torch.tensor(values, requires_grad=bool(len(values) % 2))


def _arrow(values: Floats) -> Any:
    return pd.Series(
        pd.array([None if np.isnan(v) else v for v in values], dtype="double[pyarrow]")
    )


def _nullable(dtype: str) -> Maker:
    def make(values: Floats) -> Any:
        if dtype == "Int64" and not _is_whole(values[~np.isnan(values)], 2**52):
            return None
        return pd.Series(pd.array([pd.NA if np.isnan(v) else v for v in values], dtype=dtype))

    return make


def _arrow_array(values: Floats) -> Any:
    import pyarrow as pa

    return pa.array([None if np.isnan(v) else v for v in values.tolist()], "double")


def _chunks(values: Floats) -> Any:
    import pyarrow as pa

    half = len(values) // 2
    return pa.chunked_array([_arrow_array(values[:half]), _arrow_array(values[half:])], "double")


def _data_array(values: Floats) -> Any:
    import xarray as xr

    return xr.DataArray(values, dims="time")


def _decimals(values: Floats) -> Any:
    return [None if np.isnan(v) else Decimal(repr(float(v))) for v in values]


MUST: dict[str, Maker] = {
    "array": lambda values: values,
    "list": lambda values: values.tolist(),
    "tuple": lambda values: tuple(values.tolist()),
    "list of numpy numbers": lambda values: list(values),
    "reversed view": lambda values: values[::-1].copy()[::-1],
    "strided": lambda values: np.repeat(values, 2)[::2],
    "big endian": lambda values: values.astype(">f8"),
    "int64": _integers(np.int64, -(2**52), 2**52),
    "int8": _integers(np.int8, -128, 127),
    "uint8": _integers(np.uint8, 0, 255),
    "uint64": _integers(np.uint64, 0, 2**52),
    "bool": lambda values: values.astype(bool) if set(values.tolist()) <= {0.0, 1.0} else None,
    "objects with nan": _objects(np.nan),
    "objects with None": _objects(None),
    "masked": _masked,
    "masked integers": _masked_integers,
    "Series": lambda values: pd.Series(values),
    "Series with dates": lambda values: pd.Series(
        values, index=pd.date_range("2024-01-01", periods=len(values))
    ),
    "Series backwards": lambda values: pd.Series(values, index=np.arange(len(values))[::-1]),
    "Float64": _nullable("Float64"),
    "Int64": _nullable("Int64"),
    "Arrow": _arrow,
    "tensor": _tensor,
    "decimals": _decimals,
    "Series of decimals": lambda values: pd.Series(_decimals(values), dtype=object),
    "fractions": lambda v: [Fraction(x) for x in v.tolist()] if np.isfinite(v).all() else None,
    "list with None": lambda values: [None if np.isnan(v) else v for v in values.tolist()],
    "objects with NA": _objects(pd.NA),
    "list with NA": lambda values: [pd.NA if np.isnan(v) else v for v in values.tolist()],
    "pyarrow array": _arrow_array,
    "DataArray": _data_array,
    "Index": lambda values: pd.Index(values),
    "pandas array": lambda values: pd.array(values),
    "sparse Series": lambda values: pd.Series(pd.arrays.SparseArray(values)),
    "array module": lambda values: array.array("d", values.tolist()),
    "deque": lambda values: deque(values.tolist()),
    "memoryview": lambda values: memoryview(values.copy()),
    "longdouble": lambda values: values.astype(np.longdouble),
    "chunks": _chunks,
}
"""Makers of containers that must be read; they return None where they cannot hold the values."""


MAY: dict[str, Maker] = {
    "generator": lambda values: (value for value in values.tolist()),
    "dict of steps": lambda values: dict(enumerate(values.tolist())),
}
"""Makers of containers that are read rightly or refused. A generator can be read once."""


def _complex(values: Floats) -> Any:
    return values + 1j


def _complex_tensor(values: Floats) -> Any:
    import torch

    return torch.tensor(values + 0j)


def _times(values: Floats) -> Any:
    return pd.date_range("2024-01-01", periods=len(values)).to_numpy()


def _durations(values: Floats) -> Any:
    return np.arange(len(values)).astype("timedelta64[h]")


BAD: dict[str, Maker] = {
    "None": lambda _: None,
    "number": lambda _: 3.5,
    "text": lambda _: "1,2,3",
    "bytes": lambda _: b"123",
    "empty list": lambda _: [],
    "empty dict": lambda _: {},
    "no dimension": lambda _: np.array(3.0),
    "three dimensions": lambda values: np.zeros((2, 2, len(values))),
    "no rows": lambda values: np.zeros((0, len(values))),
    "frame": lambda values: pd.DataFrame({"a": values}),
    "texts": lambda values: [f"x{value}" for value in values],
    "array of texts": lambda values: np.array([f"x{value}" for value in values]),
    "Series of texts": lambda values: pd.Series([f"x{value}" for value in values]),
    "categories": lambda values: pd.Series(pd.Categorical([f"c{v}" for v in values])),
    "complex": _complex,
    "complex objects": lambda values: np.array([v + 1j for v in values], dtype=object),
    "complex tensor": _complex_tensor,
    "complex Series": lambda values: pd.Series(values + 1j),
    "dates": _times,
    "Series of dates": lambda values: pd.Series(_times(values)),
    "date objects": lambda values: [datetime.date(2024, 1, 1)] * (len(values) + 1),
    "time stamps": lambda values: [pd.Timestamp("2024-01-01")] * (len(values) + 1),
    "objects of dates": lambda values: pd.Series(_times(values)).astype(object).to_numpy(),
    "durations": _durations,
    "Series of durations": lambda values: pd.Series(_durations(values)),
    "objects of durations": lambda values: pd.Series(_durations(values)).astype(object).to_numpy(),
    "Arrow durations": lambda values: pd.Series(_durations(values)).astype("duration[ns][pyarrow]"),
    "list of durations": lambda values: [datetime.timedelta(hours=1)] * (len(values) + 1),
    "periods": lambda values: pd.Series(pd.period_range("2024-01", periods=len(values), freq="M")),
    "nested": lambda values: [[values.tolist(), values.tolist()]],
    "nested wrongly": lambda values: [values.tolist(), 3.0],
    "dict of texts": lambda values: {"a": "x", "b": "y"},
    "set": lambda values: {"a", "b"},
    "records": lambda values: np.zeros(3, dtype=[("a", "f8"), ("b", "i4")]),
    "object": lambda _: object(),
    "function": lambda _: len,
    "ordered dict of lists of texts": lambda _: OrderedDict(a=["x"], b=["y"]),
}
"""Makers of containers that must be refused."""
