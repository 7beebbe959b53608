"""Forecasts remembered beside the network that made them.

Frameworks ask about one context many times: first for a point forecast, then for quantiles, an
interval and a distribution. `predict` runs the network the first time, and then answers from
memory. The key of a forecast is made of its values and options, so that copies of an estimator
share it, and so do candidates of a search that read a forecast in different ways. The memory of
all networks together is bounded, and the memory of a network is freed with the network.

Frameworks also ask about equal series, for example to draw samples, and about series without any
observed value. `predict` computes equal series once, and forecasts NaN where that is asked for.
"""

from __future__ import annotations

import hashlib
import itertools
import math
from collections import OrderedDict
from collections.abc import Hashable, Iterable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from timer_forecaster.arrays import FloatArray
from timer_forecaster.checks import check_choice
from timer_forecaster.failures import Failures, quietly
from timer_forecaster.inference.covariates.tables import Tables
from timer_forecaster.inference.covariates.warning import Notes, collected_notes
from timer_forecaster.inference.forecast import Forecast
from timer_forecaster.inference.options import DEFAULT, ForecastOptions
from timer_forecaster.inference.pipeline import ForecastPipeline
from timer_forecaster.inference.prediction import checked
from timer_forecaster.inference.series import from_first_observed
from timer_forecaster.locks import RenewedLock
from timer_forecaster.models.network import Network

Question = tuple[Sequence[FloatArray], int]
"""Series, and the number of steps to forecast."""

MAX_BYTES = 128 * 2**20
"""Most bytes of forecasts that are remembered; the least recently used go first."""

ENTRY_BYTES = 1024
"""Bytes of an entry beside its quantiles: key, options, objects, and gaps between them."""

UNOBSERVED = ("raise", "nan")
"""Ways to treat a series without any observed value; see `predict`."""

_MOST_VALUES = 2**25  # in one call of the pipeline, which copies all values to standardize them


def cost(forecast: Forecast) -> int:
    """Return the bytes that it takes to remember a forecast."""
    report = forecast.covariates
    effects = 0 if report is None else sum(effect.nbytes for effect in report.effects)
    return forecast.quantiles.nbytes + effects + ENTRY_BYTES


class _Memo:
    """Forecasts by key, the least recently used first, each with the time of its last use."""

    def __init__(self) -> None:
        self._known: OrderedDict[Hashable, tuple[int, Forecast]] = OrderedDict()
        self._bytes = 0

    def recall(self, key: Hashable) -> Forecast | None:
        with _lock:
            if key not in self._known:
                return None
            _, forecast = self._known.pop(key)
            self._known[key] = next(_uses), forecast
            return forecast

    def remember(self, key: Hashable, forecast: Forecast) -> None:
        forecast.quantiles.flags.writeable = False  # it is shared from now on
        if cost(forecast) > MAX_BYTES:
            return
        with _lock:
            if key not in self._known:
                self._known[key] = next(_uses), forecast
                self._bytes += cost(forecast)
            memos = list(_memos.values())
            while sum(memo._bytes for memo in memos) > MAX_BYTES:
                min(memos, key=_Memo._oldest)._forget_oldest()

    def _oldest(self) -> float:
        """Return the time of the use that is longest ago."""
        return next(iter(self._known.values()))[0] if self._known else math.inf

    def _forget_oldest(self) -> None:
        self._bytes -= cost(self._known.popitem(last=False)[1][1])


_memos: WeakKeyDictionary[Network, _Memo] = WeakKeyDictionary()
_lock = RenewedLock()  # guards all memories
_uses = itertools.count()


