"""Tuning inside estimators, which come across data that nothing can be learnt from."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Callable
from typing import Any

from timer_forecaster.adapters.adapter import Adapter, as_adapter
from timer_forecaster.adapters.base import Base
from timer_forecaster.checkpoints.key import NetworkKey
from timer_forecaster.finetuning.config import FinetuneConfig
from timer_forecaster.finetuning.guards import NothingToTuneError, TuningWarning
from timer_forecaster.inference.options import ForecastOptions
from timer_forecaster.inference.pipeline import ForecastPipeline


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
    except NothingToTuneError as reason:
        warnings.warn(f"{reason}; the checkpoint stays as it was", TuningWarning, stacklevel=3)
        return pipe.adapter or Adapter(Base.of(pipe.key), config.target, {})


def _target_of(pipe: ForecastPipeline) -> str:
    """Tell what is tuned where no settings say so: what was tuned before."""
    if pipe.adapter is None or pipe.adapter.is_identity:
        return FinetuneConfig.target
    return pipe.adapter.target


def options_of(estimator: Any) -> ForecastOptions:
    """Collect and check the options of a forecast that an estimator has as parameters."""
    names = [field.name for field in dataclasses.fields(ForecastOptions)]
    return ForecastOptions(**{name: getattr(estimator, name) for name in names})


def pipeline_of(estimator: Any) -> ForecastPipeline:
    """Check the parameters of an estimator that name a network; it is loaded at its first use.

    The adapter is the one that the estimator has learnt, ``adapter_``, else the one it was given.
    """
    key = NetworkKey.resolve(
        estimator.model_path,
        estimator.revision,
        estimator.device_map,
        estimator.dtype,
        estimator.config,
        estimator.quantization_config,
        estimator.quantization,
        device_argument="device_map",
    )
    given = as_adapter(estimator.adapter)
    return ForecastPipeline(key, getattr(estimator, "adapter_", given))


def check_pipeline(estimator: Any) -> None:
    """Check what `pipeline_of` does, and that the adapter is of the checkpoint.

    No network is loaded, and nothing is downloaded where there is no adapter.
    """
    pipe = pipeline_of(estimator)
    if pipe.adapter is not None:
        pipe.adapter.check_base(pipe.key)


def check_tuning(tuning: Any) -> None:
    """Check the parameter ``tuning`` of an estimator: None, or a `FinetuneConfig`."""
    if tuning is not None and not isinstance(tuning, FinetuneConfig):
        raise TypeError(
            f"tuning={tuning!r} must be a timer_forecaster.finetuning.FinetuneConfig, or None to "
            "tune nothing in fit"
        )
