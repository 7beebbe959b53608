"""The models of a backtest, from what a user names."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from timer_forecaster.backtesting import sktime_models
from timer_forecaster.backtesting.models import (
    NAIVE,
    SEASONAL_NAIVE,
    FunctionModel,
    Model,
    NaiveModel,
    PipelineModel,
)
from timer_forecaster.inference.options import ForecastOptions
from timer_forecaster.inference.pipeline import ForecastPipeline


def models_of(
    pipeline: ForecastPipeline, options: ForecastOptions, baselines: Any
) -> dict[str, Model]:
    """Return the pipeline, Seasonal Naive and other baselines by their names, in this order.

    Parameters
    ----------
    pipeline : ForecastPipeline
    options : ForecastOptions
        Of all pipelines.
    baselines : str, sequence, mapping or single baseline
        As in `ForecastPipeline.backtest_frame`.

    Raises
    ------
    ValueError, TypeError
        If a baseline is none, or two models have one name.
    ImportError
        If a baseline needs a package that is not installed.
    """
    models: list[Model] = [PipelineModel.of(pipeline, options), NaiveModel()]
    for name, given in _named(baselines):
        if isinstance(given, str) and given == SEASONAL_NAIVE and name in (None, SEASONAL_NAIVE):
            continue  # it takes part in any case
        model = _model_of(given, name, options)
        if model.width not in (1, models[0].width):
            raise ValueError(
                f"baselines: {model.name} reads {model.width} series as one row, and "
                f"{models[0].name} reads {models[0].width}; backtest each by itself"
            )
        models.append(model)
    found: dict[str, Model] = {}
    for model in models:
        if model.name in found:
            raise ValueError(
                f"baselines: two models are named {model.name!r}; pass a mapping from other "
                "names to baselines"
            )
        found[model.name] = model
    return found


def _named(baselines: Any) -> list[tuple[str | None, Any]]:
    """Return what a user gives as baselines, with their names if they have some."""
    if baselines is None:
        return []
    if isinstance(baselines, Mapping):
        return [(str(name), given) for name, given in baselines.items()]
    if isinstance(baselines, str) or not isinstance(baselines, Sequence):
        baselines = [baselines]
    return [(None, given) for given in baselines]


def _model_of(given: Any, name: str | None, options: ForecastOptions) -> Model:
    """Return the model that a user names, or has made."""
    if isinstance(given, str):
        if given in (NAIVE, SEASONAL_NAIVE):
            return NaiveModel(name or given, given)
        return sktime_models.of_name(given, name)
    if isinstance(given, ForecastPipeline):
        model = PipelineModel.of(given, options)
        return PipelineModel(name or model.name, given, options)
    if sktime_models.is_forecaster(given):
        return sktime_models.of_instance(given, name)
    if callable(given) and not inspect.isclass(given):
        return FunctionModel(name or _name_of(given), given)
    raise TypeError(
        f"baselines: {given!r} is neither a name, such as 'AutoETS', nor an instance of a "
        "forecaster of sktime, a ForecastPipeline or a function of (contexts, horizon)"
    )


def _name_of(function: Any) -> str:
    name = getattr(function, "name", None) or getattr(function, "__name__", None)
    return str(name or type(function).__name__)
