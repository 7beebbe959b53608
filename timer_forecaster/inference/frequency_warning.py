"""The frequencies of series for a network that reads them, and warnings where it knows none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from timer_forecaster.failures import name_of_series
from timer_forecaster.inference.channels import width_of
from timer_forecaster.inference.covariates.warning import Notes
from timer_forecaster.inference.frequency import Frequency, as_frequencies, of_each
from timer_forecaster.inference.times import Times, steps_of
from timer_forecaster.models.network import Architecture
from timer_forecaster.models.ttm.frequencies import UNKNOWN, names_of, token_of


class FrequencyWarning(UserWarning):
    """A network that reads the frequency of series has no token for some."""


def frequencies_for(
    config: Architecture, freq: Any, n_series: int, times: Sequence[Times | None] | None = None
) -> list[Frequency] | None:
    """Return the frequency of each series for a network that reads it; None for other networks.

    Times of the series stand in for it as in `frequencies_beside`.

    Raises
    ------
    TypeError, ValueError
        As `as_frequencies`, for any network; also if series of one row have other frequencies.

    Warns
    -----
    FrequencyWarning
        If the network has no token for some of them.
    """
    given = freq if times is None else frequencies_beside(freq, times, config)
    found = as_frequencies(given, n_series)
    if not config.n_frequencies:
        return None
    _check_rows(found, width_of(config))
    _warn_of_unknown(found, config.n_frequencies)
    return found


def frequencies_beside(freq: Any, times: Sequence[Times | None], config: Architecture) -> list[Any]:
    """Return what was given as the frequency of each series, or the step of its times.

    Steps of times stand in only where none was given, and all series of a row have the same.

    Raises
    ------
    TypeError, ValueError
        As `as_frequencies`.
    """
    given = of_each(freq, len(times))
    if not any(times):
        return given
    steps = steps_of([own if one is None else None for one, own in zip(given, times, strict=True)])
    found = [step if one is None else one for one, step in zip(given, steps, strict=True)]
    width = width_of(config)
    for first in range(0, len(found), width):
        row = slice(first, first + width)
        if len({one.minutes for one in as_frequencies(found[row], len(found[row]))}) > 1:
            found[row] = given[row]
    return found


def _check_rows(frequencies: Sequence[Frequency], width: int) -> None:
    for number, one in enumerate(frequencies):
        first = frequencies[number - number % width]
        if one.minutes != first.minutes:
            raise ValueError(
                f"freq[{number}] is {one.name!r}, and its row begins with {first.name!r}: the "
                f"checkpoint reads {width} series as one row, of one frequency"
            )


def _warn_of_unknown(frequencies: Sequence[Frequency], n_frequencies: int) -> None:
    """Give one warning of the frequencies without a token, and one of those not known."""
    first: dict[str | None, int] = {}
    for number, one in enumerate(frequencies):
        if token_of(one.minutes, n_frequencies) == UNKNOWN:
            first.setdefault(one.name, number)
    notes, unknown = Notes(), first.pop(None, None)
    if first:
        names = ", ".join(map(repr, first))
        notes.add_other(
            FrequencyWarning(
                f"freq: the checkpoint has no token for {names}, only for "
                f"{', '.join(names_of(n_frequencies))}; it reads such series as of an unknown "
                "frequency"
            )
        )
    if unknown is not None:
        notes.add_other(
            FrequencyWarning(
                f"the checkpoint reads the frequency of series, and the frequency of "
                f"{name_of_series(unknown)} is not known; give freq, such as freq='h'"
            )
        )
    notes.warn()
