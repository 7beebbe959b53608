"""Backtests: all windows at once for a model that is not finetuned, or Darts' own loop.

Darts' loop makes and fits a new model for each window. Without finetuning all these models are
equal, so that one model forecasts all windows in batches.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

from timer_forecaster.darts.arguments import refuse_masks
from timer_forecaster.darts.covariates import encodes_alike, first_with_covariates
from timer_forecaster.darts.framework import (
    FoundationModel,
    TimeSeries,
    _get_historical_forecasts_setup,
    series2seq,
)
from timer_forecaster.inference.covariates.warning import warn_of_covariates

# Options of a backtest that a fitted model does not use.
_TRAINING_OPTIONS = (
    "retrain",
    "train_length",
    "val_length",
    "fit_kwargs",
    "sample_weight",
    "data_transformers",
)


def historical_forecasts(
    model: FoundationModel, loop: Callable[..., Any], *args: Any, **kwargs: Any
) -> Any:
    """Forecast from many points of the past by one model, or by Darts' loop where it does more.

    Parameters
    ----------
    model : FoundationModel
    loop : callable
        Darts' own method of the model.
    *args, **kwargs
        Its arguments.

    Returns
    -------
    TimeSeries, list of TimeSeries or list of lists of TimeSeries
        The result of ``loop``.
    """
    call = inspect.signature(loop).bind(*args, **kwargs)
    call.apply_defaults()
    options = dict(call.arguments)
    series = options.pop("series")
    covariates = {name: options[name] for name in ("past_covariates", "future_covariates")}
    refuse_masks(**covariates)
    if options["retrain"]:
        _warn_of_forgotten(model, covariates)
    many, beside = series2seq(series), {name: series2seq(one) for name, one in covariates.items()}
    if needs_loop(model, many, options):
        return loop(series, **options)
    model._historical_forecasts_sanity_checks(series, **options)
    kept = {name: value for name, value in options.items() if name not in _TRAINING_OPTIONS}
    options |= {name: given and given[0] for name, given in beside.items()}  # of the first
    start = _start_of_loop(model, many[0], options)
    first, covariates_of_first = first_with_covariates(many, **beside)
    frozen = model.untrained_model()
    frozen.fit(first, **covariates_of_first, **(options["fit_kwargs"] or {}))
    return frozen.historical_forecasts(series, **(kept | start), retrain=False)


def _warn_of_forgotten(model: FoundationModel, covariates: dict[str, Any]) -> None:
    """Warn of covariates of `fit` that a model trained anew does not have."""
    for name, given in covariates.items():
        if given is None and getattr(model, name.replace("covariates", "covariate_series")):
            warn_of_covariates(
                f"{name} of fit take no part: with retrain, Darts trains a new model on the "
                f"arguments of this call alone; pass {name} here too, or retrain=False"
            )


def needs_loop(model: FoundationModel, many: Sequence[TimeSeries], options: dict[str, Any]) -> bool:
    """Whether one model for all windows would not give the forecasts of Darts' loop.

    Without ``retrain`` there is one model in any case, and Darts' method forecasts in batches.
    """
    return (
        model._requires_training
        or not options["retrain"]
        or not encodes_alike(model.add_encoders)
        or _fits_to_each_window(many, options)
        or (not model._fit_called and _trains_on_a_choice(many, options))
    )


def _fits_to_each_window(many: Sequence[TimeSeries], options: dict[str, Any]) -> bool:
    """Whether Darts' loop fits to each window something that one model cannot share."""
    return (
        not options["enable_optimization"]
        or bool(options["data_transformers"])
        or len({(series.width, series.dtype) for series in many}) > 1
        or any(_are_unlike(options[name]) for name in ("past_covariates", "future_covariates"))
    )


def _are_unlike(covariates: TimeSeries | Sequence[TimeSeries] | None) -> bool:
    """Whether covariates differ in their numbers of components or types from series to series."""
    return len({(one.width, one.dtype) for one in series2seq(covariates) or []}) > 1


def _trains_on_a_choice(many: Sequence[TimeSeries], options: dict[str, Any]) -> bool:
    """Whether the windows of Darts' loop depend on the windows that it trains on.

    A function given as ``retrain`` may refuse to train. With several series, Darts leaves room for
    training sets in the first series only.
    """
    return callable(options["retrain"]) or (_is_limited(options) and len(many) > 1)


def _is_limited(options: dict[str, Any]) -> bool:
    return options["train_length"] is not None or options["val_length"] > 0


def _start_of_loop(
    model: FoundationModel, series: TimeSeries, options: dict[str, Any]
) -> dict[str, Any]:
    """Return the start of Darts' loop, if it leaves room for the training set of a new model."""
    beside = options["past_covariates"] or options["future_covariates"]
    limited = not model._fit_called and _is_limited(options)
    if beside is None and not limited:
        return {}
    options = options | {"show_warnings": limited and options["show_warnings"]}
    known = inspect.signature(_get_historical_forecasts_setup).parameters
    (first, _), *_ = _get_historical_forecasts_setup(
        model=model,
        series=series,
        series_idx=0,
        **{name: value for name, value in options.items() if name in known},
    )
    if not limited:
        return {}  # Darts has checked that there are windows with covariates
    after_the_end = first > series.end_time()
    return {"start": "end" if after_the_end else first, "start_format": "value"}
