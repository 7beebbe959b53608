"""How finely the series of a gallery are drawn, so that the page stays small."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from timer_forecaster.report.numbers import FINENESS
from timer_forecaster.report.series import Chart

MOST_VALUES = 1_200_000
"""Most values in a page: about six bytes each."""

MOST_COLUMNS = 6
"""Most covariates that are drawn of a series."""

_LONGEST, _SHORTEST = 4000, 64  # steps that are drawn one by one
_MOST_BLOCKS = 800
_MOST_LEVELS = (9, 5, 3, 1)


@dataclass(frozen=True)
class Detail:
    """How finely series are drawn.

    Parameters
    ----------
    levels : int
        Most quantile levels of a forecast.
    every : int
        Of the steps of a forecast, each one of so many is drawn.
    newest : int
        Newest steps of a history that are drawn one by one.
    blocks : int
        Most blocks that stand for the steps before them.
    thinned : bool
        Whether a history is so long that it has blocks.
    """

    levels: int
    every: int
    newest: int
    blocks: int
    thinned: bool = False

    @classmethod
    def of(cls, charts: Sequence[Chart], most_values: int = MOST_VALUES) -> Detail:
        """Choose the detail by the number of series and of their forecasts.

        Half of the room is for forecasts. They first lose levels, then steps. The rest is for
        histories and covariates.

        Examples
        --------
        >>> import numpy as np, pandas as pd
        >>> chart = Chart("a", pd.RangeIndex(9), np.zeros(9), [])
        >>> Detail.of([chart]).newest
        4000
        """
        room = max(1, most_values // max(1, len(charts)))
        marked = any(one.odd is not None for one in charts)
        steps = max((sum(len(fan.quantiles) for fan in one.fans) for one in charts), default=0)
        steps = 0 if marked else steps  # what was expected is drawn as far as values are
        given = max((len(fan.levels) for one in charts for fan in one.fans), default=1)
        fitting = [most for most in _MOST_LEVELS if steps * min(most, given) <= room // 2]
        levels = fitting[0] if fitting else 3
        every = max(1, math.ceil(steps * min(levels, given) / max(1, room // 2)))
        rest = room - steps * min(levels, given) // every
        columns = max((min(len(one.columns), MOST_COLUMNS) for one in charts), default=0)
        columns += min(levels, given) if marked else 0
        newest = min(_LONGEST, max(_SHORTEST, rest // (2 * (1 + columns))))
        blocks = min(_MOST_BLOCKS, max(16, rest // 4))
        thinned = any(len(one.values) > newest for one in charts)
        return cls(levels, every, newest, blocks, thinned)

    @property
    def sentence(self) -> str:
        """What the pictures leave out."""
        parts = [
            f"Values are rounded, to at most one {FINENESS:,}th of the range of their picture."
        ]
        if self.thinned:
            parts.append(
                f"The newest {self.newest:,} steps of a history are drawn one by one; of the steps "
                "before them, the lowest and the highest value of each block."
            )
        if self.every > 1:
            parts.append(f"Of the steps of a forecast, one of {self.every} is drawn.")
        return " ".join(parts)


def chosen_levels(levels: Sequence[float], most: int) -> list[int]:
    """Return the places of the levels to draw: the outermost pair first, and the median always.

    Examples
    --------
    >>> chosen_levels([0.1, 0.2, 0.3, 0.5, 0.7, 0.8, 0.9], 5)
    [0, 2, 3, 4, 6]
    >>> chosen_levels([0.5, 0.9, 0.1], 9)
    [2, 0, 1]
    """
    order = sorted(range(len(levels)), key=lambda place: levels[place])
    if len(order) <= most:
        return order
    kept = {min(order, key=lambda place: abs(levels[place] - 0.5))}
    pairs = (most - 1) // 2
    for pair in range(pairs):
        # Spread from the outermost level to the middle.
        at = round(pair * (len(order) // 2) / max(1, pairs))
        kept |= {order[at], order[-1 - at]}
    return [place for place in order if place in kept]
