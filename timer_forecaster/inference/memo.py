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

import dataclasses
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
from timer_forecaster.failures import quietly, restated, series_called
from timer_forecaster.inference.channels import grouped, width_of
from timer_forecaster.inference.covariates.tables import Tables
from timer_forecaster.inference.covariates.warning import warned_once
from timer_forecaster.inference.forecast import Forecast
from timer_forecaster.inference.frequency import as_frequencies
from timer_forecaster.inference.options import DEFAULT, ForecastOptions
from timer_forecaster.inference.pipeline import ForecastPipeline
from timer_forecaster.inference.prediction import calibration_of
from timer_forecaster.inference.sampling.dependence import Dependence
from timer_forecaster.inference.series import from_first_observed
from timer_forecaster.locks import RenewedLock
from timer_forecaster.models.network import Network

MAX_BYTES = 128 * 2**20
"""Most bytes of forecasts that are remembered; the least recently used go first."""

ENTRY_BYTES = 1024
"""Bytes of an entry beside its series: key, options, objects, and gaps between them."""

KEY_BYTES = 48
"""Bytes of the key of the random draws of a series."""

UNOBSERVED = ("raise", "nan")
"""Ways to treat a series without any observed value; see `predict`."""

_NOTHING = np.empty(0)
_MOST_VALUES = 2**25  # in one call of the pipeline, which copies all values to standardize them
_COPIES_BESIDE = 2**5  # of each series that has covariates: remainders, and windows of the check


class Question(NamedTuple):
    """Series to forecast together, with their covariates if there are any."""

    series: Sequence[FloatArray]
    horizon: int
    tables: Tables | None = None
    frequencies: Sequence[Any] | None = None
    """Of each series; see ``freq`` of `ForecastPipeline.predict`."""

    def sizes(self) -> list[int]:
        """Return the number of values of each series in a call of the pipeline."""
        copies = 1 if self.tables is None else _COPIES_BESIDE
        return [copies * len(values) for values in self.series]

    def take(self, numbers: Sequence[int]) -> Question:
        """Return the question of some of the series."""
        tables = None if self.tables is None else self.tables.take(numbers)
        own = self.frequencies
        frequencies = None if own is None else [own[i] for i in numbers]
        series = [self.series[i] for i in numbers]
        return self._replace(series=series, tables=tables, frequencies=frequencies)

    def joined(self, others: Sequence[Question]) -> Question:
        """Return the question of these series and of others, of the same horizon and kind."""
        series = [values for one in (self, *others) for values in one.series]
        tables = [one.tables for one in others if one.tables is not None]
        whole = None if self.tables is None else self.tables.joined(tables)
        frequencies = None
        if self.frequencies is not None:
            frequencies = [freq for one in (self, *others) for freq in one.frequencies or ()]
        return self._replace(series=series, tables=whole, frequencies=frequencies)

    def read_by(self, network: Network) -> Question:
        """Return the question without frequencies if the network does not read them."""
        if not network.config.n_frequencies:
            return self._replace(frequencies=None)
        return self._replace(frequencies=as_frequencies(self.frequencies, len(self.series)))


class Answer(NamedTuple):
    """A forecast of different series, and what their random draws are keyed by."""

    forecast: Forecast
    keys: tuple[int, ...]
    """Of each series; see `timer_forecaster.inference.series.key_of`."""


def cost(n_series: int, horizon: int, n_levels: int) -> int:
    """Return the bytes that it takes to remember the forecast of some series."""
    return n_series * (8 * horizon * n_levels + KEY_BYTES) + ENTRY_BYTES


