"""Judge the steps of one series in the order of time, each by its forecast and by earlier steps."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from timer_forecaster.arrays import FloatArray
from timer_forecaster.inference import quantiles as quantile_function
from timer_forecaster.inference.anomalies import tails
from timer_forecaster.inference.anomalies.calibration import Chances
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
        self._calibrates = settings.calibrate != "off"
        self._chances = Chances(self._calibrates, settings.calibrate == "auto")
        self._usual = tails.UsualSpread()
        self._without_chance = 0  # earlier steps
        self._steps, self._bounds, self._rare = np.empty(0, np.intp), np.empty((2, 0)), np.empty(0)
        self._quantiles = np.empty((0, len(levels)))

    def look_at(self, steps: Sequence[int], quantiles: FloatArray) -> None:
        """Take the forecasts (steps, Q) of some steps, which are judged next."""
        self._steps, self._quantiles = np.asarray(steps, np.intp), quantiles.copy()
        self._bounds, self._rare = np.full((2, len(steps)), np.nan), np.zeros(len(steps))
        self._scales = tails.scales_of(quantiles, self._levels, self._calibrates)

    def judge(self, place: int) -> bool:
        """Judge one of the steps that were looked at; they come in order.

        Returns
        -------
        bool
            Whether histories that hold the step are read in another way from now on.
        """
        step, own = int(self._steps[place]), self._quantiles[place : place + 1]
        if not self.known.observed[step]:
            return False
        if not np.isfinite(own).all():
            self.found.reason[step] = NO_FORECAST
            return False
        scales = self._scales[:, place : place + 1]
        if self._calibrates:
            factor = self._usual.factor(float(own[0, -1] - own[0, 0]))
            scales *= factor
            own[:] = tails.stretched(own, self._levels, factor)
        at = self._values[step : step + 1]
        below, above = (float(one[0]) for one in tails.depths(own, self._levels, at, scales))
        depth, is_above = max(below, above), above > below
        self.found.above[step], self.found.reason[step] = is_above, JUDGED
        self._bounds[:, place] = self._chances.depths(-math.log(self._chance))
        self._rare[place] = self._log_rare(step)
        if depth == math.inf:
            self._without_chance += 1
            self.found.log_p[step] = self._rare[place]
            return self.reading.note(step, -math.inf, float(self._rare[place]))
        log_p = -self._chances.surprise(depth, is_above)
        self.found.log_p[step] = log_p
        first = -self._chances.first_surprise(depth, is_above)
        self._chances.add(depth)
        return self.reading.note(step, first, log_p)

    def _log_rare(self, step: int) -> float:
        """Return the log chance of a value where no other one than the forecast was possible.

        Of n values that were as the only possible one, and one that is not, each is as likely to be
        the other one. Earlier ones that were not count too.
        """
        return math.log((1 + self._without_chance) / (1 + int(self.known.seen[step])))

    def settle(self, count: int) -> None:
        """Write down what was expected of the first steps that were looked at."""
        steps = self._steps[:count]
        judged = self.found.reason[steps] == JUDGED
        if not judged.any():
            return
        steps, bounds = steps[judged], self._bounds[:, :count][:, judged]
        quantiles, scales = self._quantiles[:count][judged], self._scales[:, :count][:, judged]
        half = quantile_function.evaluate(quantiles, self._levels, np.array([0.5]))
        self.found.median[steps] = half[:, 0]
        ends = tails.values_at(quantiles, self._levels, bounds, scales)
        common = self._rare[:count][judged] > math.log(self._chance)
        outwards = (self.found.lower, -np.inf), (self.found.upper, np.inf)
        for (where, end), own, scale in zip(outwards, ends, scales, strict=True):
            where[steps] = np.where(common & (scale == 0), end, own)
