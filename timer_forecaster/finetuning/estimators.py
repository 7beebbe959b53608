"""Tuning inside estimators, which come across data that nothing can be learnt from."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Callable
from typing import Any

from timer_forecaster.finetuning.config import FinetuneConfig
from timer_forecaster.finetuning.guards import NothingToTune, TuningWarning
from timer_forecaster.inference.adapters import Adapter, Base
from timer_forecaster.inference.pipeline import ForecastPipeline, pipeline_of


def tuned(estimator: Any, tune: Callable[..., Adapter], *data: Any) -> Adapter:
    """Tune the pipeline of an estimator by its parameter ``tuning``.

    It is tuned for the ``context_length`` of the estimator where ``tuning`` says no other.
    Frameworks fit to whatever there is, such as the first fold of a backtest: data that are too
    short or do not vary leave the pipeline as it was, with a warning, where `finetune` refuses
    them.

    Parameters
    ----------
    estimator : estimator with the parameters that `pipeline_of` reads, and ``tuning``
    tune : callable
        `finetune` or `finetune_windows`.
    *data
        What it takes.

    Warns
    -----
    TuningWarning
        If the tuning changed nothing.
    """
    pipe = pipeline_of(estimator)
    config = estimator.tuning or FinetuneConfig(target=_target_of(pipe))
    if config.context_length is None:
        config = dataclasses.replace(config, context_length=estimator.context_length)
    try:
        return tune(pipe, *data, config)
    except NothingToTune as reason:
        warnings.warn(f"{reason}; the checkpoint stays as it was", TuningWarning, stacklevel=3)
        return pipe.adapter or Adapter(Base.of(pipe.key), config.target, {})


def _target_of(pipe: ForecastPipeline) -> str:
    """Tell what is tuned where no settings say so: what was tuned before."""
    if pipe.adapter is None or pipe.adapter.is_identity:
        return FinetuneConfig.target
    return pipe.adapter.target
