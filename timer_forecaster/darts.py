"""Timer-S1 as a Darts foundation model.

Everything private to Darts is imported in this file and in `_darts_module` alone.
"""

from __future__ import annotations

import functools
import inspect
import os
import secrets
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import torch

from timer_forecaster.extras import missing_extra

try:
    from darts import TimeSeries
    from darts.models.forecasting.foundation_model import FoundationModel
    from darts.models.forecasting.pl_forecasting_module import PLForecastingModule
    from darts.utils.data import TorchTrainingSample
    from darts.utils.historical_forecasts.utils import _get_historical_forecasts_setup
    from darts.utils.likelihood_models import QuantileRegression
    from darts.utils.serialization import add_safe_globals
    from darts.utils.ts_utils import series2seq
except ImportError as error:
    found = getattr(sys.modules.get("darts"), "__version__", "none")
    what = f"timer_forecaster.darts needs Darts 0.48 or newer with torch, found {found} ({error})"
    raise ImportError(missing_extra(what, "darts")) from error

from timer_forecaster._darts_module import Tuned, _TimerS1Module, refuse_half_precision, tuned_names
from timer_forecaster.adapters.adapter import Adapter, as_adapter
from timer_forecaster.adapters.base import Base
from timer_forecaster.checkpoints.key import NetworkKey
from timer_forecaster.checkpoints.registry import find_checkpoint
from timer_forecaster.checks import check_integer
from timer_forecaster.inference.options import ForecastOptions
from timer_forecaster.models.timer_s1 import TimerS1Architecture
from timer_forecaster.models.timer_s1.adaptation import parameter_shapes
from timer_forecaster.models.timer_s1.targets import TARGETS

__all__ = ["TimerS1Model"]

# of a backtest, what a model that is fitted already has no use for
_TRAINING_OPTIONS = (
    "retrain",
    "train_length",
    "val_length",
    "fit_kwargs",
    "sample_weight",
    "data_transformers",
)


