"""Warnings about covariates: one for each kind, however many series it concerns.

Warnings about other facts beside the values of series go the same way.
"""

from __future__ import annotations

import warnings
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from timer_forecaster.callers import stacklevel_of_caller
from timer_forecaster.failures import name_of_series

_KINDS = {
    "constant": "is constant in the history, so it cannot explain anything; it is left out of",
    "few": "has too few values in the history to learn from; it is left out of",
    "unseen": "has a category in the horizon that the history never has; the commonest category "
    "stands for it in",
    "far": "leaves its observed range in the horizon by more than a tenth of the range; it is cut "
    "there in",
    "gap": "has missing values in the horizon; they are interpolated in",
    "target": "equals the target in the history; is it known in the future? It is used for",
    "short": "cannot be checked, because the history is too short; covariates are not used for",
    "unchecked": "cannot be checked, because the history is too short; covariates have half of the "
    "weight for",
}


class CovariateWarning(UserWarning):
    """Covariates may say less, or more, than they seem to.

    Examples
    --------
    >>> import warnings
    >>> import numpy as np
    >>> from timer_forecaster import ForecastPipeline
    >>> from timer_forecaster.inference.covariates import CovariateWarning
    >>> pipe = ForecastPipeline.from_pretrained("timer-s1-small")
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("error", CovariateWarning)
    ...     pipe.predict(np.sin(np.arange(90)), 12, known=np.ones((102, 1)))
    Traceback (most recent call last):
    timer_forecaster.inference.covariates.warning.CovariateWarning: column 0 is constant ...
    """


def warn_of_covariates(message: str) -> None:
    """Warn at the line of a user, which may have called a framework."""
    warnings.warn(CovariateWarning(message), stacklevel=stacklevel_of_caller())


class Notes:
    """Collects the kinds of warnings by column, and warns once of each kind."""

    def __init__(self) -> None:
        self._notes: list[tuple[str, Hashable, str]] = []
        self._others: dict[str, Warning] = {}  # by their texts

    def add(self, kind: str, column: Hashable, series: int) -> None:
        """Note a kind of warning about a column of a series."""
        self._notes.append((kind, column, name_of_series(series)))

    def add_other(self, warning: Warning) -> None:
        """Note a warning about something else; equal ones are given once."""
        self._others.setdefault(str(warning), warning)

    def warn(self) -> None:
        """Give one warning for each kind, or leave it to the block of `warned_once`."""
        if (outer := _outer.get()) is not None:
            outer._notes += self._notes
            outer._others = {**self._others, **outer._others}
            return
        for warning in self._others.values():
            warnings.warn(warning, stacklevel=stacklevel_of_caller())
        for kind, text in _KINDS.items():
            columns = dict.fromkeys(column for own, column, _ in self._notes if own == kind)
            series = list(dict.fromkeys(name for own, _, name in self._notes if own == kind))
            if not series:
                continue
            what = "column" if len(columns) == 1 else "each of the columns"
            subject = f"{what} {', '.join(map(repr, columns))}"
            subject = "the effect of covariates" if kind in ("short", "unchecked") else subject
            more = f" and {len(series) - 1} more" if len(series) > 1 else ""
            warn_of_covariates(f"{subject} {text} {series[0]}{more}")


_outer: ContextVar[Notes | None] = ContextVar("_outer", default=None)


@contextmanager
def unwarned() -> Iterator[None]:
    """Give none of these warnings, where a caller has given them already."""
    token = _outer.set(Notes())
    try:
        yield
    finally:
        _outer.reset(token)


@contextmanager
def warned_once() -> Iterator[None]:
    """Warn once of each kind, however many forecasts the block makes."""
    notes = Notes()
    token = _outer.set(notes)
    try:
        yield
    finally:
        _outer.reset(token)
    notes.warn()
