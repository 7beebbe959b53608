"""Covariates of users as columns: one table for each series, aligned with the steps of the series.

A table is aligned at its end. Older rows than the series has are cut; where rows are missing at the
start, the column is missing there.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from timer_forecaster.arrays import FloatArray
from timer_forecaster.failures import Failures
from timer_forecaster.inference.times import index_of_times
from timer_forecaster.values import as_floats, holds_labels, label_text, library_of


class Column(NamedTuple):
    """One covariate of one series."""

    name: Hashable
    values: FloatArray
    """Of shape (steps,), NaN where missing. Codes of categories in order of their labels."""
    labels: tuple[str, ...] | None = None
    """Labels of the categories; None for a numeric column."""

    def cut(self, start: int) -> Column:
        """Return the column from a step on."""
        return self._replace(values=self.values[start:])


class Covariates(NamedTuple):
    """Columns of one series."""

    known: Sequence[Column] = ()
    """Over the steps of the series and of the horizon."""
    past: Sequence[Column] = ()
    """Over the steps of the series."""

    def cut(self, start: int) -> Covariates:
        """Return the columns from a step on."""
        return Covariates(*([column.cut(start) for column in columns] for columns in self))


def as_covariates(
    known: Any,
    past: Any,
    categories: Collection[Hashable],
    lengths: Sequence[int],
    horizon: int,
    failures: Failures,
) -> list[Covariates]:
    """Return the covariates of each series.

    Parameters
    ----------
    known, past : table, or sequence of tables
        As in `ForecastPipeline.predict`; None if there are none.
    categories : collection of hashable
        Columns of numbers that are categories.
    lengths : sequence of int
        Steps of each series.
    horizon : int
        Steps that known columns continue beyond each series.
    failures : Failures
        Notes series whose columns cannot be used.

    Raises
    ------
    TypeError, ValueError
        If the tables do not fit the series, or a category is no column.
    """
    tables = [tables_of(known, "known", len(lengths)), tables_of(past, "past", len(lengths))]
    found: list[Covariates] = []
    for i, length in enumerate(lengths):
        try:
            columns = [
                _columns(tables[0][i], f"known[{i}]", categories, length, horizon),
                _columns(tables[1][i], f"past[{i}]", categories, length, 0),
            ]
            _check_names(columns, i)
        except (TypeError, ValueError) as error:
            failures.add(i, error)
            columns = [[], []]
        found.append(Covariates(*columns))
    _check_categories(categories, tables, failures)
    return found


def categories_beside(known: Any, past: Any, categories: Any, cycles: Any) -> Collection[Hashable]:
    """Return the names of categories; refuse them, and cycles, without covariates.

    Parameters
    ----------
    known, past, cycles : object
        As in `ForecastPipeline.predict`.
    categories : hashable or collection of hashable
        A text is one name.
    """
    if categories is None:
        categories = ()
    elif isinstance(categories, str) or not isinstance(categories, Collection):
        categories = [categories]
    if known is None and past is None:
        for name, given in {"categories": list(categories), "cycles": cycles}.items():
            if given is not None and not (hasattr(given, "__len__") and not len(given)):
                raise ValueError(
                    f"{name}={given!r} is for covariates, and there are none; pass known or past, "
                    f"or leave {name} out"
                )
    return categories


def _check_categories(
    categories: Collection[Hashable], tables: Sequence[Sequence[Any]], failures: Failures
) -> None:
    """Refuse names of categories that no table has, of whatever series can be read."""
    names: set[Hashable] = set()
    for argument, part in zip(("known", "past"), tables, strict=True):
        for number, table in enumerate(part if categories else ()):
            try:
                names |= set(() if table is None else named_columns(table, argument))
            except (TypeError, ValueError):
                if number not in failures.reasons:
                    raise
    absent = [name for name in categories if name not in names]
    if absent and (names or not failures.reasons):
        raise ValueError(f"categories={absent} are no columns of known or past: {_listed(names)}")


def tables_of(given: Any, argument: str, n_series: int) -> Sequence[Any]:
    """Return one table, or None, for each series."""
    if given is None:
        return [None] * n_series
    if library_of(given) == "torch":
        given = given.detach().cpu().numpy()
    if isinstance(given, np.ndarray) and given.ndim == 3:
        given = list(given)
    if isinstance(given, np.ndarray) or hasattr(given, "columns") or isinstance(given, Mapping):
        given = [given]
    elif not isinstance(given, Sequence) or isinstance(given, str):
        raise TypeError(
            f"{argument} has type {type(given).__name__}; pass a frame or a 2-D array of shape "
            "(steps, columns), or a list with one for each series"
        )
    if len(given) != n_series:
        raise ValueError(f"{argument} has {len(given)} tables for {n_series} series")
    return given


def _columns(
    table: Any, name: str, categories: Collection[Hashable], length: int, horizon: int
) -> list[Column]:
    """Return the columns of a table, aligned with ``length + horizon`` steps."""
    if table is None:
        return []
    named = named_columns(table, name)
    columns = []
    for column, values in named.items():
        values, labels = _read(values, f"{name} column {column!r}", column in categories)
        if len(values) < horizon:
            raise ValueError(
                f"{name} column {column!r} has {len(values)} rows; known columns need a row for "
                f"each of the {horizon} steps of the horizon"
            )
        columns.append(Column(column, _aligned(values, length + horizon), labels))
    for column in columns:
        _check_future(column, name, length)
    return columns


def named_columns(table: Any, name: str) -> Mapping[Hashable, Any]:
    """Return the columns of a frame, a mapping or an array by their names."""
    if isinstance(table, Mapping):
        _check_lengths(table, name)
        return table
    if hasattr(table, "columns"):
        from timer_forecaster.frames.containers import as_frame

        frame = as_frame(table)
        if not frame.columns.is_unique:
            twice = frame.columns[frame.columns.duplicated()][0]
            raise ValueError(f"{name} has two columns {twice!r}; each needs a name of its own")
        return {column: frame[column] for column in frame.columns}
    array = np.asarray(table) if not isinstance(table, np.ma.MaskedArray) else table
    if array.ndim == 1:
        array = array[:, None]
    if array.ndim != 2:
        raise ValueError(f"{name} has shape {array.shape}; expected (steps, columns)")
    return {number: array[:, number] for number in range(array.shape[1])}


def _check_lengths(table: Mapping[Hashable, Any], name: str) -> None:
    """Refuse columns of several lengths, whose rows cannot be told.

    Columns with times of pandas may begin at several times, if they end at the same one.
    """
    lengths = {column: len(own) for column, own in table.items() if hasattr(own, "__len__")}
    if len(set(lengths.values())) < 2:
        return
    times = [index_of_times(getattr(own, "index", None)) for own in table.values()]
    dated = all(own is not None and len(own) for own in times)
    if dated and all(own[-1] == times[0][-1] for own in times):
        return
    short, long = min(lengths, key=lengths.__getitem__), max(lengths, key=lengths.__getitem__)
    raise ValueError(
        f"{name} column {short!r} has {lengths[short]} rows, and column {long!r} has "
        f"{lengths[long]}; give all columns of a table the same rows, with NaN where a value is "
        "missing"
    )


def _read(values: Any, name: str, category: bool) -> tuple[FloatArray, tuple[str, ...] | None]:
    """Return a column as numbers, or as codes of its categories and their labels."""
    if not category:
        if not holds_labels(values):
            floats = as_floats(values, name)
            if floats.ndim != 1:
                raise ValueError(f"{name} has shape {floats.shape}; expected (steps,)")
            infinite = np.flatnonzero(np.isinf(floats))
            if len(infinite):
                raise ValueError(f"{name} is infinite at row {infinite[0]}; NaN means missing")
            return floats, None
    objects = np.asarray(values, dtype=object).ravel().tolist()
    texts = [label_text(value) for value in objects]
    labels = sorted({text for text in texts if text is not None})
    place = {label: code for code, label in enumerate(labels)}
    codes = [np.nan if text is None else place[text] for text in texts]
    return np.array(codes, dtype=np.float64), tuple(labels)


def _aligned(values: FloatArray, length: int) -> FloatArray:
    """Return the newest values, missing where there are none."""
    values = values[-length:] if length else values[:0]
    return np.concatenate([np.full(length - len(values), np.nan), values])


def _check_future(column: Column, name: str, length: int) -> None:
    """Refuse a known column without any value in the horizon."""
    future = column.values[length:]
    if len(future) and np.isnan(future).all():
        raise ValueError(
            f"{name} column {column.name!r} has no value in the horizon; a known column needs the "
            "values of the horizon. Pass it as past if they are not known"
        )


def _check_names(columns: Sequence[Sequence[Column]], number: int) -> None:
    """Refuse a column that is both known and past."""
    known, past = ({column.name for column in part} for part in columns)
    if known & past:
        raise ValueError(
            f"column {_listed(known & past)} of series[{number}] is in known and in past; a known "
            "column is enough"
        )


def _listed(names: Collection[Hashable]) -> str:
    return ", ".join(sorted(map(repr, names))) or "there are none"
