"""Series that cannot be forecast: an error, or a forecast of NaN and a warning with the reasons."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, cast

from timer_forecaster.callers import stacklevel_of_caller
from timer_forecaster.checks import check_choice

ON_ERROR = ("raise", "nan")
"""Reactions to a series that cannot be forecast: an error, or NaN in its place."""

_MOST_REASONS = 5  # in one warning

_quiet: ContextVar[bool] = ContextVar("_quiet", default=False)
_names: ContextVar[Sequence[str | int] | None] = ContextVar("_names", default=None)

_SERIES = re.compile(r"(?<!['\"])\bseries\[(\d+)\]")
_NUMBERED = re.compile(r"(?<!['\"])\b(series|known|past)\[(\d+)\]")


class SeriesWarning(UserWarning):
    """Some series have no forecast.

    Parameters
    ----------
    message : str
    reasons : mapping of str to str
        Why, by the name of the series.
    """

    def __init__(self, message: str, reasons: Mapping[str, str]) -> None:
        super().__init__(message)
        self.reasons = dict(reasons)


class Failures:
    """Collects the reasons why series cannot be forecast, or raises the first.

    Parameters
    ----------
    on_error : {"raise", "nan"}
        Whether to raise or to collect.

    Examples
    --------
    >>> failures = Failures("nan")
    >>> failures.add(3, ValueError("series[3] is empty"))
    >>> failures.reasons
    {3: 'series[3] is empty'}
    """

    def __init__(self, on_error: str = "raise") -> None:
        check_choice("on_error", on_error, ON_ERROR)
        self.collects = on_error == "nan"
        self.reasons: dict[Hashable, str] = {}
        self.first: Exception | None = None

    def add(self, series: Hashable, error: Exception, reason: str | None = None) -> None:
        """Note the error of a series, or raise it. The first error of a series stays.

        The reason is the message of the error, unless it is given, for example without a name.
        """
        if not self.collects:
            raise error
        self.first = self.first or error
        self.reasons.setdefault(series, reason or str(error))

    def by_number(self) -> dict[int, str]:
        """Return the reasons of series that are named by their numbers."""
        return {cast(int, number): reason for number, reason in self.reasons.items()}


def warn_of_failures(reasons: Mapping[Any, str], n_series: int, name: Callable[[Any], str]) -> None:
    """Warn of series without a forecast, if there are any.

    Parameters
    ----------
    reasons : mapping of hashable to str
    n_series : int
        Number of all series.
    name : callable
        Returns the name of a series.
    """
    if not reasons or _quiet.get():
        return
    named = {name(number): text for number, text in reasons_with_names(reasons, name).items()}
    shown = [_line(series, reason) for series, reason in list(named.items())[:_MOST_REASONS]]
    more = f"; and {len(named) - len(shown)} more" if len(named) > len(shown) else ""
    warnings.warn(
        SeriesWarning(
            f"{len(named)} of {n_series} series have no forecast, but NaN: "
            + "; ".join(shown)
            + more,
            named,
        ),
        stacklevel=stacklevel_of_caller(),
    )


def reasons_with_names(reasons: Mapping[int, str], name: Callable[[int], str]) -> dict[int, str]:
    """Return reasons without the number of their own series, and with the names of others.

    Parameters
    ----------
    reasons : mapping of int to str
        By the numbers of series.
    name : callable
        Returns the name of a series.

    Examples
    --------
    >>> reasons = {0: "series[0] is read as one row with series[1]"}
    >>> reasons_with_names(reasons, ["shop a", "shop b"].__getitem__)
    {0: 'is read as one row with shop b'}
    """
    own = {
        number: reason.removeprefix(f"series[{number}]: ").removeprefix(f"series[{number}] ")
        for number, reason in reasons.items()
    }
    return {
        number: _SERIES.sub(lambda found: name(int(found[1])), reason)
        for number, reason in own.items()
    }


def _line(series: str, reason: str) -> str:
    return reason if series in reason else f"{series}: {reason}"


@contextmanager
def quietly() -> Iterator[None]:
    """Let the caller warn of failures, who has better names for the series."""
    token = _quiet.set(True)
    try:
        yield
    finally:
        _quiet.reset(token)


@contextmanager
def recorded_failures() -> Iterator[dict[str, str]]:
    """Collect the reasons of a `SeriesWarning` instead of warning; other warnings are given.

    Yields
    ------
    dict of str to str
        Reasons by the name of the series, once the block has ended.
    """
    reasons: dict[str, str] = {}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", SeriesWarning)
        yield reasons
    for warning in caught:
        if isinstance(warning.message, SeriesWarning):
            reasons.update(warning.message.reasons)
        else:
            warnings.warn_explicit(
                warning.message, warning.category, warning.filename, warning.lineno
            )


@contextmanager
def series_called(
    names: Sequence[str | int], roles: Mapping[str, str] | None = None
) -> Iterator[None]:
    """Let errors and warnings of a block call series by the names of a caller.

    Parameters
    ----------
    names : sequence of str or int
        Name, or other number, of each series of the block.
    roles : mapping of str to str, optional
        The caller's words for ``"known"`` and ``"past"``.
    """
    token = _names.set(names)
    try:
        yield
    except (TypeError, ValueError) as error:
        text = restated(str(error), names, roles)
        if text == str(error):
            raise
        raise type(error)(text) from None
    finally:
        _names.reset(token)


def name_of_series(number: int) -> str:
    """Return the name of a series in warnings, as `series_called` has it."""
    names = _names.get()
    name = number if names is None else names[number]
    return f"series[{name}]" if isinstance(name, int) else name


def restated(
    text: str, name: str | int | Sequence[str | int], roles: Mapping[str, str] | None = None
) -> str:
    """Return a message that calls series by names, or by other numbers.

    Parameters
    ----------
    text : str
    name : str, int, or sequence of them
        Name or number of the only series, or of each one by the number that the message has.
    roles : mapping of str to str, optional
        As in `series_called`.

    Examples
    --------
    >>> restated("known[1] column 'price' is infinite", ["a", "b"])
    "b: known column 'price' is infinite"
    >>> restated("known[1] column 'price' is infinite", 7)
    "known[7] column 'price' is infinite"
    """

    def called(found: re.Match[str]) -> str:
        role, own = found[1], name if isinstance(name, (str, int)) else name[int(found[2])]
        if isinstance(own, int):
            return f"{role}[{own}]"
        return own if role == "series" else f"{own}: {(roles or {}).get(role, role)}"

    return _NUMBERED.sub(called, text)