def predict(
    pipeline: ForecastPipeline,
    series: Sequence[FloatArray],
    horizon: int,
    options: ForecastOptions = DEFAULT,
    *,
    unobserved: str = "raise",
    on_error: str = "raise",
    tables: Tables | None = None,
) -> Forecast:
    """Forecast as `ForecastPipeline.predict` does, or recall the same forecast.

    Equal series with equal covariates are computed once. Missing values at the start of a series
    make no difference.

    Parameters
    ----------
    pipeline : ForecastPipeline
    series : sequence of ndarray, each of shape (steps,)
    horizon : int
    options : ForecastOptions
    unobserved : {"raise", "nan"}
        Whether a series without any observed value is an error, as for the pipeline, or has a
        forecast of NaN.
    on_error : {"raise", "nan"}
        As for the pipeline. No warning is given: `Forecast.failures` has the reasons.
    tables : Tables, optional
        Covariates. Warnings about them are given when a forecast is computed, not when it is
        recalled.

    Returns
    -------
    Forecast
        Its quantiles are read-only. It has no report of covariates.

    Raises
    ------
    ValueError, TypeError
        As `ForecastPipeline.predict` does.

    Examples
    --------
    >>> import numpy as np
    >>> from timer_forecaster import ForecastPipeline
    >>> from timer_forecaster.inference import memo
    >>> pipe = ForecastPipeline.from_pretrained("timer-s1-test")
    >>> series = [np.arange(9.0), np.full(5, np.nan)]
    >>> np.isnan(memo.predict(pipe, series, 2, unobserved="nan").median).tolist()
    [[False, False], [True, True]]
    """
    check_choice("unobserved", unobserved, UNOBSERVED)
    if tables is not None and options.ignores_covariates:
        tables = None
    if on_error == "nan":
        return _without_bad(pipeline, series, horizon, options, tables)
    rows = _distinct(series, tables)
    if unobserved == "raise" and (rows.row_of_series < 0).any():
        return _compute(pipeline, series, horizon, options, tables)  # raises, and names the series
    memo, key = memo_of(pipeline), rows.key(horizon, options)
    forecast = memo.recall(key)
    if forecast is None:
        forecast = _answer_one(pipeline, series, rows, horizon, options, tables)
        memo.remember(key, forecast)
    return rows.scattered(forecast)


def _without_bad(
    pipeline: ForecastPipeline,
    series: Sequence[FloatArray],
    horizon: int,
    options: ForecastOptions,
    tables: Tables | None,
) -> Forecast:
    """Forecast good series as `predict` does; bad ones have NaN and a reason."""
    failures, network = Failures("nan"), pipeline.network
    checked(network, series, options.context_length, failures)
    good = [i for i in range(len(series)) if i not in failures.reasons]
    beside = None if tables is None else tables.take(good)
    try:
        with collected_notes() as notes:
            forecast = predict(pipeline, [series[i] for i in good], horizon, options, tables=beside)
        _warn_of(notes, good)
    except ValueError:  # a forecast beyond the range of floats, or covariates that are unusable
        with quietly():
            asked = _arguments(options, tables)
            return pipeline.predict(series, horizon, **asked, on_error="nan")
    if len(good) == len(series):
        return forecast
    quantiles = np.full((len(series), *forecast.quantiles.shape[1:]), np.nan)
    quantiles[good] = forecast.quantiles
    quantiles.flags.writeable = False
    return Forecast(quantiles, forecast.levels, failures.by_number())


def prefetch(
    pipeline: ForecastPipeline, questions: Iterable[Question], options: ForecastOptions = DEFAULT
) -> None:
    """Answer many questions in one batch for each horizon, for `predict` to recall.

    `predict` then recalls the forecasts that it would have computed, up to the rounding of the
    batch. If the memory cannot hold all answers, the last questions are left to `predict`.

    Parameters
    ----------
    pipeline : ForecastPipeline
    questions : iterable of (series, horizon)
    options : ForecastOptions
        The options that `predict` will be called with.
    """
    memo, n_levels = memo_of(pipeline), len(pipeline.network.config.quantiles)
    room, values = MAX_BYTES, 0
    unknown: dict[Hashable, Question] = {}
    for series, horizon in questions:
        rows = _distinct(series)
        key = rows.key(horizon, options)
        room -= 8 * n_levels * horizon * len(rows.values) + ENTRY_BYTES
        if room < 0:
            break  # the last answers would push out the first ones before they are asked for
        if memo.recall(key) is None and key not in unknown:
            unknown[key] = rows.values, horizon
            values += sum(len(row) for row in rows.values)
        if values > _MOST_VALUES:
            _answer(memo, pipeline, unknown, options)
            unknown, values = {}, 0
    _answer(memo, pipeline, unknown, options)


def _answer_one(
    pipeline: ForecastPipeline,
    series: Sequence[FloatArray],
    rows: _Rows,
    horizon: int,
    options: ForecastOptions,
    tables: Tables | None,
) -> Forecast:
    """Forecast the different rows of series; errors and warnings number series as the caller."""
    if len(rows.values) == len(series):
        return _compute(pipeline, series, horizon, options, tables)
    first = rows.first_series()
    beside = None if tables is None else tables.take(first)
    try:
        with collected_notes() as notes:
            forecast = _compute(pipeline, rows.values, horizon, options, beside)
        _warn_of(notes, first)
        return forecast
    except ValueError:
        if (rows.row_of_series < 0).any():
            raise
    return _compute(pipeline, series, horizon, options, tables)  # the error with another number


