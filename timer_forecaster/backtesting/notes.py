"""Remarks on a backtest: series with fewer windows or none, baselines that failed."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence

from timer_forecaster.callers import stacklevel_of_caller

_MOST_NAMES = 5


class BacktestWarning(UserWarning):
    """Some series or windows take no part in a backtest.

    Examples
    --------
    >>> import warnings
    >>> import numpy as np
    >>> from timer_forecaster import ForecastPipeline
    >>> from timer_forecaster.backtesting import BacktestWarning, backtest
    >>> pipe = ForecastPipeline.from_pretrained("timer-s1-small")
    >>> series = [np.sin(np.arange(90.0)), np.sin(np.arange(20.0))]  # one is too short
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore", BacktestWarning)
    ...     result = backtest(pipe, series, horizon=4)
    >>> result.notes
    ['1 series has fewer than 5 windows: series[1] (4)']
    """


def warn_of_notes(notes: Sequence[str]) -> None:
    """Warn of remarks, at the line that called the package."""
    if notes:
        warnings.warn(BacktestWarning("; ".join(notes)), stacklevel=stacklevel_of_caller())


def listed(names: Iterable[str]) -> str:
    """Return the first names, and the number of the others.

    Examples
    --------
    >>> listed(["a", "b"]), listed("abcdefg")
    ('a, b', 'a, b, c, d, e and 2 more')
    """
    every = list(names)
    more = f" and {len(every) - _MOST_NAMES} more" if len(every) > _MOST_NAMES else ""
    return ", ".join(every[:_MOST_NAMES]) + more


def counted(number: int, noun: str) -> str:
    """Return a number with its noun.

    Examples
    --------
    >>> counted(1, "window"), counted(2, "window"), counted(2, "series")
    ('1 window', '2 windows', '2 series')
    """
    return f"{number:,} {noun}" if number == 1 or noun.endswith("s") else f"{number:,} {noun}s"


def note_of_short(short: Mapping[str, int], windows: int) -> str:
    """Return the remark on series with fewer windows than asked for."""
    given = [f"{name} ({number})" for name, number in short.items()]
    verb = "has" if len(short) == 1 else "have"
    return f"{counted(len(short), 'series')} {verb} fewer than {windows} windows: {listed(given)}"


def note_of_left_out(reasons: Mapping[str, str]) -> str:
    """Return the remark on series without windows."""
    given = [f"{name} ({reason.removeprefix(f'{name}: ')})" for name, reason in reasons.items()]
    verb = "has" if len(reasons) == 1 else "have"
    return f"{counted(len(reasons), 'series')} {verb} no window: {listed(given)}"


def note_of_failures(model: str, reasons: Mapping[str, str], windows: int) -> str:
    """Return the remark on windows that a model could not forecast."""
    name, reason = next(iter(reasons.items()))
    reason = reason.removeprefix(f"{name}: ")
    return (
        f"{model} failed in {len(reasons):,} of {counted(windows, 'window')}, which its scores "
        f"leave out; the first is {name}: {reason}"
    )


def note_of_points(model: str) -> str:
    """Return the remark on a model without quantiles."""
    return (
        f"{model} forecasts points alone: its WQL is the one of its point at every level, which is "
        "the sum of its absolute errors over the sum of the absolute values"
    )
