"""Forecasts remembered with the network that made them, outside every estimator.

Frameworks ask about one context many times: a point, then quantiles, then an interval, then a
distribution. `predict` answers the first time by running the network and then from memory. A
forecast is found again by its values and options, so that copies of an estimator, and candidates
of a search that differ in how they read a forecast, share it. What is remembered of a network is
bounded, and goes when the network leaves the process.
"""

from __future__ import annotations

import dataclasses
import hashlib
import threading
from collections import OrderedDict
from collections.abc import Hashable, Iterable, Sequence
from itertools import pairwise
from weakref import WeakKeyDictionary

import numpy as np

from timer_forecaster.arrays import FloatArray
from timer_forecaster.inference.forecast import Forecast
from timer_forecaster.inference.options import DEFAULT, ForecastOptions
from timer_forecaster.inference.pipeline import ForecastPipeline
from timer_forecaster.models.timer_s1 import TimerS1Network

Question = tuple[Sequence[FloatArray], int]
"""Series, and how many steps of them to forecast."""

MAX_BYTES = 128 * 2**20
"""Of forecasts that are remembered of each network; the least recently used go first."""

_MOST_VALUES = 2**25  # that enter one call of the pipeline, which copies what it standardises


class _Memo:
    """Quantiles by question, the least recently used first."""

    def __init__(self) -> None:
        self._known: OrderedDict[Hashable, Forecast] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def recall(self, key: Hashable) -> Forecast | None:
        with self._lock:
            if key in self._known:
                self._known.move_to_end(key)
            return self._known.get(key)

    def remember(self, key: Hashable, forecast: Forecast) -> None:
        forecast.quantiles.flags.writeable = False  # it is shared from now on
        if forecast.quantiles.nbytes > MAX_BYTES:
            return
        with self._lock:
            if key not in self._known:
                self._known[key] = forecast
                self._bytes += forecast.quantiles.nbytes
            while self._bytes > MAX_BYTES:
                self._bytes -= self._known.popitem(last=False)[1].quantiles.nbytes


_memos: WeakKeyDictionary[TimerS1Network, _Memo] = WeakKeyDictionary()
_lock = threading.Lock()


def predict(
    pipeline: ForecastPipeline,
    series: Sequence[FloatArray],
    horizon: int,
    options: ForecastOptions = DEFAULT,
) -> Forecast:
    """Forecast as `ForecastPipeline.predict` does, or recall the same forecast.

    Parameters
    ----------
    pipeline : ForecastPipeline
    series : sequence of ndarray, each of shape (steps,)
    horizon : int
    options : ForecastOptions

    Returns
    -------
    Forecast
        Its quantiles are read-only.
    """
    memo, key = _memo_of(pipeline), _key(series, horizon, options)
    forecast = memo.recall(key)
    if forecast is None:
        forecast = _compute(pipeline, series, horizon, options)
        memo.remember(key, forecast)
    return forecast


def prefetch(
    pipeline: ForecastPipeline, questions: Iterable[Question], options: ForecastOptions = DEFAULT
) -> None:
    """Answer many questions in one batch for each horizon, to be recalled by `predict`.

    Up to the rounding of the batch, what `predict` then recalls is what it would have computed.
    Questions whose answers would not all be remembered are left to it.

    Parameters
    ----------
    pipeline : ForecastPipeline
    questions : iterable of (series, horizon)
    options : ForecastOptions
        Those that will be given to `predict`.
    """
    memo, n_levels = _memo_of(pipeline), len(pipeline.network.config.quantiles)
    room, values = MAX_BYTES, 0
    unknown: dict[Hashable, Question] = {}
    for series, horizon in questions:
        key = _key(series, horizon, options)
        room -= 8 * n_levels * horizon * len(series)
        if room < 0:
            break  # what is remembered last would push out what is asked for first
        if memo.recall(key) is None and key not in unknown:
            unknown[key] = series, horizon
            values += sum(len(one) for one in series)
        if values > _MOST_VALUES:
            _answer(memo, pipeline, unknown, options)
            unknown, values = {}, 0
    _answer(memo, pipeline, unknown, options)


def _answer(
    memo: _Memo,
    pipeline: ForecastPipeline,
    questions: dict[Hashable, Question],
    options: ForecastOptions,
) -> None:
    """Compute the answers to questions, those with one horizon together, and remember them."""
    for horizon in {horizon for _, horizon in questions.values()}:
        asked = {key: series for key, (series, steps) in questions.items() if steps == horizon}
        rows = [values for series in asked.values() for values in series]
        answer = _compute(pipeline, rows, horizon, options)
        parts = np.split(answer.quantiles, np.cumsum([len(series) for series in asked.values()]))
        for key, part in zip(asked, parts, strict=False):  # the last part is empty
            memo.remember(key, Forecast(part.copy(), answer.levels))


def _memo_of(pipeline: ForecastPipeline) -> _Memo:
    network = pipeline.network
    with _lock:
        return _memos.setdefault(network, _Memo())


def _key(series: Sequence[FloatArray], horizon: int, options: ForecastOptions) -> Hashable:
    digest = hashlib.blake2b(digest_size=16)
    for values in series:
        digest.update(len(values).to_bytes(8, "little"))
        digest.update(np.ascontiguousarray(values).data)
    return digest.digest(), horizon, options


def _compute(
    pipeline: ForecastPipeline, series: Sequence[FloatArray], horizon: int, options: ForecastOptions
) -> Forecast:
    """Call the pipeline, for much data piece by piece."""
    sizes = np.cumsum([len(values) for values in series])
    bounds = np.unique(np.searchsorted(sizes, np.arange(0, max(1, sizes[-1]), _MOST_VALUES)))
    pieces = [*bounds.tolist(), len(series)]
    asked = dataclasses.asdict(options)
    forecasts = [
        pipeline.predict(series[start:stop], horizon, **asked) for start, stop in pairwise(pieces)
    ]
    if len(forecasts) == 1:
        return forecasts[0]
    return Forecast(np.concatenate([part.quantiles for part in forecasts]), forecasts[0].levels)