def _warn_of(notes: Notes, numbers: Sequence[int]) -> None:
    """Warn of notes about series that have other numbers for the caller."""
    renumbered = Notes()
    renumbered.join(notes, numbers.__getitem__)
    renumbered.warn()


def _answer(
    memo: _Memo,
    pipeline: ForecastPipeline,
    questions: dict[Hashable, Question],
    options: ForecastOptions,
) -> None:
    """Compute and remember the answers to questions; all questions of one horizon together."""
    for horizon in {horizon for _, horizon in questions.values()}:
        asked = {key: series for key, (series, steps) in questions.items() if steps == horizon}
        rows = [values for series in asked.values() for values in series]
        answer = _compute(pipeline, rows, horizon, options)
        parts = np.split(answer.quantiles, np.cumsum([len(series) for series in asked.values()]))
        for key, part in zip(asked, parts, strict=False):  # the last part is empty
            memo.remember(key, Forecast(part.copy(), answer.levels))


def memo_of(pipeline: ForecastPipeline) -> _Memo:
    """Return the forecasts that are remembered beside the network of a pipeline."""
    network = pipeline.network
    with _lock:
        return _memos.setdefault(network, _Memo())


class _Rows(NamedTuple):
    """The different rows among series, without the missing values before the first observed one."""

    values: list[FloatArray]
    digests: list[bytes]
    row_of_series: NDArray[np.intp]  # -1 for a series without any observed value

    def first_series(self) -> list[int]:
        """Return the number of the first series of each row."""
        rows, first = np.unique(self.row_of_series, return_index=True)
        return [int(number) for number in first[rows >= 0]]

    def key(self, horizon: int, options: ForecastOptions) -> Hashable:
        """Return the key of the forecast of these rows."""
        digest = hashlib.blake2b(b"".join(self.digests), digest_size=16).digest()
        return digest, horizon, options

    def scattered(self, forecast: Forecast) -> Forecast:
        """Return the forecast of the series from the forecast of the rows."""
        if np.array_equal(self.row_of_series, np.arange(len(self.values))):
            return forecast
        missing = np.full((1, *forecast.quantiles.shape[1:]), np.nan)
        quantiles = np.concatenate([forecast.quantiles, missing])[self.row_of_series]
        quantiles.flags.writeable = False
        return Forecast(quantiles, forecast.levels)


def _distinct(series: Sequence[FloatArray], tables: Tables | None = None) -> _Rows:
    """Find the different rows, in the order of their first series."""
    index: dict[bytes, int] = {}
    rows = _Rows([], [], np.full(len(series), -1))
    for i, values in enumerate(series):
        if np.isnan(values).all():
            continue
        row = np.ascontiguousarray(from_first_observed(values))
        digest = hashlib.blake2b(row.data, digest_size=16).digest()
        if tables is not None:
            digest += tables.digest(i)
        if digest not in index:
            index[digest] = len(index)
            rows.values.append(row)
            rows.digests.append(digest)
        rows.row_of_series[i] = index[digest]
    return rows


def _compute(
    pipeline: ForecastPipeline,
    series: Sequence[FloatArray],
    horizon: int,
    options: ForecastOptions,
    tables: Tables | None = None,
) -> Forecast:
    """Call the pipeline, piece by piece if there is much data."""
    if not len(series):
        levels = pipeline.network.config.quantiles
        return Forecast(np.empty((0, horizon, len(levels))), levels)
    sizes = np.cumsum([len(values) for values in series])
    bounds = np.unique(np.searchsorted(sizes, np.arange(0, max(1, sizes[-1]), _MOST_VALUES)))
    pieces = [*bounds.tolist(), len(series)]
    forecasts = []
    for start, stop in pairwise(pieces):
        beside = None if tables is None else tables.take(range(start, stop))
        asked = _arguments(options, beside)
        forecasts.append(pipeline.predict(series[start:stop], horizon, **asked))
    levels = forecasts[0].levels
    if len(forecasts) == 1:
        return Forecast(forecasts[0].quantiles, levels)
    return Forecast(np.concatenate([part.quantiles for part in forecasts]), levels)


def _arguments(options: ForecastOptions, tables: Tables | None) -> dict[str, Any]:
    """Return keyword arguments of `ForecastPipeline.predict`."""
    return options.arguments | ({} if tables is None else tables._asdict())
