"""Timer-S1 as a Darts model: its parameters."""

from __future__ import annotations

import os
from typing import Any

import torch

from timer_forecaster.adapters.adapter import Adapter
from timer_forecaster.checkpoints.registry import TIMER_S1_SMALL
from timer_forecaster.darts.framework import QuantileRegression, add_safe_globals
from timer_forecaster.darts.pipeline_model import PipelineModel
from timer_forecaster.inference.covariates import CovariateOptions
from timer_forecaster.models.tuning import Tuned


class TimerS1Model(PipelineModel):
    """Forecasts from a Timer-S1 checkpoint, behind the interface of Darts' own models.

    Forecasts are the forecasts of `timer_forecaster.ForecastPipeline`, component by component.
    Unless ``enable_finetuning`` asks for it, `fit` trains nothing and loads nothing. The first
    `predict` loads the network into a process-wide cache, which all models of the process share.
    Saved models hold no weights of the checkpoint. NaN in a series means a missing value; the
    forecast of a window without any observed value is NaN. Backtests of a model that is not
    finetuned cost the same with and without ``retrain``. Samples are drawn from one run of the
    network. Copies and pickles of a fitted model are fitted too.

    Past and future covariates, also of ``add_encoders``, take part as in the pipeline. The linear
    models learn in each window by itself. Static covariates are copied and not used.

    If ``n > output_chunk_length``, Darts feeds back medians or samples, and its last two chunks
    overlap. Choose ``output_chunk_length`` as long as the horizon instead. Beyond one pass of the
    network the roll-out is then the pipeline's, and ``predict_likelihood_parameters=True`` gives
    quantiles at any horizon.

    Parameters
    ----------
    input_chunk_length : int or tuple of int
        Newest steps to forecast from: at most 65,536 if the roll-out is multiscale, which
        ``"timer-s1-small"`` prefers, or if series are transformed (``quality``), else the context
        of the checkpoint. ``(min, max)`` accepts series of any length from ``min`` on.
    output_chunk_length : int
        Steps to forecast; any number.
    output_chunk_shift : int
        Steps to leave out between the end of the series and the forecast.
    likelihood : QuantileRegression, optional
        Quantiles to forecast, of any levels. Default: the median alone.
    hub_model_name : str
        A name of `timer_forecaster.list_checkpoints`, a folder in the released layout, or a hub
        id.
    hub_model_revision : str, optional
        Branch, tag or commit of a hub id.
    local_dir : str or Path, optional
        Folder with a checkpoint, which replaces ``hub_model_name``.
    dtype : str or torch.dtype
        Type that the network computes in. It does not depend on the type of the series or on
        Lightning's precision. See `timer_forecaster.ForecastPipeline.from_pretrained`.
    rollout : {"auto", "quantile", "median", "multiscale"}
        How to continue beyond one pass; see `timer_forecaster.ForecastPipeline.predict`.
    flip : bool
        Average with the mirror image of the forecast of the negative series, at twice the cost.
    batch_size : int, optional
        Windows that Darts hands over at once; in finetuning, the windows of a step. Default: 256,
        and 32 with ``enable_finetuning``. The network forecasts in batches of its own. If windows
        are very long, a smaller number takes less memory and more time.
    quantization : {"int8"}, optional
        ``"int8"`` computes the experts in 8-bit integers on a CPU; see
        `timer_forecaster.ForecastPipeline.from_pretrained`.
    enable_finetuning : bool, str or dict, optional
        The weights that `fit` trains, in Darts' own Lightning loop. The other weights do not
        change, and are shared. None and False train nothing. A string is a target of
        `timer_forecaster.finetuning.FinetuneConfig`, such as ``"head"``. As for Darts' own models,
        True trains all weights, as ``"full"`` does, and ``{"unfreeze": [patterns]}`` and
        ``{"freeze": [patterns]}`` choose by the names of the network's weights. See Notes.
    adapter : Adapter, str or Path, optional
        Weights to forecast with, or to start finetuning from: the result of
        `timer_forecaster.finetuning.finetune` or the `adapter` of another model, for the same
        checkpoint, or the folder or hub id of an adapter. A folder or hub id is read when the model
        is made.
    on_error : {"raise", "nan"}
        Reaction to a window that cannot be forecast, because a value is infinite or the forecast is
        beyond the range of floats, or because a covariate cannot be used. ``"nan"`` forecasts the
        other windows of the batch, has NaN in place of the bad ones, and warns of them.
    covariates : {"auto", "always", "fast", "off"} or CovariateOptions
        How past and future covariates take part, if there are any; see
        `timer_forecaster.ForecastPipeline.predict`. Linear models learn in each window by itself
        what covariates say. So a long ``input_chunk_length`` helps, and `fit` learns nothing. A
        window whose check is impossible, because it is short, is forecast without covariates.
    padding : {"mean", "released"}
        Values before a window that is shorter than the only context of a TinyTimeMixer; see
        `timer_forecaster.ForecastPipeline.predict`.
    quality : {"fast", "best", "plain"}
        How much work goes into a forecast; see `timer_forecaster.ForecastPipeline.predict`.
    nonnegative : {"auto", True, False}
        Whether forecasts are never negative; see `timer_forecaster.ForecastPipeline.predict`.
    **kwargs
        As for Darts' ``FoundationModel``, for example ``pl_trainer_kwargs``. Draws repeat only if
        ``random_state`` is given, here or to `predict`: unlike Darts' own models, this one takes no
        seed from numpy's global state. Without ``enable_finetuning``, parameters of training
        (``n_epochs``, ``loss_fn``, ``optimizer_kwargs`` and so on) change nothing, as in Darts' own
        zero-shot models. ``use_reversible_instance_norm`` never changes anything, because every
        window is standardized already, in float64.

    Raises
    ------
    ValueError, TypeError
        If a parameter cannot be used; the message names it. Examples are a likelihood that is not a
        ``QuantileRegression``, a half precision in ``pl_trainer_kwargs``, which
        would round the series, a pattern that matches no weight, and ``loss_fn`` with finetuning.

    Notes
    -----
    Finetuning uses the loss that the checkpoint was trained by, for ``train_loss`` and
    ``val_loss``. It covers all levels of the network, whatever the likelihood is. Its unit is the
    scale of each window's standardized context, so that large series and large components do not
    outweigh small ones. It is the mean over all windows and components. Missing values after a
    window do not count, and neither do the values after a constant window. One pass of the network
    is trained: steps of ``output_chunk_length`` beyond it are rolled out, and are not trained. The
    optimizer is Darts' default, Adam at 1e-3, unless ``optimizer_cls`` and ``optimizer_kwargs`` say
    otherwise. Only a validation series guards against overfitting.
    `timer_forecaster.finetuning.finetune` stops at the best step by itself, and also returns an
    adapter.

    Examples
    --------
    >>> from darts.utils.likelihood_models import QuantileRegression
    >>> from darts.utils.timeseries_generation import sine_timeseries
    >>> from timer_forecaster.darts import TimerS1Model
    >>> series = sine_timeseries(length=200, value_frequency=0.05, column_name="level")
    >>> model = TimerS1Model(
    ...     input_chunk_length=(1, 200),
    ...     output_chunk_length=24,
    ...     likelihood=QuantileRegression([0.05, 0.5, 0.95]),
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
        hub_model_name: str | os.PathLike[str] = TIMER_S1_SMALL,
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


# Darts loads saved models of its own and of these classes alone; version 0.1 named another place.
add_safe_globals([TimerS1Model, (TimerS1Model, "timer_forecaster.darts.TimerS1Model")])