class _Memo:
    """Answers by key, the least recently used first, each with the time of its last use."""

    def __init__(self) -> None:
        self._known: OrderedDict[Hashable, tuple[int, Answer]] = OrderedDict()
        self._bytes = 0

    def recall(self, key: Hashable) -> Answer | None:
        with _lock:
            if key not in self._known:
                return None
            _, answer = self._known.pop(key)
            self._known[key] = next(_uses), answer
            return answer

    def remember(self, key: Hashable, answer: Answer) -> None:
        quantiles = answer.forecast.quantiles
        quantiles.flags.writeable = False  # they are shared from now on
        if cost(*quantiles.shape) > MAX_BYTES:
            return
        with _lock:
            if key not in self._known:
                self._known[key] = next(_uses), answer
                self._bytes += cost(*quantiles.shape)
            memos = list(_memos.values())
            while sum(memo._bytes for memo in memos) > MAX_BYTES:
                min(memos, key=_Memo._oldest)._forget_oldest()

    def _oldest(self) -> float:
        """Return the time of the use that is longest ago."""
        return next(iter(self._known.values()))[0] if self._known else math.inf

    def _forget_oldest(self) -> None:
        _, (_, oldest) = self._known.popitem(last=False)
        self._bytes -= cost(*oldest.forecast.quantiles.shape)


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
    freq: Any = None,
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
        Covariates. Warnings about them are given once of each kind, when a forecast is computed,
        not when it is recalled.
    freq : str, pandas offset or int, or list of them, optional
        As for the pipeline. A warning about it is given as those about covariates are.

    Returns
    -------
    Forecast
        Its quantiles are read-only. It has no report of covariates. `Forecast.sample_paths` draws
        the paths of the pipeline's own forecast, also of equal series.

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
    leaves_out = unobserved == "nan" and on_error == "raise"
    network, width = pipeline.network, _width_of(pipeline, len(series))
    question = Question(series, horizon, tables, freq).read_by(network)
    rows = _distinct(question, options, width, leaves_out)
    memo = _memo_of(pipeline)
    answer = memo.recall(rows.key)
    if answer is None or (answer.forecast.failures and on_error == "raise"):
        answer = _compute(pipeline, rows.question, rows.numbers, options, on_error)
        memo.remember(rows.key, answer)
    (blank,) = calibration_of(network, [_NOTHING], horizon)
    every = as_frequencies(freq, len(series))
    dependence = Dependence.of(pipeline.key.name, rows.scattered_keys(answer.keys), every)
    found = rows.scattered(answer.forecast, tables, blank)
    return dataclasses.replace(found, dependence=dependence)


def prefetch(
    pipeline: ForecastPipeline,
    questions: Iterable[Question],
    options: ForecastOptions = DEFAULT,
    on_error: str = "raise",
) -> None:
    """Answer many questions in one batch for each horizon, for `predict` to recall.

    `predict` then recalls the forecasts that it would have computed, up to the rounding of the
    batch. If the memory cannot hold all answers, the last questions are left to `predict`.

    Parameters
    ----------
    pipeline : ForecastPipeline
    questions : iterable of Question
    options : ForecastOptions
    on_error : {"raise", "nan"}
        As `predict` will be called with.
    """
    memo, n_levels = _memo_of(pipeline), len(pipeline.network.config.quantiles)
    room, values = MAX_BYTES, 0
    unknown: dict[Hashable, Question] = {}
    with warned_once():
        for question in questions:
            width = _width_of(pipeline, len(question.series))
            rows = _distinct(question.read_by(pipeline.network), options, width)
            room -= cost(len(rows.numbers), question.horizon, n_levels)
            if room < 0:
                break  # the last answers would push out the first ones before they are asked for
            if memo.recall(rows.key) is None and rows.key not in unknown:
                own = [values.copy() for values in rows.question.series]  # of views of much data
                unknown[rows.key] = rows.question._replace(series=own)
                values += sum(rows.question.sizes())
            if values > _MOST_VALUES:
                _answer(pipeline, unknown, options, on_error)
                unknown, values = {}, 0
        _answer(pipeline, unknown, options, on_error)


def _answer(
    pipeline: ForecastPipeline,
    questions: dict[Hashable, Question],
    options: ForecastOptions,
    on_error: str,
) -> None:
    """Compute and remember the answers to questions; all of one horizon and kind together."""
    groups: dict[Hashable, dict[Hashable, Question]] = {}
    for key, question in questions.items():
        kind = None if question.tables is None else question.tables.kind
        groups.setdefault((question.horizon, kind), {})[key] = question
    for asked in groups.values():
        first, *others = asked.values()
        whole = first.joined(others)
        found, keys = _compute(pipeline, whole, range(len(whole.series)), options, on_error)
        start = 0
        for key, question in asked.items():
            stop = start + len(question.series)
            failures = {i - start: why for i, why in found.failures.items() if start <= i < stop}
            own = Forecast(
                found.quantiles[start:stop].copy(),
                found.levels,
                failures,
                calibration=found.calibration[start:stop],
                nonnegative=found.nonnegative[start:stop],
            )
            _memo_of(pipeline).remember(key, Answer(own, keys[start:stop]))
            start = stop


def _memo_of(pipeline: ForecastPipeline) -> _Memo:
    network = pipeline.network
    with _lock:
        return _memos.setdefault(network, _Memo())


def _width_of(pipeline: ForecastPipeline, n_series: int) -> int:
    """Return the number of series that the network reads as one row."""
    pipeline.check_number(n_series)
    return width_of(pipeline.network.config)


