"""Covariates beside remembered series: columns on the steps of a memory.

A row of covariates belongs to a step by its time. A step without a row is missing.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from timer_forecaster.arrays import FloatArray
from timer_forecaster.failures import Failures, warn_of_failures
from timer_forecaster.frames.history import History, Memory, steps_after, times_at
from timer_forecaster.frames.panel import Panel
from timer_forecaster.values import as_floats, holds_labels, label_text

Labels = tuple[str, ...] | None
"""Labels of the categories of a column, in the order of their codes; None for numbers."""

Table = dict[Hashable, NDArray[Any]]
"""Values of columns by name; categories are objects, None where missing."""


class Tables(NamedTuple):
    """The covariates of one instance for a forecast."""

    known: Table
    """Over the remembered steps and the horizon."""
    past: Table
    """Over the remembered steps."""


class _Given(NamedTuple):
    """The rows of a frame by instance."""

    steps: Mapping[Hashable, NDArray[np.intp]]
    values: Mapping[Hashable, FloatArray]


class Beside(NamedTuple):
    """Covariates of remembered series.

    The values of an instance begin with its first remembered step, and reach at least to its last
    one. A category has its code as a value.
    """

    columns: tuple[Hashable, ...]
    labels: tuple[Labels, ...]
    values: Mapping[Hashable, FloatArray]

    @classmethod
    def of(cls, X: pd.DataFrame, memory: Memory, length: int, on_error: str = "raise") -> Beside:
        """Return the covariates of a frame beside a memory, at most `length` steps beyond it."""
        nothing = cls(tuple(X.columns), (None,) * X.shape[1], {})
        return nothing.updated(X, memory, memory, length, on_error)

    def updated(
        self,
        X: pd.DataFrame,
        before: Memory,
        memory: Memory,
        length: int,
        on_error: str = "raise",
    ) -> Beside:
        """Return the covariates after later rows.

        Parameters
        ----------
        X : pandas.DataFrame
            Its rows replace earlier rows of the same times.
        before, memory : Memory
            The series that these covariates stand beside, and the same series as they are now.
        length : int
            Most steps to keep beyond the end of a series.
        on_error : {"raise", "nan"}
            With "nan", a warning names new instances without a row, which have no covariates, and
            instances with infinite values, which `tables` leaves out.

        Raises
        ------
        ValueError, TypeError
            If X lacks a column or has a new one, a row belongs to no step of a series, a new
            instance has no row, or a value is infinite.
        """
        _refuse_other_columns(X, self.columns)
        absent = [name for name in self.columns if name not in X.columns]
        if absent:
            raise ValueError(
                f"X lacks columns {absent}, which X had in fit; pass them, with NaN where a value "
                "is unknown"
            )
        given, labels = self._read(X, memory, is_new=not self.values)
        values: dict[Hashable, FloatArray] = {}
        failures = Failures(on_error)
        moves: dict[tuple[int, int], int] = {}
        for key, history in memory.histories.items():
            kept, drop = np.empty((len(self.columns), 0)), 0
            if key in self.values:
                old = before.histories[key]
                move = (id(old.end), id(history.end))
                if move not in moves:
                    moves[move] = _steps_between(old, history)
                drop = old.values.shape[1] + moves[move] - history.values.shape[1]
                kept = self.values[key]
            elif key not in given.steps or not _overlap(given.steps[key], history):
                failures.add(key, _absent(key))
                continue
            rows = given.steps.get(key, np.empty(0, np.intp))
            new = given.values.get(key, np.empty((len(self.columns), 0)))
            if (error := self._infinity(key, history, new, rows)) is not None:
                failures.add(key, error)  # `tables` refuses it, unless it is replaced
            values[key] = _laid(kept, drop, rows, new, history.values.shape[1], length)
        warn_of_failures(failures.reasons, len(memory.histories), str)
        return Beside(self.columns, labels, values)

    def remembered(self, key: Hashable, memory: Memory) -> Table:
        """Return all columns of an instance on the steps of its series."""
        if key not in self.values:
            raise _absent(key)
        n_steps = memory.histories[key].values.shape[1]
        every = list(range(len(self.columns)))
        return self._table(self.values[key][:, :n_steps], every, self.labels)

    def tables(
        self,
        X: pd.DataFrame | None,
        memory: Memory,
        steps: Mapping[Hashable, NDArray[np.intp]],
        failures: Failures,
    ) -> dict[Hashable, Tables]:
        """Return the tables of instances for a forecast.

        Columns of X are known over the horizon, all other columns in the past alone. Remembered
        values come first; X fills the steps where there is none.

        Parameters
        ----------
        X : pandas.DataFrame or None
            Rows of the horizon, and perhaps earlier ones.
        memory : Memory
            The series that the covariates stand beside.
        steps : mapping of instance to ndarray of int
            Steps to forecast; instances without a future step have no table.
        failures : Failures
            Notes instances whose rows cannot be used.
        """
        X = pd.DataFrame() if X is None else X
        _refuse_other_columns(X, self.columns)
        given, labels = _Given({}, {}), self.labels
        if X.shape[1]:
            given, labels = self._read(X, memory)
        known = [i for i, name in enumerate(self.columns) if name in X.columns]
        past = [i for i in range(len(self.columns)) if i not in known]
        found = {}
        for key, asked in steps.items():
            if asked.max() <= 0:
                continue
            if key not in self.values:
                failures.add(key, _absent(key))
                continue
            history = memory.histories[key]
            remembered = self.values[key][:, : history.values.shape[1]]
            try:
                full = self._continued(key, history, remembered, given, known, asked[asked > 0])
                every = np.arange(full.shape[1]) - remembered.shape[1] + 1
                if (error := self._infinity(key, history, full, every)) is not None:
                    raise error
            except ValueError as error:
                failures.add(key, error)
                continue
            found[key] = Tables(
                self._table(full, known, labels), self._table(remembered, past, labels)
            )
        return found

    def _continued(
        self,
        key: Hashable,
        history: History,
        remembered: FloatArray,
        given: _Given,
        known: list[int],
        asked: NDArray[np.intp],
    ) -> FloatArray:
        """Return remembered values, filled and continued over the horizon by the rows of X."""
        n_steps, horizon = remembered.shape[1], int(asked.max())
        full = np.full((len(remembered), n_steps + horizon), np.nan)
        full[:, :n_steps] = remembered
        if not known:
            return full
        steps = given.steps.get(key, np.empty(0, np.intp))
        absent = asked[~np.isin(asked, steps)]
        if len(absent):
            time = times_at(history, absent[:1])[0]
            raise ValueError(
                f"{_label(key, ',')} has no row at {time}, a time of fh; it needs a row for each, "
                "with NaN where a value is unknown"
            )
        inside = (steps > -n_steps) & (steps <= horizon)
        places, new = steps[inside] + n_steps - 1, given.values[key][:, inside]
        full[:, places] = np.where(np.isnan(full[:, places]), new, full[:, places])
        for i in known:
            if np.isnan(full[i, n_steps:]).all():
                raise ValueError(
                    f"{_label(key)}: column {self.columns[i]!r} has no value at the "
                    "times of fh; leave the column out of X here if it is known in the past alone"
                )
        return full

    def _infinity(
        self, key: Hashable, history: History, values: FloatArray, steps: NDArray[np.intp]
    ) -> ValueError | None:
        """Return the error about an infinite value (columns, steps) of an instance, if any."""
        infinite = np.isinf(values)
        if not infinite.any():
            return None
        column, place = np.argwhere(infinite)[0]
        time = times_at(history, steps[[place]])[0]
        return ValueError(
            f"{_label(key)}: column {self.columns[column]!r} is infinite at {time}; "
            "use NaN for missing values"
        )

    def _table(self, values: FloatArray, which: list[int], labels: tuple[Labels, ...]) -> Table:
        return {self.columns[i]: _labeled(values[i], labels[i]) for i in which}

    def _read(
        self, X: pd.DataFrame, memory: Memory, is_new: bool = False
    ) -> tuple[_Given, tuple[Labels, ...]]:
        """Return the rows of a frame, in the columns of these covariates, and all labels.

        Columns that the frame lacks are missing. New columns may hold numbers or categories.
        """
        numbers, labels = np.full((len(X), len(self.columns)), np.nan), list(self.labels)
        for i, name in enumerate(self.columns):
            if name in X.columns:
                numbers[:, i], labels[i] = _numbers(X[name], labels[i], is_new)
        panel = Panel.of(pd.DataFrame(index=X.index))
        for key in panel.keys:
            if key not in memory.histories:
                which = "rows without an instance" if key == () else f"instance {key!r}"
                raise ValueError(f"X has {which}, and y has not; leave it out")
        steps = memory.steps_of(panel, "X: times")
        values = {k: numbers[rows].T for k, rows in zip(panel.keys, panel.rows, strict=True)}
        return _Given(steps, values), tuple(labels)


def _label(key: Hashable, sign: str = "") -> str:
    """Return how errors about an instance begin; a sign parts its name from the rest."""
    return "X" if key == () else f"X, instance {key!r}{sign}"


def _absent(key: Hashable) -> ValueError:
    return ValueError(f"{_label(key, ',')} has no row at a time of y; covariates need some")


def _refuse_other_columns(X: pd.DataFrame, columns: tuple[Hashable, ...]) -> None:
    new = [name for name in X.columns if name not in columns]
    if new:
        raise ValueError(
            f"X has columns {new}, which fit never saw; it saw {list(columns)}. Leave them out, or "
            "fit with them"
        )


def _numbers(column: pd.Series, labels: Labels, is_new: bool) -> tuple[FloatArray, Labels]:
    """Return the values of a column, or the codes of its categories and all labels so far."""
    name = f"X: column {column.name!r}"
    category = holds_labels(column)
    if not is_new and column.notna().any() and category != (labels is not None):
        here, there = ("categories", "numbers") if category else ("numbers", "categories")
        raise TypeError(f"{name} holds {here}, and held {there} in fit")
    if not category and (is_new or labels is None):
        return as_floats(column, name), None
    codes, own = pd.factorize(column)
    texts = [str(label_text(label)) for label in own]
    every = tuple(dict.fromkeys([*(labels or ()), *texts]))
    place = {label: number for number, label in enumerate(every)}
    numbers = np.array([*(place[text] for text in texts), np.nan], dtype=np.float64)
    return numbers[codes], every


def _labeled(values: FloatArray, labels: Labels) -> NDArray[Any]:
    """Return numbers as they are, and the labels of codes."""
    if labels is None:
        return values
    names = np.array([*labels, None], dtype=object)
    return names[np.where(np.isnan(values), len(labels), values).astype(np.intp)]


def _steps_between(old: History, new: History) -> int:
    """Return the number of steps that the end of a history has moved."""
    if old.end is new.end:
        return 0
    return int(steps_after(old, new.end[-1:], "y: times")[-1])


def _overlap(steps: NDArray[np.intp], history: History) -> bool:
    return bool(((steps > -history.values.shape[1]) & (steps <= 0)).any())


def _laid(
    kept: FloatArray,
    drop: int,
    steps: NDArray[np.intp],
    new: FloatArray,
    n_steps: int,
    beyond: int,
) -> FloatArray:
    """Return new values written over kept ones, without the first `drop` of these.

    A negative `drop` is a number of steps that are missing at the start. The result has `n_steps`
    steps up to step 0, and at most `beyond` later ones.
    """
    places = steps + n_steps - 1
    inside = (places >= 0) & (places < n_steps + beyond)
    places, new = places[inside], new[:, inside]
    kept, lead = kept[:, max(0, drop) :], max(0, -drop)
    width = max(n_steps, lead + kept.shape[1], int(places.max(initial=-1)) + 1)
    values = np.full((len(kept), min(width, n_steps + beyond)), np.nan)
    kept = kept[:, : max(0, values.shape[1] - lead)]
    values[:, lead : lead + kept.shape[1]] = kept
    values[:, places] = new
    return values
