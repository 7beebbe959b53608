"""A series as later forecasts read it: steps that were very odd are missing, unless they go on.

One odd value spoils the scale of all histories that hold it. So it is left out of them. If odd
values follow each other, the series has changed, and all of them are read again.
"""

from __future__ import annotations

import math

import numpy as np

from timer_forecaster.arrays import FloatArray

LEFT_OUT, USUAL = 0.002, 0.01
"""Chances by the table, and after the earlier steps of the series, up to which a value is left out
of later histories, whatever level is asked for. The second one keeps the values of series that are
always wild."""

LONGEST_RUN = 4
"""Odd values in a row from which on they are a change of the series, which later histories hold."""


class Reading:
    """The values of a series, as far as later forecasts read them.

    Parameters
    ----------
    values : ndarray, shape (steps,)
        NaN where missing.
    repairs : bool
        Whether odd values are left out at all.

    Examples
    --------
    >>> reading = Reading(np.array([1.0, 2.0, 90.0, 3.0]))
    >>> reading.note(2, log_chance=-20.0, log_own=-5.0)
    True
    >>> reading.values.tolist()
    [1.0, 2.0, nan, 3.0]
    """

    def __init__(self, values: FloatArray, repairs: bool = True) -> None:
        self._given, self._repairs = values, repairs
        self.values = values.copy() if repairs else values
        self._run: list[int] = []

    def note(self, step: int, log_chance: float, log_own: float) -> bool:
        """Take note of an observed step; steps come in the order of time.

        Parameters
        ----------
        step : int
        log_chance, log_own : float
            Logarithms of its chance by the table, and after the earlier steps of the series.

        Returns
        -------
        bool
            Whether later histories are read in another way from now on.
        """
        if not self._repairs:
            return False
        if log_chance > math.log(LEFT_OUT) or log_own > math.log(USUAL):
            self._run.clear()
            return False
        self._run.append(step)
        if len(self._run) > LONGEST_RUN:
            return False
        if len(self._run) == LONGEST_RUN:
            self.values[self._run] = self._given[self._run]
        else:
            self.values[step] = np.nan
        return True
