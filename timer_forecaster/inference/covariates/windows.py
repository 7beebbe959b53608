"""Windows of the rolling check: origins in the newer half of a series, several in one row.

Attention is causal, so one row of the network holds the forecasts from each of its tokens. Windows
whose origins lie a whole number of patches apart are read from the same row.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from timer_forecaster.inference.covariate_options import Effort
from timer_forecaster.inference.covariates.ridge import Span

_MOST_HISTORY = 1024  # steps before the oldest origin of a row
_LONG = 40
"""Windows of history from which on one fit, of the steps before all windows, serves the check."""


class CheckRow(NamedTuple):
    """Origins that one row of the network forecasts from."""

    group: int
    """Number of the fit, from 1 on."""
    span: Span
    """Steps of the row."""
    origins: tuple[int, ...]
    """Steps of the windows' first values, newest first. The newest is the end of the row."""


class Windows(NamedTuple):
    """The rolling check of one series."""

    length: int
    """Steps of a window."""
    rows: list[CheckRow]
    without: list[Span]
    """Steps that the fit of each group leaves out."""

    @property
    def origins(self) -> list[int]:
        """Origins of all windows, row by row."""
        return [origin for row in self.rows for origin in row.origins]


def check_windows(
    steps: int, horizon: int, patch: int, longest: int, most: int, effort: Effort
) -> Windows:
    """Lay the windows of the rolling check.

    Parameters
    ----------
    steps : int
        Steps of the series.
    horizon : int
        Steps of the forecast.
    patch : int
        Steps of a token.
    longest : int
        Most steps of a window.
    most : int
        Most windows.
    effort : Effort
    """
    length = min(horizon, longest)
    least = max(3 * horizon, steps // 2)
    spacing = math.lcm(length, patch)  # so that a day ahead always begins at the same hour
    if spacing > 2 * length or (steps - length - least) // spacing < most - 1:
        spacing = -(-length // patch) * patch
    phases = min(max(1, patch // length), effort.phases)
    found = []
    for phase in range(phases):
        newest = steps - length - phase * (patch // phases)
        found += [(origin, phase) for origin in range(newest, least - 1, -spacing)]
    found = sorted(found, reverse=True)[:most]
    long = steps >= _LONG * length
    n_groups = 1 if long else max(1, min(effort.groups, len(found) // 2))
    rows, without = [], []
    for group in range(n_groups if found else 0):
        own = found[_share(len(found), n_groups, group)]
        first, last = min(own)[0], max(own)[0] + length
        without.append(Span(first, steps if long else last))
        for phase in sorted({phase for _, phase in own}):
            origins = tuple(origin for origin, at in own if at == phase)
            start = max(0, origins[-1] - _MOST_HISTORY)
            rows.append(CheckRow(group + 1, Span(start, origins[0]), origins))
    return Windows(length, rows, without)


def _share(number: int, n_groups: int, group: int) -> slice:
    """Return the part of a group among ``number`` windows."""
    return slice(number * group // n_groups, number * (group + 1) // n_groups)