class _Rows(NamedTuple):
    """The different rows of a question, whatever is missing before their first value.

    A row is a series, or the series that the network reads together.
    """

    key: Hashable
    question: Question
    numbers: list[int]  # of the series of the first rows that are different
    row_of_series: NDArray[np.intp]  # place of its equal among them; -1 if it is left out

    def scattered(self, forecast: Forecast, tables: Tables | None, blank: str) -> Forecast:
        """Return the forecast of the series from the forecast of the rows.

        The calibration of a series that is left out is ``blank``.
        """
        rows = self.row_of_series
        if not forecast.failures and np.array_equal(rows, np.arange(len(self.numbers))):
            return forecast
        missing = np.full((1, *forecast.quantiles.shape[1:]), np.nan)
        quantiles = np.concatenate([forecast.quantiles, missing])[rows]
        quantiles.flags.writeable = False
        names, roles = (None, None) if tables is None else (tables.names, tables.roles)
        failures = {
            i: restated(forecast.failures[row], i if names is None else names[i], roles)
            for i, row in enumerate(rows.tolist())
            if row in forecast.failures
        }
        calibration = tuple((*forecast.calibration, blank)[row] for row in rows.tolist())
        nonnegative = np.append(forecast.nonnegative, False)[rows]
        more: dict[str, Any] = {"calibration": calibration, "nonnegative": nonnegative}
        return Forecast(quantiles, forecast.levels, failures, **more)

    def scattered_keys(self, keys: Sequence[int]) -> list[int]:
        """Return the keys of the series from those of the rows; any key for one left out."""
        of_rows = *keys, 0
        return [of_rows[row] for row in self.row_of_series.tolist()]


def _distinct(
    question: Question, options: ForecastOptions, width: int, leaves_out: bool = False
) -> _Rows:
    """Find the different rows, in their order.

    Those with a series without any value may be left out.
    """
    if options.ignores_covariates:
        question = question._replace(tables=None)
    row_of: dict[bytes, int] = {}
    numbers: list[int] = []
    row_of_series = np.full(len(question.series), -1)
    for row in grouped(range(len(question.series)), width):
        if leaves_out and any(np.isnan(question.series[i]).all() for i in row):
            continue
        digest = b"".join(_digest(question, i) for i in row)
        place = row_of.setdefault(digest, len(row_of))
        row_of_series[row[0] : row[-1] + 1] = np.arange(len(row)) + place * width
        if len(row_of) * width > len(numbers):
            numbers.extend(row)
    key = hashlib.blake2b(b"".join(row_of), digest_size=16).digest(), question.horizon, options
    return _Rows(key, question.take(numbers), numbers, row_of_series)


def _digest(question: Question, number: int) -> bytes:
    """Return a digest of a series from its first value on, and of what stands beside it."""
    observed = np.ascontiguousarray(from_first_observed(question.series[number]))
    digest = hashlib.blake2b(observed.data, digest_size=16).digest()
    if question.tables is not None:
        digest += question.tables.digest(number)
    if question.frequencies is not None:
        digest += repr(question.frequencies[number].minutes).encode()
    return digest


def _compute(
    pipeline: ForecastPipeline,
    question: Question,
    numbers: Sequence[int],
    options: ForecastOptions,
    on_error: str,
) -> Answer:
    """Call the pipeline, piece by piece if there is much data.

    `numbers` are those of the caller, which errors and warnings show if the series have no names.
    """
    levels = pipeline.network.config.quantiles
    if not len(question.series):
        return Answer(Forecast(np.empty((0, question.horizon, len(levels))), levels), ())
    sizes = np.cumsum(question.sizes())
    bounds = np.searchsorted(sizes, np.arange(0, max(1, sizes[-1]), _MOST_VALUES))
    width = width_of(pipeline.network.config)
    bounds = np.unique(bounds // width * width)
    quantiles: list[FloatArray] = []
    nonnegative: list[NDArray[np.bool_]] = []
    failures: dict[int, str] = {}
    calibration: tuple[str, ...] = ()
    keys: tuple[int, ...] = ()
    with warned_once(), quietly():
        for start, stop in pairwise([*bounds.tolist(), len(sizes)]):
            series, horizon, tables, freq = question.take(range(start, stop))
            names: Sequence[str | int] = numbers[start:stop]
            arguments = options.arguments | ({} if freq is None else {"freq": freq})
            if tables is not None:
                names, arguments = tables.names or names, arguments | tables.arguments
            with series_called(names, None if tables is None else tables.roles):
                part = pipeline.predict(series, horizon, **arguments, on_error=on_error)
            quantiles.append(part.quantiles)
            nonnegative.append(part.nonnegative)
            failures |= {start + i: reason for i, reason in part.failures.items()}
            calibration += part.calibration
            keys += () if part.dependence is None else part.dependence.keys
    whole = quantiles[0] if len(quantiles) == 1 else np.concatenate(quantiles)
    more: dict[str, Any] = {"calibration": calibration, "nonnegative": np.concatenate(nonnegative)}
    return Answer(Forecast(whole, levels, failures, **more), keys)
