"""Warnings about covariates: one for each kind, however many series it concerns."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from timer_forecaster.callers import stacklevel_of_caller

_KINDS = {
    "constant": "is constant in the history, so it cannot explain anything; it is left out of",
    "unseen": "has a category in the horizon that the history never has; the commonest category "
    "stands for it in",
    "far": "leaves its observed range in the horizon by more than a tenth of the range; it is cut "
    "there in",
    "gap": "has missing values in the horizon; they are interpolated in",
    "target": "equals the target in the history; is it known in the future? It is used for",
    "short": "cannot be checked, because the history is too short; covariates are not used for",
}


_names: ContextVar[Sequence[str] | None] = ContextVar("_names", default=None)


@contextmanager
def series_called(names: Sequence[str]) -> Iterator[None]:
    """Let warnings call the series of a forecast by a caller's names, not by their numbers."""
    token = _names.set(names)
    try:
        yield
    finally:
        _names.reset(token)


def warn_of_covariates(message: str) -> None:
    """Warn at the line of a user, which may have called a framework."""
    warnings.warn(CovariateWarning(message), stacklevel=stacklevel_of_caller("sktime"))


class CovariateWarning(UserWarning):
    """Covariates may say less, or more, than they seem to."""


class Notes:
    """Collects the kinds of warnings by column, and warns once of each kind."""

    def __init__(self) -> None:
        self._series: dict[tuple[str, Hashable], list[int]] = {}

    def add(self, kind: str, column: Hashable, series: int) -> None:
        """Note a kind of warning about a column of a series."""
        self._series.setdefault((kind, column), []).append(series)

    def join(self, other: Notes, number: Callable[[int], int] = int) -> None:
        """Add the notes of another collection; ``number`` returns the numbers of its series."""
        for (kind, column), series in other._series.items():
            for one in series:
                self.add(kind, column, number(one))

    def warn(
        self,
        name: Callable[[int], str] | None = None,
        noun: str = "series",
        frameworks: Sequence[str] = ("sktime",),
    ) -> None:
        """Give one warning for each kind, or leave it to the caller (`collected_notes`).

        Parameters
        ----------
        name : callable, optional
            Returns the name of a series from its number. Default: as `series_called` has it, or its
            number.
        noun : str
            Name of several series.
        frameworks : sequence of str
            Packages between the caller and this one.
        """
        if (collector := _collector.get()) is not None:
            collector.join(self)
            return
        name = name or _name
        for kind, text in _KINDS.items():
            found = {column: at for (own, column), at in self._series.items() if own == kind}
            if not found:
                continue
            number = len({series for at in found.values() for series in at})
            first = name(min(at[0] for at in found.values()))
            where = first if number == 1 else f"{number} {noun}, first {first}"
            columns = ", ".join(map(repr, found))
            what = "column" if len(found) == 1 else "each of the columns"
            subject = "the effect of covariates" if kind == "short" else f"{what} {columns}"
            warnings.warn(
                CovariateWarning(f"{subject} {text} {where}"),
                stacklevel=stacklevel_of_caller(*frameworks),
            )


def _name(number: int) -> str:
    names = _names.get()
    return f"series[{number}]" if names is None else names[number]


_collector: ContextVar[Notes | None] = ContextVar("_collector", default=None)


@contextmanager
def collected_notes() -> Iterator[Notes]:
    """Collect the notes of a block instead of warnings; the caller has better names for series."""
    notes = Notes()
    token = _collector.set(notes)
    try:
        yield notes
    finally:
        _collector.reset(token)
