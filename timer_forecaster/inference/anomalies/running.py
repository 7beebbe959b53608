"""Judge all steps of series, each by the forecast from what was known before it.

Steps are judged in the order of time, since an odd value changes the histories of later steps. They
are forecast in blocks all the same: a block is forecast as if none of its steps were odd, and is
judged up to the first odd one. The next block begins after it. Blocks grow while nothing is odd.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from tqdm.auto import tqdm

from timer_forecaster.arrays import FloatArray
from timer_forecaster.failures import Failures, series_called
from timer_forecaster.inference.anomalies.data import Data
from timer_forecaster.inference.anomalies.judged import Judged
from timer_forecaster.inference.anomalies.judging import SeriesJudge
from timer_forecaster.inference.anomalies.origins import Forecaster, Origin, forecaster_of
from timer_forecaster.inference.anomalies.settings import AnomalySettings
from timer_forecaster.inference.bounds import check_signs
from timer_forecaster.inference.channels import check_rows, width_of
from timer_forecaster.inference.covariates.warning import warned_once
from timer_forecaster.inference.scaling import check_series

if TYPE_CHECKING:
    from timer_forecaster.inference.pipeline import ForecastPipeline

SMALLEST_BLOCK, LARGEST_BLOCK = 4, 64
"""Steps of a block after an odd one, and where nothing is odd."""

_VALUES_AT_ONCE = 2**23
"""Values of all histories of the blocks that are forecast together: 64 MiB."""


def judge(
    pipeline: ForecastPipeline, data: Data, settings: AnomalySettings, failures: Failures
) -> list[Judged]:
    """Judge the steps of series.

    Parameters
    ----------
    pipeline : ForecastPipeline
    data : Data
    settings : AnomalySettings
    failures : Failures
        Notes series that cannot be read, or raises.

    Returns
    -------
    list of Judged
        One for each series.
    """
    config = pipeline.network.config
    options = settings.options
    width, reads = width_of(config), options.longest_context(config)
    with series_called(data.labels.names):
        check_signs(config, data.series, options, failures, whole=True)
        _check(data.series, width, failures)
    forecaster = forecaster_of(pipeline, data, settings)
    judges = [
        SeriesJudge(number, values, settings, config.quantiles, reads)
        for number, values in enumerate(data.series)
    ]
    rows = [judges[start : start + width] for start in range(0, len(judges), width)]
    sound = [row for row in rows if not any(one.number in failures.reasons for one in row)]
    walks = [Walk(row, settings.horizon) for row in sound]
    total = sum(len(walk.origins) for walk in walks)
    bar = tqdm(total=total, disable=not settings.progress, unit="step", desc="anomalies")
    with bar, warned_once():
        for together in _together(walks, options.longest_history(config)):
            _finish(together, forecaster, bar)
    return [one.found for one in judges]


def _check(series: Sequence[FloatArray], width: int, failures: Failures) -> None:
    """Note series without a value, with infinite ones, or that do not fit into their row."""
    for number, values in enumerate(series):
        if number not in failures.reasons:
            try:
                check_series(values, f"series[{number}]", len(values))
            except ValueError as error:
                text = str(error).replace("a forecast needs", "a search for anomalies needs")
                failures.add(number, ValueError(text))
    check_rows(series, width, failures)


def _together(walks: Sequence[Walk], reads: int) -> Iterator[list[Walk]]:
    """Group rows whose blocks fit into memory together."""
    group: list[Walk] = []
    size = 0
    for walk in walks:
        own = LARGEST_BLOCK * walk.size_of_histories(reads)
        if group and size + own > _VALUES_AT_ONCE:
            yield group
            group, size = [], 0
        group.append(walk)
        size += own
    if group:
        yield group


def _finish(walks: Sequence[Walk], forecaster: Forecaster, bar: tqdm) -> None:
    """Judge all steps of rows, block by block."""
    while active := [walk for walk in walks if not walk.is_done]:
        blocks = [walk.block() for walk in active]
        quantiles = forecaster.quantiles([origin for block in blocks for origin in block])
        ends = np.cumsum([len(block) for block in blocks])
        for walk, own in zip(active, np.split(quantiles, ends[:-1]), strict=True):
            bar.update(walk.judge(own))


class Walk:
    """The way through the steps of series that a network reads as one row.

    Parameters
    ----------
    row : sequence of SeriesJudge
    horizon : int
        Steps from an origin to the step that it judges.
    """

    def __init__(self, row: Sequence[SeriesJudge], horizon: int) -> None:
        self._row, self._horizon = row, horizon
        some = np.any([one.known.observed for one in row], axis=0)
        enough = np.all([one.known.enough for one in row], axis=0)
        self.origins: list[int] = (np.flatnonzero(some & enough) - horizon + 1).tolist()
        self._next, self._size = 0, LARGEST_BLOCK

    @property
    def is_done(self) -> bool:
        """Whether all steps are judged."""
        return self._next == len(self.origins)

    def size_of_histories(self, reads: int) -> int:
        """Return the number of values before an origin at most."""
        return len(self._row) * min(reads, len(self._row[0].reading.values))

    def block(self) -> list[Origin]:
        """Return the next origins, each for all series in turn."""
        return [
            Origin(one.number, one.reading.values, at) for at in self._ahead() for one in self._row
        ]

    def judge(self, quantiles: FloatArray) -> int:
        """Judge the steps of the block, up to the first one whose history is read otherwise now.

        Returns
        -------
        int
            The number of steps that were judged.
        """
        ahead, width = self._ahead(), len(self._row)
        steps = [at + self._horizon - 1 for at in ahead]
        for place, one in enumerate(self._row):
            one.look_at(steps, quantiles[place::width])
        judged, odd = 0, math.inf
        while judged < len(ahead) and ahead[judged] <= odd:
            # Each series takes its turn, whatever was odd in another one.
            if sum(one.judge(judged) for one in self._row):
                odd = min(odd, steps[judged])
            judged += 1
        for one in self._row:
            one.settle(judged)
        self._next += judged
        self._size = SMALLEST_BLOCK if odd < math.inf else min(2 * self._size, LARGEST_BLOCK)
        return judged

    def _ahead(self) -> list[int]:
        return self.origins[self._next : self._next + self._size]
