"""The parameters that estimators of all frameworks share, and the values made from them.

An estimator names a network (``model_path``, ``adapter`` …), the options of a forecast
(``context_length``, ``rollout`` …) and perhaps a ``tuning``. The functions here check these
parameters, and turn them into a `ForecastPipeline`, a `ForecastOptions` and a finetuned `Adapter`.

Some parameters may have another form in an estimator. It then has the attribute
``_device_parameter``, the name of the parameter that is else ``device_map``; ``_model_type``, the
family of a ``config`` that does not name one; or the method ``_settings_of_tuning``, which returns
what is else the parameter ``tuning``.
"""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Callable, Mapping
from typing import Any

from timer_forecaster.adapters.adapter import Adapter, as_adapter
from timer_forecaster.adapters.base import Base
from timer_forecaster.checkpoints.key import NetworkKey
from timer_forecaster.finetuning.config import FinetuneConfig
from timer_forecaster.finetuning.errors import NothingToTuneError
from timer_forecaster.finetuning.guards import TuningWarning
from timer_forecaster.finetuning.tuner import with_target
from timer_forecaster.inference.options import ForecastOptions
from timer_forecaster.inference.pipeline import ForecastPipeline


def pipeline_of(estimator: Any) -> ForecastPipeline:
    """Return the pipeline that the parameters of an estimator name; its network is not loaded yet.

    Its adapter is ``adapter_``, which the estimator has finetuned, or else the parameter
    ``adapter``.

    Raises
    ------
    ValueError, TypeError
        Naming the parameter that cannot be used.
    """
    device = getattr(estimator, "_device_parameter", "device_map")
    key = NetworkKey.resolve(
        estimator.model_path,
        estimator.revision,
        getattr(estimator, device),
        estimator.dtype,
        _config_of(estimator),
        estimator.quantization_config,
        estimator.quantization,
        device_argument=device,
    )
    given = as_adapter(estimator.adapter)
    return ForecastPipeline(key, getattr(estimator, "adapter_", given))


def _config_of(estimator: Any) -> Any:
    """Return the parameter ``config``; one that names no family is of the family of the class."""
    config, model_type = estimator.config, getattr(estimator, "_model_type", None)
    if model_type is None or not isinstance(config, Mapping):
        return config
    return {"model_type": model_type, **config}


def tuning_of(estimator: Any) -> FinetuneConfig | None:
    """Return how an estimator is finetuned in `fit`; None if it is not.

    Raises
    ------
    ValueError, TypeError
        Naming the parameter that cannot be used.
    """
    check_tuning(estimator.tuning)
    settings = getattr(estimator, "_settings_of_tuning", None)
    return estimator.tuning if settings is None else settings()


def options_of(estimator: Any) -> ForecastOptions:
    """Return the options of a forecast that an estimator has as parameters, checked."""
    names = [field.name for field in dataclasses.fields(ForecastOptions)]
    return ForecastOptions(**{name: getattr(estimator, name) for name in names})


def check_parameters(estimator: Any) -> None:
    """Check all parameters that estimators share.

    No network is loaded, and nothing is downloaded where there is no adapter.

    Raises
    ------
    ValueError, TypeError
        Naming the parameter that cannot be used.
    """
    options_of(estimator)
    tuning_of(estimator)
    check_pipeline(estimator)


def check_pipeline(estimator: Any) -> None:
    """Check the parameters that `pipeline_of` reads, and that the adapter fits the checkpoint."""
    pipe = pipeline_of(estimator)
    if pipe.adapter is not None:
        pipe.adapter.check_base(pipe.key)


def check_tuning(tuning: Any) -> None:
    """Check that the parameter ``tuning`` is None or a `FinetuneConfig`."""
    if tuning is not None and not isinstance(tuning, FinetuneConfig):
        raise TypeError(
            f"tuning={tuning!r} must be a timer_forecaster.finetuning.FinetuneConfig, or None to "
            "tune nothing in fit"
        )


def tuned(estimator: Any, tune: Callable[..., Adapter], *data: Any) -> Adapter:
    """Finetune the pipeline of an estimator by its parameter ``tuning``.

    Windows are as long as the ``context_length`` of the estimator, and are read in its
    ``quality``, unless ``tuning`` has its own.
    Frameworks fit to any data, such as the first fold of a backtest. So data that are too short,
    or do not vary, are no error here, as they are in `finetune`: a warning says that the pipeline
    stays as it was.

    Parameters
    ----------
    estimator : estimator with the parameters of `pipeline_of`, ``context_length`` and ``tuning``
    tune : callable
        `finetune` or `finetune_windows`.
    *data
        The data that `tune` takes.

    Returns
    -------
    Adapter

    Warns
    -----
    TuningWarning
        If the data left nothing to finetune.
    """
    pipe = pipeline_of(estimator)
    config = with_target(pipe, tuning_of(estimator) or FinetuneConfig(target=_target_of(pipe)))
    if config.context_length is None:
        config = dataclasses.replace(config, context_length=estimator.context_length)
    if config.quality is None:
        config = dataclasses.replace(config, quality=options_of(estimator).quality)
    try:
        return tune(pipe, *data, config)
    except NothingToTuneError as reason:
        warnings.warn(f"{reason}; the checkpoint stays as it was", TuningWarning, stacklevel=3)
        target = str(with_target(pipe, config).target)
        return pipe.adapter or Adapter(Base.of(pipe.key), target, {})


def _target_of(pipe: ForecastPipeline) -> str | None:
    """Return the target of the pipeline's adapter, or None if it changes nothing."""
    if pipe.adapter is None or pipe.adapter.is_identity:
        return None
    return pipe.adapter.target
