"""Covariates of several series as they were given: what a memory of forecasts tells apart."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Hashable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np


class Tables(NamedTuple):
    """Covariates as arguments of `ForecastPipeline.predict`, a table for each series.

    Examples
    --------
    >>> import numpy as np
    >>> tables = Tables(known=[{"price": np.ones(8)}, {"price": np.zeros(8)}])
    >>> tables.digest(0) == tables.digest(1)
    False
    """

    known: Sequence[Any] | None = None
    past: Sequence[Any] | None = None
    categories: Collection[Hashable] = ()
    cycles: Sequence[Sequence[float]] | None = None

    def take(self, numbers: Sequence[int]) -> Tables:
        """Return the tables of some series."""
        known, past, cycles = (
            None if part is None else [part[number] for number in numbers]
            for part in (self.known, self.past, self.cycles)
        )
        return Tables(known, past, self.categories, cycles)

    def digest(self, number: int) -> bytes:
        """Return bytes that differ where the covariates of two series differ."""
        digest = hashlib.blake2b(digest_size=16)
        for part in (self.known, self.past):
            _add_table(digest, None if part is None else part[number])
        cycles = None if self.cycles is None else tuple(self.cycles[number])
        digest.update(repr((cycles, sorted(map(repr, self.categories)))).encode())
        return digest.digest()


def _add_table(digest: Any, table: Any) -> None:
    """Add the names, types and values of a table to a digest."""
    if isinstance(table, Mapping) or hasattr(table, "columns"):
        names = list(table) if isinstance(table, Mapping) else list(table.columns)
        digest.update(repr(names).encode())
        for name in names:
            _add_values(digest, table[name])
    else:
        _add_values(digest, table)


def _add_values(digest: Any, values: Any) -> None:
    array = np.asarray(values)
    digest.update(repr((array.shape, getattr(values, "dtype", array.dtype))).encode())
    if array.dtype.kind in "biuf":
        digest.update(np.ascontiguousarray(array).data)
    else:
        digest.update(repr(array.tolist()).encode())
