"""Warnings about covariates: one for each kind, however many series it concerns."""

from __future__ import annotations

import warnings
from collections.abc import Hashable, Iterator, Sequence
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

    def warn(self) -> None:
        """Give one warning for each kind."""
        for kind, text in _KINDS.items():
            found = {column: at for (name, column), at in self._series.items() if name == kind}
            if not found:
                continue
            number = len({series for at in found.values() for series in at})
            first = min(at[0] for at in found.values())
            names = _names.get()
            name = f"series[{first}]" if names is None else names[first]
            where = name if number == 1 else f"{number} series, first {name}"
            columns = ", ".join(map(repr, found))
            noun = "column" if len(found) == 1 else "each of the columns"
            subject = "the effect of covariates" if kind == "short" else f"{noun} {columns}"
            warn_of_covariates(f"{subject} {text} {where}")
