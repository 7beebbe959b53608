"""Covariates of several series as a door gives them: what a memory of forecasts tells apart."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Hashable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

_PARTS = ("known", "past", "cycles", "names")  # with an item for each series


class Tables(NamedTuple):
    """Covariates as arguments of `ForecastPipeline.predict`, and how a door speaks of them.

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
    names: Sequence[str] | None = None
    """Names of the series in warnings and errors; None for their numbers."""
    roles: Mapping[str, str] | None = None
    """Words of the door for ``"known"`` and ``"past"`` in errors."""

    @property
    def arguments(self) -> dict[str, Any]:
        """The covariates as keyword arguments of `ForecastPipeline.predict`."""
        names = ("known", "past", "categories", "cycles")
        return {name: getattr(self, name) for name in names}

    @property
    def kind(self) -> Hashable:
        """Equal for tables that can be joined."""
        return tuple(name for name, _ in self._parts()), tuple(map(repr, self.categories))

    def take(self, numbers: Sequence[int]) -> Tables:
        """Return the tables of some series."""
        parts: dict[str, Any] = {name: [part[i] for i in numbers] for name, part in self._parts()}
        return self._replace(**parts)

    def at_origins(
        self, numbers: Sequence[int], left: Sequence[int], horizon: int, names: Sequence[str]
    ) -> Tables:
        """Return the tables of series as they are known at origins.

        Known columns reach to the end of the horizon, past columns to the origin.

        Parameters
        ----------
        numbers : sequence of int
            Of the series, whose tables end where the series do.
        left : sequence of int
            Steps of each of them after its origin.
        horizon : int
        names : sequence of str
            Of the series at their origins.
        """
        parts: dict[str, Any] = {}
        for role, ahead in {"known": horizon, "past": 0}.items():
            tables = getattr(self, role)
            if tables is not None:
                each = zip(numbers, left, strict=True)
                parts[role] = [_without_end(tables[i], by - ahead, ahead) for i, by in each]
        cycles = None if self.cycles is None else [self.cycles[number] for number in numbers]
        return self._replace(**parts, cycles=cycles, names=names)

    def joined(self, others: Sequence[Tables]) -> Tables:
        """Return these tables followed by others of the same kind."""
        parts: dict[str, Any] = {name: list(part) for name, part in self._parts()}
        for name, part in parts.items():
            part += [item for other in others for item in getattr(other, name)]
        return self._replace(**parts)

    def _parts(self) -> list[tuple[str, Sequence[Any]]]:
        """Return the parts that are given, by their names."""
        parts = ((name, getattr(self, name)) for name in _PARTS)
        return [(name, part) for name, part in parts if part is not None]

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


def _without_end(table: Any, by: int, ahead: int) -> Any:
    """Return the columns of a table without their last rows."""
    if table is None:
        return None
    return {name: _cut(values, len(values) - by, ahead) for name, values in table.items()}


def _cut(values: Any, stop: int, ahead: int) -> Any:
    """Return the first values of a column; `ahead` of them lie in the window.

    An empty text is a category of its own only if the history has some. As at any origin, only the
    values before the window decide.
    """
    stop = max(0, stop)
    cut = values.iloc[:stop] if hasattr(values, "iloc") else values[:stop]
    if not ahead or not isinstance(cut, np.ndarray) or cut.dtype.kind != "O":
        return cut
    blank = cut == ""
    if blank.any() and not blank[: len(cut) - ahead].any():
        cut = cut.copy()
        cut[blank] = None
    return cut
