"""The frequency of series, which some networks read beside their values."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from timer_forecaster.checks import check_integer
from timer_forecaster.models.network import Architecture
from timer_forecaster.models.ttm.frequencies import token_of


class Frequency(NamedTuple):
    """The frequency of a series."""

    name: str | None = None
    """As the user or pandas calls it; None if it is not known."""
    minutes: float | None = None
    """Length of a step; None if it differs from step to step."""

    def coarser(self, stride: int) -> Frequency:
        """Return the frequency of every `stride`-th step."""
        if self.minutes is None or self.name is None:
            return self
        return Frequency(f"{stride} times {self.name}", stride * self.minutes)


UNKNOWN = Frequency()


def as_frequencies(freq: Any, n_series: int) -> list[Frequency]:
    """Return the frequency of each series.

    Parameters
    ----------
    freq : str, pandas offset, int or None, or list of them
        Of all series, or of each. Integers are steps of integer times, which say nothing of a
        frequency.
    n_series : int

    Raises
    ------
    TypeError, ValueError
        If it is no frequency, or if there are not as many as series.

    Examples
    --------
    >>> as_frequencies("60min", 1)
    [Frequency(name='60min', minutes=60.0)]
    """
    if not _is_of_each(freq):
        return [_frequency(freq)] * n_series
    if len(freq) != n_series:
        raise ValueError(f"freq has {len(freq)} frequencies for {n_series} series")
    return [_frequency(one) for one in freq]


def of_each(freq: Any, n_series: int) -> list[Any]:
    """Return what was given as the frequency of each series, as it is.

    Raises
    ------
    TypeError, ValueError
        As `as_frequencies`.

    Examples
    --------
    >>> of_each("h", 2), of_each(["h", None], 2)
    (['h', 'h'], ['h', None])
    """
    as_frequencies(freq, n_series)
    return list(freq) if _is_of_each(freq) else [freq] * n_series


def _is_of_each(freq: Any) -> bool:
    """Whether what was given are the frequencies of each series, not one of all."""
    return isinstance(freq, (list, tuple, np.ndarray)) and not isinstance(freq, Frequency)


def _frequency(freq: Any) -> Frequency:
    try:
        return _known(freq)
    except TypeError:  # also of an object that cannot be a key
        message = f"freq={freq!r} must be a text such as 'h', a pandas offset or None"
        raise TypeError(message) from None


@functools.lru_cache(maxsize=1024, typed=True)
def _known(freq: Any) -> Frequency:
    if isinstance(freq, Frequency):
        return freq
    if freq is None:
        return UNKNOWN
    if isinstance(freq, (int, np.integer)) and not isinstance(freq, bool):
        check_integer("freq", freq)
        return UNKNOWN
    from timer_forecaster.frames.calendar.frequencies import as_offset, minutes_of

    if isinstance(freq, str):
        try:
            return Frequency(str(freq), minutes_of(as_offset(freq)))
        except ValueError:
            raise ValueError(
                f"freq={freq!r} is not a pandas frequency: use for example 'h', '15min', 'D', "
                "'B', 'W-MON' or 'MS'"
            ) from None
    if not hasattr(freq, "freqstr"):
        raise TypeError
    if getattr(freq, "n", 1) < 1:  # steps along open hours have none
        raise ValueError(f"freq={freq.freqstr!r} runs backwards, or stands still")
    return Frequency(freq.freqstr, minutes_of(freq))


def tokens_of(config: Architecture, frequencies: Sequence[Frequency]) -> list[int]:
    """Return the tokens of frequencies for a network that reads them."""
    return [token_of(one.minutes, config.n_frequencies) for one in frequencies]
