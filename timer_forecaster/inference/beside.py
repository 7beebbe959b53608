"""Forecasts with covariates, remembered beside the network as other forecasts are."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from timer_forecaster.arrays import FloatArray
from timer_forecaster.failures import quietly
from timer_forecaster.inference import memo
from timer_forecaster.inference.covariates.report import CovariateReport
from timer_forecaster.inference.covariates.warning import series_called
from timer_forecaster.inference.forecast import Forecast
from timer_forecaster.inference.options import ForecastOptions
from timer_forecaster.inference.pipeline import ForecastPipeline

_MOST_VALUES = 2**20  # in one call of the pipeline, which makes many rows of each series

Table = Mapping[Hashable, Any]


class Question(NamedTuple):
    """Series to forecast together, with a table of covariates for each."""

    series: Sequence[FloatArray]
    horizon: int
    known: Sequence[Table]
    past: Sequence[Table]
    cycles: Sequence[tuple[float, ...]]
    names: Sequence[str]
    """Names of the series in warnings."""

    def key(self, options: ForecastOptions, on_error: str) -> Hashable:
        """Return the key of the forecast, which differs from all keys of plain forecasts."""
        digest = hashlib.blake2b(digest_size=16)
        for values in self.series:
            digest.update(f"series {len(values)};".encode())
            digest.update(np.ascontiguousarray(values).data)
        for table in (*self.known, *self.past):
            digest.update(f"table {len(table)};".encode())
            for name, values in table.items():
                digest.update(f"column {name!r} {len(values)} {values.dtype};".encode())
                text = values.dtype == object
                digest.update(repr(values.tolist()).encode() if text else values.tobytes())
        cycles = tuple(map(tuple, self.cycles))
        return digest.digest(), self.horizon, options, cycles, on_error, "covariates"


def predict(
    pipeline: ForecastPipeline,
    question: Question,
    options: ForecastOptions,
    on_error: str = "raise",
) -> Forecast:
    """Forecast as `ForecastPipeline.predict` does, or recall the same forecast.

    Parameters
    ----------
    pipeline : ForecastPipeline
    question : Question
    options : ForecastOptions
    on_error : {"raise", "nan"}
        As for the pipeline. No warning of failures is given: `Forecast.failures` has the reasons.

    Returns
    -------
    Forecast
        Its quantiles are read-only.
    """
    known, key = memo.memo_of(pipeline), question.key(options, on_error)
    forecast = known.recall(key)
    if forecast is None:
        forecast = _compute(pipeline, question, options, on_error)
        known.remember(key, forecast)
    return forecast


def prefetch(
    pipeline: ForecastPipeline,
    questions: Iterable[Question],
    options: ForecastOptions,
    on_error: str = "raise",
) -> None:
    """Answer many questions in few large calls, for `predict` to recall.

    Parameters
    ----------
    pipeline : ForecastPipeline
    questions : iterable of Question
    options : ForecastOptions
    on_error : {"raise", "nan"}
        As `predict` will be called with. If the memory cannot hold all answers, the last questions
        are left to `predict`.
    """
    known, n_levels = memo.memo_of(pipeline), len(pipeline.network.config.quantiles)
    room, values = memo.MAX_BYTES, 0
    unknown: dict[Hashable, Question] = {}
    for question in questions:
        columns = sum(map(len, (*question.known, *question.past)))
        rows = n_levels * len(question.series) + columns
        room -= 8 * question.horizon * rows + memo.ENTRY_BYTES
        if room < 0:
            break
        key = question.key(options, on_error)
        if known.recall(key) is None and key not in unknown:
            unknown[key] = question
            values += sum(map(len, question.series))
        if values > _MOST_VALUES:
            _answer(pipeline, unknown, options, on_error)
            unknown, values = {}, 0
    _answer(pipeline, unknown, options, on_error)


def _answer(
    pipeline: ForecastPipeline,
    questions: Mapping[Hashable, Question],
    options: ForecastOptions,
    on_error: str,
) -> None:
    """Compute and remember the answers to questions; all questions of one horizon together."""
    known = memo.memo_of(pipeline)
    for horizon in sorted({question.horizon for question in questions.values()}):
        asked = {key: one for key, one in questions.items() if one.horizon == horizon}
        parts = zip(*((one.series, *one[2:]) for one in asked.values()), strict=True)
        series, *others = ([item for items in part for item in items] for part in parts)
        whole = Question(series, horizon, *others)
        forecast = _compute(pipeline, whole, options, on_error)
        start = 0
        for key, question in asked.items():
            stop = start + len(question.series)
            known.remember(key, _part(forecast, start, stop))
            start = stop


def _compute(
    pipeline: ForecastPipeline, question: Question, options: ForecastOptions, on_error: str
) -> Forecast:
    with quietly(), series_called(question.names):
        return pipeline.predict(
            question.series,
            question.horizon,
            **options.arguments,
            on_error=on_error,
            known=_or_none(question.known),
            past=_or_none(question.past),
            cycles=question.cycles,
        )


def _or_none(tables: Sequence[Table]) -> list[Table] | None:
    """Return tables; None if none has a column."""
    return list(tables) if any(tables) else None


def _part(forecast: Forecast, start: int, stop: int) -> Forecast:
    """Return the forecast of some of the series."""
    report = forecast.covariates
    failures = {i - start: why for i, why in forecast.failures.items() if start <= i < stop}
    quantiles = forecast.quantiles[start:stop].copy()
    if report is None:
        return Forecast(quantiles, forecast.levels, failures)
    return Forecast(quantiles, forecast.levels, failures, _part_of_report(report, start, stop))


def _part_of_report(report: CovariateReport, start: int, stop: int) -> CovariateReport:
    names = [field.name for field in dataclasses.fields(report) if field.name != "models"]
    return dataclasses.replace(
        report, **{name: getattr(report, name)[start:stop] for name in names}
    )