class TimerS1Model(FoundationModel):
    """Forecasts from a Timer-S1 checkpoint, behind the interface of Darts' own models.

    Forecasts are those of `timer_forecaster.ForecastPipeline`, component by component. Unless
    ``enable_finetuning`` asks for it, `fit` trains nothing and loads nothing; the first `predict`
    loads the network into a process-wide cache that all models of the process share, and saved
    models hold no weights. NaN in a series means missing; a window in which nothing is observed is
    forecast as NaN. Backtests of a model that is not tuned cost the same with and without
    ``retrain``; samples are drawn from one run of the network. Copies and pickles of a fitted model
    are fitted.

    Darts' own auto-regression (``n > output_chunk_length``) feeds back medians or samples and
    overlaps its last two chunks. Choose ``output_chunk_length`` as long as the horizon instead:
    beyond one pass of the network the roll-out is then the pipeline's, and
    ``predict_likelihood_parameters=True`` gives quantiles at any horizon.

    Parameters
    ----------
    input_chunk_length : int or tuple of int
        Newest steps to forecast from, at most the context of the checkpoint, or 65,536 where the
        roll-out is multiscale (as ``"timer-s1-mini"`` prefers). ``(min, max)`` takes series of any
        length from ``min`` on.
    output_chunk_length : int
        Steps to forecast, of any number.
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
        Folder with a checkpoint, which is taken instead of ``hub_model_name``.
    dtype : str or torch.dtype
        Type the network computes in, whatever the type of the series and Lightning's precision;
        see `timer_forecaster.ForecastPipeline.from_pretrained`.
    rollout : {"auto", "quantile", "median", "multiscale"}
        How to go on beyond one pass; see `timer_forecaster.ForecastPipeline.predict`.
    flip : bool
        Average with the mirror image of the negative's forecast, at twice the cost.
    quantization : {"int8"}, optional
        ``"int8"`` computes the experts in 8-bit integers on a CPU; see
        `timer_forecaster.ForecastPipeline.from_pretrained`.
    batch_size : int, optional
        Windows that Darts hands over at once; while tuning, those of a step. Default: 256, and 32
        with ``enable_finetuning``. The network's own batches for forecasts do not depend on it:
        fewer take less memory where windows are very long, and more time.
    enable_finetuning : bool, str or dict, optional
        What `fit` trains, in Darts' own Lightning loop; the other weights stay as they are, and
        shared. None and False train nothing. One of ``"router+head"``, ``"head"``, ``"router"``,
        ``"norms"``, ``"lora"`` and ``"full"`` trains that; see
        `timer_forecaster.finetuning.FinetuneConfig`. As for Darts' own models, True trains
        everything, as ``"full"`` does, and ``{"unfreeze": [patterns]}`` and ``{"freeze":
        [patterns]}`` choose by the names of the network's weights. See Notes.
    adapter : Adapter, str or Path, optional
        Weights to forecast with, or to start tuning from: what
        `timer_forecaster.finetuning.finetune`, or `adapter` of another model, made of the
        checkpoint, or the folder or hub id of it, which is read when the model is made.
    **kwargs
        As for Darts' ``FoundationModel``, among them ``pl_trainer_kwargs``. Draws repeat only if
        ``random_state`` is given, here or to `predict`: unlike Darts' own models, none is seeded
        from numpy's global state. Without ``enable_finetuning``, what is about training
        (``n_epochs``, ``loss_fn``, ``optimizer_kwargs`` and the like) changes nothing, as in Darts'
        own zero-shot models. Nor does ``use_reversible_instance_norm`` ever, as every window is
        standardised already, in float64.

    Raises
    ------
    ValueError, TypeError
        Naming the parameter that cannot be used: among others a likelihood that is not a
        ``QuantileRegression``, ``add_encoders``, a half precision for ``pl_trainer_kwargs``,
        which would round the series, a pattern that matches no weight, or ``loss_fn`` for tuning.

    Notes
    -----
    The loss of tuning, ``train_loss`` and ``val_loss``, is the one that the checkpoint was trained
    by: over all levels of the network, whatever the likelihood, in the units of each window's
    standardised context, so that neither large series nor large components rule it. It is the mean
    of all windows and components; missing values in what follows a window count for nothing, nor
    does what follows a constant window. What is trained is one pass of the network: the steps of
    ``output_chunk_length`` beyond it, which are rolled out, are not. The optimiser is Darts'
    default, Adam at 1e-3, unless ``optimizer_cls`` and ``optimizer_kwargs`` say otherwise. Nothing
    but the validation series guards against tuning too far:
    `timer_forecaster.finetuning.finetune` stops at the best step by itself, and gives an adapter
    too.

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

    trainer: Any

    def __init__(
        self,
        input_chunk_length: int | tuple[int, int],
        output_chunk_length: int,
        output_chunk_shift: int = 0,
        likelihood: QuantileRegression | None = None,
        hub_model_name: str | os.PathLike[str] = "timer-s1-mini",
        hub_model_revision: str | None = None,
        local_dir: str | os.PathLike[str] | None = None,
        dtype: str | torch.dtype = "auto",
        rollout: str = "auto",
        flip: bool = False,
        batch_size: int | None = None,
        quantization: str | None = None,
        enable_finetuning: Tuned | None = None,
        adapter: Adapter | str | os.PathLike[str] | None = None,
        **kwargs: Any,
    ) -> None:
        check_integer("output_chunk_length", output_chunk_length, 1)
        check_integer("output_chunk_shift", output_chunk_shift, 0)
        ForecastOptions(rollout=rollout, flip=flip, batch_size=batch_size)
        if likelihood is not None and not isinstance(likelihood, QuantileRegression):
            raise ValueError(
                "Only QuantileRegression likelihood is supported, or None for the median; got "
                f"likelihood={likelihood!r}"
            )
        self._verify_enable_finetuning(enable_finetuning)
        _check_darts_parameters(quantization, enable_finetuning, **kwargs)
        # Darts works from these, not from the arguments of super().__init__, and loads nothing
        # but plain types from saved models.
        parameters = self.model_params
        parameters["hub_model_name"] = _plain_path("hub_model_name", hub_model_name)
        parameters["local_dir"] = None if local_dir is None else _plain_path("local_dir", local_dir)
        _ = self.hf_connector  # raises Darts' own errors about folders
        key = NetworkKey.resolve(self._checkpoint, None, "cpu", dtype, quantization=quantization)
        parameters["dtype"] = key.dtype
        parameters["adapter"] = as_adapter(adapter)  # copies need no folder
        if batch_size is None:
            parameters["batch_size"] = 32 if enable_finetuning else 256
        if parameters.get("random_state") is None:
            # otherwise Darts draws a seed from numpy's global state, which that changes
            self._random_instance = np.random.RandomState(secrets.randbits(32))
        super().__init__(**kwargs)
        revision = self.model_params["hub_model_revision"]
        folder = find_checkpoint(self._checkpoint, revision, weights=False)
        config = TimerS1Architecture.from_config_file(folder / "config.json")
        self._check_context(config)
        if enable_finetuning:
            self._check_tuning(config)

    @property
    def _checkpoint(self) -> str:
        folder = self.model_params["local_dir"]
        return self.model_params["hub_model_name"] if folder is None else str(Path(folder))

    def _check_context(self, config: TimerS1Architecture) -> None:
        longest = ForecastOptions(rollout=self.model_params["rollout"]).longest_history(config)
        if self.input_chunk_length > longest:
            raise ValueError(
                f"input_chunk_length={self.model_params['input_chunk_length']} is more than "
                f"{self._checkpoint!r} reads; use at most {longest} steps"
            )

    def _check_tuning(self, config: TimerS1Architecture) -> None:
        one_pass = (config.num_mtp_tokens + 1) * config.input_token_len
        if self.output_chunk_shift >= one_pass:
            raise ValueError(
                f"output_chunk_shift={self.output_chunk_shift} leaves nothing to tune: one pass of "
                f"{self._checkpoint!r} forecasts {one_pass} steps; use less, or leave "
                "enable_finetuning out"
            )
        tuned_names(self.enable_finetuning, list(parameter_shapes(config)))  # raises if none

    @staticmethod
    def _verify_enable_finetuning(enable_finetuning: Any) -> None:
        """Take the names of our targets too."""
        if isinstance(enable_finetuning, str):
            if enable_finetuning not in TARGETS:
                raise ValueError(
                    f"enable_finetuning={enable_finetuning!r} is unknown; use one of {TARGETS}, "
                    "True, or a dict of patterns"
                )
        elif enable_finetuning is None or isinstance(enable_finetuning, (bool, dict)):
            FoundationModel._verify_enable_finetuning(enable_finetuning)
        else:
            raise TypeError(
                f"enable_finetuning={enable_finetuning!r} must be a bool, one of {TARGETS}, or a "
                "dict of patterns"
            )

    def _setup_finetuning(self, model: PLForecastingModule) -> None:
        """Freeze nothing: the module has no other parameters than those that are tuned."""

    def _create_model(self, train_sample: TorchTrainingSample) -> PLForecastingModule:
        if train_sample.past_target.dtype == np.float16:
            refuse_half_precision("the target series is float16, which Darts turns to bfloat16")
        parameters = self.model_params
        module = _TimerS1Module(
            checkpoint=self._checkpoint,
            revision=parameters["hub_model_revision"],
            dtype=parameters["dtype"],
            rollout=parameters["rollout"],
            flip=parameters["flip"],
            quantization=parameters["quantization"],
            **(self.pl_module_params | {"enable_finetuning": self.enable_finetuning}),
        )
        seed = parameters.get("random_state") or 0
        module.start_from(parameters["adapter"], seed)
        return module

    @property
    def adapter(self) -> Adapter | None:
        """What forecasts are made with: the tuned weights, or those that were given; None: neither.

        It is for ``adapter=`` of `timer_forecaster.ForecastPipeline.from_pretrained` and of the
        other estimators, and has a `save`.
        """
        if self.model is None:
            given: Adapter | None = self.model_params["adapter"]
            return given
        return self.model.adapter

    @functools.wraps(FoundationModel.historical_forecasts, assigned=())  # Darts reads the signature
    def historical_forecasts(
        self, series: TimeSeries | Sequence[TimeSeries], *args: Any, **kwargs: Any
    ) -> Any:
        """Forecast from many points of the past, as Darts' own method does.

        Without ``enable_finetuning`` training changes nothing, so that with any ``retrain`` all
        windows are forecast in batches, as with ``retrain=False``, by one copy of the model. Darts'
        loop, which makes and fits a model for each window, is left to the cases where it does more:
        ``data_transformers`` that it fits to each window, ``enable_optimization=False``, series of
        different widths or types, and, while the model is unfitted, a function as ``retrain``, or
        ``train_length`` or ``val_length`` with several series. Draws (``num_samples`` > 1) are
        not those of the loop, which repeats those of its ``random_state`` in each window.

        Parameters
        ----------
        series : TimeSeries or sequence of TimeSeries
        *args, **kwargs
            As for Darts' method.

        Returns
        -------
        TimeSeries, list of TimeSeries or list of lists of TimeSeries
            As of Darts' method.
        """
        generic = super().historical_forecasts
        call = inspect.signature(generic).bind(series, *args, **kwargs)
        call.apply_defaults()
        options = {name: value for name, value in call.arguments.items() if name != "series"}
        self._verify_past_future_covariates(
            options["past_covariates"], options["future_covariates"]
        )
        many = series2seq(series)
        if (
            self._requires_training
            or not options["retrain"]
            or _fits_to_each_window(many, options)
            or (not self._fit_called and _trains_on_a_choice(many, options))
        ):
            return generic(series, **options)
        self._historical_forecasts_sanity_checks(series, **options)
        kept = {name: value for name, value in options.items() if name not in _TRAINING_OPTIONS}
        start = self._start_of_the_loop(many[0], options)
        frozen = self.untrained_model()
        frozen.fit(many[0], **(options["fit_kwargs"] or {}))
        return frozen.historical_forecasts(series, **(kept | start), retrain=False)

    def _start_of_the_loop(self, series: TimeSeries, options: dict[str, Any]) -> dict[str, Any]:
        """Where Darts' loop starts, if it leaves room for the training set of an unfitted model."""
        if self._fit_called or not _is_limited(options):
            return {}
        known = inspect.signature(_get_historical_forecasts_setup).parameters
        (first, _), *_ = _get_historical_forecasts_setup(
            model=self,
            series=series,
            series_idx=0,
            **{name: value for name, value in options.items() if name in known},
        )
        after_the_end = first > series.end_time()
        return {"start": "end" if after_the_end else first, "start_format": "value"}

    def _setup_for_predict(
        self, n: int, *args: Any, roll_size: int | None = None, **kwargs: Any
    ) -> dict[str, Any]:
        check_integer("n", n, 1)
        if roll_size not in (None, self.output_chunk_length):
            raise ValueError(
                f"roll_size={roll_size!r}: Darts fits chunks together wrongly unless it is "
                f"output_chunk_length={self.output_chunk_length}; leave it out"
            )
        return super()._setup_for_predict(n, *args, roll_size=roll_size, **kwargs)

    def __getstate__(self) -> dict[str, Any]:
        """Return Darts' state, and the module's weights, which that leaves out."""
        weights = None if self.model is None else self.model.state_dict()
        return super().__getstate__() | {"_weights": weights}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take a state; make the module anew if there was one.

        Darts looks for it in the second file of `save`, which copies and pickles have not.
        """
        weights = state.pop("_weights", None)
        super().__setstate__(state)
        if weights is not None:
            self.model = self._create_model(self.train_sample)
            self.model.load_state_dict(weights)

    def save(self, path: str | None = None, clean: bool = False) -> None:
        """Save the model, as Darts' own method does; copies and loaded models too.

        Of the network, tuned weights alone are saved.

        Parameters
        ----------
        path : str, optional
            File to write; a second one has ``.ckpt`` at its end. Default: a name with the time.
        clean : bool
            Leave out the training series and what was given as ``pl_trainer_kwargs``.
        """
        if self.model_created:
            if self.trainer is None:
                self.trainer = self._setup_trainer(None, self.model)
            # Darts lets it write the second file; with load_best, it has the module before that.
            self.trainer.strategy.connect(self.model)
        without_module = object.__new__(type(self))  # whose weights are in the second file
        without_module.__dict__.update(self.__dict__, model=None)
        super(TimerS1Model, without_module).save(path, clean=clean)

    @staticmethod
    @functools.wraps(FoundationModel.load_from_checkpoint, assigned=())
    def load_from_checkpoint(model_name: str, *args: Any, **kwargs: Any) -> TimerS1Model:
        """Load what a Lightning trainer has written, as Darts' own method does.

        Without ``enable_finetuning``, `fit` writes no checkpoint, ``save_checkpoints=True`` or not,
        as it trains nothing: use `save` and `load`.

        Parameters
        ----------
        model_name : str
        *args, **kwargs
            As for Darts' method.

        Returns
        -------
        TimerS1Model

        Raises
        ------
        FileNotFoundError
            If there is no checkpoint.
        """
        try:
            return FoundationModel.load_from_checkpoint(model_name, *args, **kwargs)
        except FileNotFoundError as error:
            raise FileNotFoundError(
                f"model_name={model_name!r} has no checkpoint ({error}): without "
                "enable_finetuning fit trains nothing, so that it writes none; use save() and "
                "load()"
            ) from error

    @property
    def _ckpt_skipped_params(self) -> list[str]:
        # what may differ when `load_weights` reads a saved model of the same checkpoint
        ours = ["dtype", "rollout", "flip", "quantization", "likelihood", "adapter"]
        return [*super()._ckpt_skipped_params, *ours, "use_reversible_instance_norm"]

    @property
    def supports_past_covariates(self) -> bool:
        """Covariates are not supported."""
        return False

    @property
    def supports_future_covariates(self) -> bool:
        """Covariates are not supported."""
        return False

    def lr_find(self, *args: Any, **kwargs: Any) -> Any:
        """Search for a learning rate of tuning, as Darts' own method does.

        Raises
        ------
        NotImplementedError
            Without ``enable_finetuning``.
        """
        if not self._requires_training:
            raise NotImplementedError(
                "without enable_finetuning TimerS1Model is zero-shot: it has no learning rate to "
                "find"
            )
        return super().lr_find(*args, **kwargs)

    def to_onnx(self, path: str | None = None, **kwargs: Any) -> NoReturn:
        """Refuse: the network is not part of the Lightning module that Darts would export."""
        raise NotImplementedError(
            "TimerS1Model cannot be exported to ONNX; save() keeps it in a few kilobytes"
        )


add_safe_globals([TimerS1Model, Adapter, Base])


def _fits_to_each_window(many: Sequence[TimeSeries], options: dict[str, Any]) -> bool:
    """Tell whether Darts' loop makes for each window what one model for all cannot be."""
    return (
        not options["enable_optimization"]
        or bool(options["data_transformers"])
        or len({(series.width, series.dtype) for series in many}) > 1
    )


