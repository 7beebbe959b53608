"""TinyTimeMixer as a Darts model: its parameters."""

from __future__ import annotations

import os
from typing import Any

import torch

from timer_forecaster.adapters.adapter import Adapter
from timer_forecaster.checkpoints.registry import TTM_MINI
from timer_forecaster.darts.framework import QuantileRegression, add_safe_globals
from timer_forecaster.darts.pipeline_model import PipelineModel
from timer_forecaster.inference.covariates import CovariateOptions
from timer_forecaster.models.tuning import Tuned


class TinyTimeMixerModel(PipelineModel):
    """Forecasts from a TinyTimeMixer checkpoint, behind the interface of Darts' own models.

    All that `timer_forecaster.darts.TimerS1Model` says of forecasts, covariates, copies, files and
    backtests holds here too. Each component is forecast by itself.

    Parameters
    ----------
    input_chunk_length : int or tuple of int
        Newest steps to forecast from: at most 65,536 if the roll-out is multiscale, which
        ``"ttm-mini"`` prefers, if series are transformed (``quality``), or if the checkpoint has
        no quantiles, else the context of the checkpoint. ``(min, max)`` accepts series of any
        length from ``min`` on.
    output_chunk_length : int
        Steps to forecast; any number.
    output_chunk_shift : int
        Steps to leave out between the end of the series and the forecast.
    likelihood : QuantileRegression, optional
        Quantiles to forecast, of any levels. Default: the median alone.
    hub_model_name : str
        A name of `timer_forecaster.list_checkpoints`, a folder in the released layout, or a hub
        id.
    hub_model_revision, local_dir
        A branch, tag or commit of a hub id; a folder that replaces ``hub_model_name``.
    dtype, rollout, flip, batch_size, quantization, adapter, on_error, covariates, padding,
    quality, nonnegative
        As of `timer_forecaster.darts.TimerS1Model`.
    enable_finetuning : bool, str or dict, optional
        The weights that `fit` trains, in Darts' own Lightning loop: True for all, a target of
        `timer_forecaster.finetuning.FinetuneConfig`, or ``{"unfreeze": [patterns]}`` or
        ``{"freeze": [patterns]}`` of names of weights. None and False train nothing.
    **kwargs
        As for Darts' ``FoundationModel``; see `timer_forecaster.darts.TimerS1Model`.

    Raises
    ------
    ValueError, TypeError
        If a parameter cannot be used; the message names it.

    Examples
    --------
    >>> from darts.utils.likelihood_models import QuantileRegression
    >>> from darts.utils.timeseries_generation import sine_timeseries
    >>> from timer_forecaster.darts import TinyTimeMixerModel
    >>> series = sine_timeseries(length=200, value_frequency=0.05, column_name="level")
    >>> model = TinyTimeMixerModel(
    ...     input_chunk_length=(1, 128),
    ...     output_chunk_length=24,
    ...     likelihood=QuantileRegression([0.05, 0.5, 0.95]),
    ...     hub_model_name="ttm-test",
    ...     pl_trainer_kwargs={"enable_progress_bar": False},
    ... )
    >>> forecast = model.fit(series).predict(24, predict_likelihood_parameters=True)
    >>> forecast.components.to_list()
    ['level_q0.050', 'level_q0.500', 'level_q0.950']
    """

    def __init__(
        self,
        input_chunk_length: int | tuple[int, int],
        output_chunk_length: int,
        output_chunk_shift: int = 0,
        likelihood: QuantileRegression | None = None,
        hub_model_name: str | os.PathLike[str] = TTM_MINI,
        hub_model_revision: str | None = None,
        local_dir: str | os.PathLike[str] | None = None,
        dtype: str | torch.dtype = "auto",
        rollout: str = "auto",
        flip: bool = False,
        batch_size: int | None = None,
        quantization: str | None = None,
        enable_finetuning: Tuned | None = None,
        adapter: Adapter | str | os.PathLike[str] | None = None,
        on_error: str = "raise",
        covariates: str | CovariateOptions = "auto",
        padding: str = "mean",
        quality: str = "fast",
        nonnegative: bool | str = "auto",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)


add_safe_globals([TinyTimeMixerModel])  # Darts loads saved models of its own classes and of these
