"""Run the models of a backtest over its windows."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping

import numpy as np
from tqdm.auto import tqdm

from timer_forecaster import __version__
from timer_forecaster.backtesting.baselines import models_of
from timer_forecaster.backtesting.data import Data
from timer_forecaster.backtesting.models import Answer, Model
from timer_forecaster.backtesting.notes import warn_of_notes
from timer_forecaster.backtesting.parts import Parts
from timer_forecaster.backtesting.result import BacktestResult
from timer_forecaster.backtesting.settings import BacktestSettings, Way
from timer_forecaster.backtesting.windows import Windows, lay_windows
from timer_forecaster.failures import Failures, reasons_with_names, series_called
from timer_forecaster.inference.channels import check_rows, width_of
from timer_forecaster.inference.covariates.warning import warned_once
from timer_forecaster.inference.pipeline import ForecastPipeline


def run(
    pipeline: ForecastPipeline, data: Data, settings: BacktestSettings, way: Way
) -> BacktestResult:
    """Forecast all windows of series by a pipeline and its baselines.

    Parameters
    ----------
    pipeline : ForecastPipeline
    data : Data
    settings : BacktestSettings
    way : Way

    Raises
    ------
    ValueError
        If no series has a window, or with ``on_error="raise"`` if the pipeline cannot forecast
        one.
    """
    models = models_of(pipeline, way.options, way.baselines)
    config = pipeline.network.config
    data = _in_rows(data, width_of(config), way.on_error)
    windows = lay_windows(
        data.series,
        settings,
        reads=way.options.longest_context(config),
        width=width_of(config),
        without=data.failures,
    )
    if not len(windows):
        raise ValueError(_without_windows(data, settings))
    texts = {name: model.settings() if way.parts else "" for name, model in models.items()}
    parts = Parts(way.parts, _shared(data, settings, windows) if way.parts else {}, texts)
    answers = {}
    total = len(models) * len(windows)
    with (
        tqdm(total=total, disable=not way.progress, unit="window", desc="backtest") as bar,
        warned_once(),
    ):
        for place, (name, model) in enumerate(models.items()):
            bar.set_postfix_str(name)
            raises = place == 0 and way.on_error == "raise"
            answers[name] = _answer(model, data, windows, settings, parts, bar, raises)
    quantiles = {name: model.has_quantiles for name, model in models.items()}
    result = BacktestResult(data, windows, settings, answers, quantiles)
    warn_of_notes(result.gaps)
    return result


def _in_rows(data: Data, width: int, on_error: str) -> Data:
    """Return the data, with the failures of series that do not fit into the rows of a network."""
    failures, names = Failures(on_error), data.labels.names
    for number, reason in data.failures.items():
        failures.reasons[number] = reason
    with series_called(names):
        check_rows(data.series, width, failures)
    reasons = reasons_with_names(failures.by_number(), names.__getitem__)
    return dataclasses.replace(data, failures=reasons)


def _answer(
    model: Model,
    data: Data,
    windows: Windows,
    settings: BacktestSettings,
    parts: Parts,
    bar: tqdm,
    raises: bool,
) -> Answer:
    """Return the forecasts of all windows by one model."""
    order = windows.in_rows(model.width)
    quantiles = np.empty((len(windows), windows.horizon, len(settings.levels)))
    reasons: dict[int, str] = {}
    for start in range(0, len(windows), model.together):
        rows = order[start : start + model.together]
        stop = start + len(rows)
        found = parts.load(model.name, start, stop)
        if found is None:
            found = model.forecast(data, windows, rows.tolist(), settings.levels)
            parts.save(model.name, start, stop, found)
        if found.reasons and raises:
            place, reason = next(iter(found.reasons.items()))
            name = data.labels.window_name(
                int(windows.number[rows[place]]), int(windows.origin[rows[place]])
            )
            text = reason if reason.startswith(name) else f"{name}: {reason}"
            raise ValueError(f"{text}; on_error='nan' leaves it out")
        quantiles[rows] = found.quantiles
        reasons |= {int(rows[place]): reason for place, reason in found.reasons.items()}
        bar.update(len(rows))
    return Answer(quantiles, reasons)


def _shared(data: Data, settings: BacktestSettings, windows: Windows) -> Mapping[str, str]:
    """Return what all models of a backtest have in common, as texts."""
    places = np.stack([windows.number, windows.origin]).tolist()
    return {
        "data": data.fingerprint(),
        "settings": repr(settings),
        "windows": hashlib.blake2b(str(places).encode(), digest_size=16).hexdigest(),
        "version of timer-forecaster": __version__,
    }


def _without_windows(data: Data, settings: BacktestSettings) -> str:
    """Return the error of series that are all too short."""
    steps = max((len(values) for values in data.series), default=0)
    text = (
        f"no series has a window: a window of {settings.horizon} steps needs "
        f"{settings.min_history} steps before it, with a value in both, and the longest series has "
        f"{steps}; use a shorter horizon or a smaller min_history"
    )
    first = next(iter(data.failures.items()), None)
    if first is not None and len(data.failures) == len(data.series):
        return f"no series can be forecast; {data.labels.names[first[0]]}: {first[1]}"
    return text
