"""Judge the steps of one series in the order of time, each by its forecast and by earlier steps."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from timer_forecaster.arrays import FloatArray
from timer_forecaster.inference import quantiles as quantile_function
from timer_forecaster.inference.anomalies.calibration import WINDOW, Tail, depths_of, surprises
from timer_forecaster.inference.anomalies.judged import (
    JUDGED,
    MISSING,
    NO_FORECAST,
    Judged,
    Known,
)
from timer_forecaster.inference.anomalies.reading import Reading
from timer_forecaster.inference.anomalies.settings import AnomalySettings


class SeriesJudge:
    """A series, as far as it is judged.

    Parameters
    ----------
    number : int
        Of the series.
    values : ndarray, shape (steps,)
    settings : AnomalySettings
    levels : sequence of float
        Levels of the quantiles of forecasts.
    reads : int
        Newest steps that the network reads.
    """

    def __init__(
        self,
        number: int,
        values: FloatArray,
        settings: AnomalySettings,
        levels: Sequence[float],
        reads: int,
    ) -> None:
        self.number, self.found = number, Judged.nothing(len(values))
        self.reading = Reading(values, settings.repair)
        self.known = Known.of(values, settings.horizon, settings.min_history, reads)
        self.found.reason[~self.known.observed] = MISSING
        self._values, self._levels, self._chance = values, levels, settings.chance
        self._by_table = settings.calibrate != "off"
        self._tail = Tail(WINDOW if settings.calibrate == "auto" else 0)
        self._steps = np.empty(0, np.intp)
        self._quantiles, self._surprises, self._bounds = np.empty((3, 0))

    def look_at(self, steps: Sequence[int], quantiles: FloatArray) -> None:
        """Take the forecasts (steps, Q) of some steps, which are judged next."""
        self._steps, self._quantiles = np.asarray(steps, np.intp), quantiles
        at = self._values[self._steps, None]
        lower, upper = quantile_function.log_tails(quantiles, self._levels, at)
        depths, above = -np.minimum(lower, upper)[:, 0], (upper < lower)[:, 0]
        self._surprises = surprises(depths, above, self._by_table)
        self._bounds = np.full(len(depths), np.nan)
        self.found.above[self._steps] = above

    def judge(self, place: int) -> bool:
        """Judge one of the steps that were looked at; they come in order.

        Returns
        -------
        bool
            Whether histories that hold the step are read in another way from now on.
        """
        step, surprise = int(self._steps[place]), float(self._surprises[place])
        if not self.known.observed[step]:
            return False
        if math.isnan(surprise):
            self.found.reason[step] = NO_FORECAST
            return False
        log_p = self._tail.log_chance(surprise)
        if surprise == math.inf:
            log_p = max(log_p, self._rare(step))
        self.found.reason[step], self.found.log_p[step] = JUDGED, log_p
        self._bounds[place] = self._tail.bound(self._chance)
        self._tail.add(surprise)
        return self.reading.note(step, log_p)

    def _rare(self, step: int) -> float:
        """Return the log chance of a value where no other one than the forecast was possible.

        Of n values that were equal and one that may be another, each is as likely to be that one.
        """
        return -math.log(1 + int(self.known.seen[step]))

    def settle(self, count: int) -> None:
        """Write down what was expected of the first steps that were looked at."""
        steps = self._steps[:count]
        judged = self.found.reason[steps] == JUDGED
        self.found.above[steps[~judged]] = False
        if not judged.any():
            return
        steps, bounds = steps[judged], self._bounds[:count][judged]
        quantiles = self._quantiles[:count][judged]
        half = quantile_function.evaluate(quantiles, self._levels, np.array([0.5]))
        self.found.median[steps] = half[:, 0]
        depths = depths_of(bounds, self._by_table)
        ends = quantile_function.tail_quantiles(quantiles, self._levels, -depths)
        scales = quantile_function.tail_scales(quantiles, np.asarray(self._levels))
        rare = np.log1p(self.known.seen[steps]) < -math.log(self._chance)
        outwards = (self.found.lower, -np.inf), (self.found.upper, np.inf)
        for (where, end), own, scale in zip(outwards, ends, scales, strict=True):
            where[steps] = np.where(np.isinf(bounds) | (rare & (scale == 0)), end, own)
