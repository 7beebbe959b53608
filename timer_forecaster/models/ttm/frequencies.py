"""Tokens of frequencies, numbered as in the released checkpoints that read them."""

from __future__ import annotations

_NAMES = ("min", "2min", "5min", "10min", "15min", "30min", "h", "D", "W")
_MINUTES = (1, 2, 5, 10, 15, 30, 60, 1_440, 10_080)

UNKNOWN = 0
"""Token of every other frequency."""


def token_of(minutes: float | None, n_frequencies: int) -> int:
    """Return the token of a step.

    Parameters
    ----------
    minutes : float, optional
        Length of a step; None if it has no length, as a month has none, or is not known.
    n_frequencies : int
        Tokens of the network; the first releases have none for days and weeks.

    Examples
    --------
    >>> [token_of(minutes, 10) for minutes in (60, 60.0, 7, None)]
    [7, 7, 0, 0]
    >>> token_of(1_440, 10), token_of(1_440, 8)
    (8, 0)
    """
    token = _MINUTES.index(minutes) + 1 if minutes in _MINUTES else UNKNOWN
    return token if token < n_frequencies else UNKNOWN


def names_of(n_frequencies: int) -> tuple[str, ...]:
    """Return the frequencies that a network tells apart, as pandas calls them."""
    return _NAMES[: max(0, n_frequencies - 1)]