def _trains_on_a_choice(many: Sequence[TimeSeries], options: dict[str, Any]) -> bool:
    """Tell whether the windows that Darts' loop forecasts depend on which ones it trains on.

    A function may answer that there is nothing to train. Of several series, Darts leaves room for
    training sets in the first alone.
    """
    return callable(options["retrain"]) or (_is_limited(options) and len(many) > 1)


def _is_limited(options: dict[str, Any]) -> bool:
    return options["train_length"] is not None or options["val_length"] > 0


def _check_darts_parameters(
    quantization: str | None,
    enable_finetuning: Any,
    loss_fn: Any = None,
    add_encoders: Any = None,
    pl_trainer_kwargs: Any = None,
    **_: Any,
) -> None:
    """Check those parameters of Darts' base class that mean something else here."""
    if enable_finetuning and loss_fn is not None:
        raise ValueError(
            f"loss_fn={loss_fn!r}: tuning has the loss that the checkpoint was trained by; leave "
            "it out"
        )
    if add_encoders:
        raise ValueError(
            f"add_encoders={add_encoders!r} makes covariates, which the model does not support; "
            "leave it out"
        )
    if pl_trainer_kwargs is None:
        return
    if not isinstance(pl_trainer_kwargs, dict):
        raise TypeError(f"pl_trainer_kwargs={pl_trainer_kwargs!r} must be a dict")
    precision = pl_trainer_kwargs.get("precision")
    if precision in ("16-true", "bf16-true"):
        refuse_half_precision(f"pl_trainer_kwargs has precision={precision!r}")
    accelerator = pl_trainer_kwargs.get("accelerator")
    if quantization is not None and accelerator not in (None, "auto", "cpu"):
        raise ValueError(
            f"quantization={quantization!r} is for CPUs, and pl_trainer_kwargs has "
            f"accelerator={accelerator!r}: use 'cpu' or 'auto', or leave quantization out"
        )


def _plain_path(name: str, value: Any) -> str:
    if not isinstance(value, (str, os.PathLike)):
        raise TypeError(f"{name}={value!r} must be a string or a path")
    if not os.fspath(value):
        raise ValueError(f"{name}={value!r} is empty; give a name or a folder")
    return os.fspath(value)
