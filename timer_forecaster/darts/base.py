"""A Darts model of a checkpoint: the methods of Darts, whatever the network is."""

from __future__ import annotations

import functools
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, NoReturn

import numpy as np

from timer_forecaster.adapters.adapter import Adapter, as_adapter
from timer_forecaster.checkpoints.key import NetworkKey
from timer_forecaster.checks import check_integer
from timer_forecaster.darts.arguments import (
    check_sampling,
    plain_argument,
    plain_arguments,
    refuse_masks,
)
from timer_forecaster.darts.backtesting import historical_forecasts
from timer_forecaster.darts.checks import (
    check_enable_finetuning,
    check_roll_size,
    plain_path,
    refuse_half_precision,
)
from timer_forecaster.darts.covariates import CovariateWindows
from timer_forecaster.darts.framework import (
    FoundationModel,
    PLForecastingModule,
    TimeSeries,
    TorchTrainingSample,
)


class CheckpointModel(CovariateWindows, FoundationModel):
    """A foundation model of Darts whose network lies in the process-wide cache.

    A class of a family has the parameters ``hub_model_name``, ``hub_model_revision``,
    ``local_dir``, ``dtype``, ``quantization``, ``batch_size`` and ``adapter``, which Darts collects
    in ``model_params``.
    """

    trainer: Any
    _module_name: str | None  # of the class of the module, by which Darts finds it; "" before fit
    _module_path: str
    module_class: ClassVar[type[Any]]
    """The Lightning module, which has a `timer_forecaster.finetuning.tuned.TunedWeights`."""

    def __init__(self, **kwargs: Any) -> None:
        # Darts works from these, not from the arguments of super().__init__, and loads nothing
        # but plain types from saved models.
        parameters = self.model_params
        parameters.update(plain_arguments(parameters))
        parameters["hub_model_name"] = plain_path("hub_model_name", parameters["hub_model_name"])
        if parameters["local_dir"] is not None:
            parameters["local_dir"] = plain_path("local_dir", parameters["local_dir"])
        _ = self.hf_connector  # raises Darts' own errors about folders
        parameters["dtype"] = NetworkKey.resolve(
            self._checkpoint,
            None,
            "cpu",
            parameters["dtype"],
            quantization=parameters["quantization"],
        ).dtype
        parameters["adapter"] = as_adapter(parameters["adapter"])  # copies need no folder
        if parameters["batch_size"] is None:
            parameters["batch_size"] = 32 if parameters["enable_finetuning"] else 256
        if parameters.get("random_state") is None:
            # Without this, Darts draws a seed from numpy's global state, which changes that state.
            self._random_instance = np.random.RandomState(secrets.randbits(32))
        super().__init__(**plain_arguments(kwargs))

    @property
    def _checkpoint(self) -> str:
        folder = self.model_params["local_dir"]
        return self.model_params["hub_model_name"] if folder is None else str(Path(folder))

    @staticmethod
    def _verify_enable_finetuning(enable_finetuning: Any) -> None:
        check_enable_finetuning(enable_finetuning)

    def _setup_finetuning(self, model: PLForecastingModule) -> None:
        """Freeze nothing: all parameters of the module are finetuned."""

    def _module_options(self) -> dict[str, Any]:
        """Return the arguments of ``module_class``."""
        return {
            "checkpoint": self._checkpoint,
            "revision": self.model_params["hub_model_revision"],
            "dtype": self.model_params["dtype"],
            **self.pl_module_params,
            "enable_finetuning": self.enable_finetuning,
        }

    def _create_model(self, train_sample: TorchTrainingSample) -> PLForecastingModule:
        if train_sample.past_target.dtype == np.float16:
            refuse_half_precision("the target series is float16, which Darts turns to bfloat16")
        module = self.module_class(**self._module_options())
        seed = self.model_params.get("random_state") or 0
        module.start_from(self.model_params["adapter"], seed)
        return module

    @property
    def adapter(self) -> Adapter | None:
        """The adapter in use: the finetuned weights, or the adapter that was given, or None.

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

        Without ``enable_finetuning``, training changes nothing. So with any ``retrain`` one copy of
        the model forecasts all windows in batches, as with ``retrain=False``. Darts' loop makes and
        fits a model for each window. It runs where it does more: with ``data_transformers`` that
        are fitted to each window, with ``enable_optimization=False``, with series of different
        widths or types, and, while the model is not fitted, with a function as ``retrain``, or with
        ``train_length`` or ``val_length`` and several series. The loop repeats the draws of its
        ``random_state`` in each window; the draws here (``num_samples`` > 1) differ from window to
        window.

        Parameters
        ----------
        series : TimeSeries or sequence of TimeSeries
        *args, **kwargs
            As for Darts' method.

        Returns
        -------
        TimeSeries, list of TimeSeries or list of lists of TimeSeries
            As from Darts' method.
        """
        refuse_masks(series=series)
        args, kwargs = tuple(map(plain_argument, args)), plain_arguments(kwargs)
        check_sampling(self.likelihood, kwargs.get("predict_likelihood_parameters", False))
        return historical_forecasts(self, super().historical_forecasts, series, *args, **kwargs)

    def _setup_for_fit_from_dataset(self, series: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        refuse_masks(series=series, **kwargs)
        args, kwargs = tuple(map(plain_argument, args)), plain_arguments(kwargs)
        return super()._setup_for_fit_from_dataset(series, *args, **kwargs)

    def _setup_for_predict_from_dataset(
        self, n: int, series: Any = None, *args: Any, **kwargs: Any
    ) -> dict[str, Any]:
        n = check_integer("n", n, 1)
        refuse_masks(series=series, **kwargs)
        args, kwargs = tuple(map(plain_argument, args)), plain_arguments(kwargs)
        check_sampling(self.likelihood, kwargs.get("predict_likelihood_parameters", False))
        return super()._setup_for_predict_from_dataset(n, series, *args, **kwargs)

    def _setup_for_predict(
        self, n: int, *args: Any, roll_size: int | None = None, **kwargs: Any
    ) -> dict[str, Any]:
        n = check_integer("n", n, 1)
        check_roll_size(roll_size, self.output_chunk_length)
        return super()._setup_for_predict(n, *args, roll_size=roll_size, **kwargs)

    def lr_find(self, *args: Any, **kwargs: Any) -> Any:
        """Search for a learning rate of finetuning, as Darts' own method does.

        Raises
        ------
        NotImplementedError
            Without ``enable_finetuning``.
        """
        if not self._requires_training:
            raise NotImplementedError(
                f"without enable_finetuning {type(self).__name__} is zero-shot: it has no learning "
                "rate to find"
            )
        return super().lr_find(*args, **kwargs)

    def __getstate__(self) -> dict[str, Any]:
        """Return Darts' state, with the weights of the module, which Darts leaves out."""
        weights = None if self.model is None else self.model.state_dict()
        return super().__getstate__() | {"_weights": weights}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Restore a state, with the module if there was one.

        Darts reads the module from the second file of `save`, which copies and pickles do not have.
        """
        weights = state.pop("_weights", None)
        super().__setstate__(state)
        if self._module_name:  # Darts finds the class by these; version 0.1 had it elsewhere
            self._module_name = self.module_class.__name__
            self._module_path = self.module_class.__module__
        if weights is not None:
            self.model = self._create_model(self.train_sample)
            self.model.load_state_dict(weights)

    def save(self, path: str | None = None, clean: bool = False) -> None:
        """Save the model as Darts' own method does, also if it is a copy or was loaded.

        Of the network, only finetuned weights are saved.

        Parameters
        ----------
        path : str, optional
            File to write; the second file has the same name with ``.ckpt`` at the end. Default: a
            name with the time.
        clean : bool
            Leave out the training series and ``pl_trainer_kwargs``.
        """
        if self.model_created:
            if self.trainer is None:
                self.trainer = self._setup_trainer(None, self.model)
            # The trainer writes the second file. After load_best it still has the last module.
            self.trainer.strategy.connect(self.model)
        without_module = object.__new__(type(self))  # the second file has the module's weights
        without_module.__dict__.update(self.__dict__, model=None)
        super(CheckpointModel, without_module).save(path, clean=clean)

    @staticmethod
    @functools.wraps(FoundationModel.load_from_checkpoint, assigned=())
    def load_from_checkpoint(model_name: str, *args: Any, **kwargs: Any) -> CheckpointModel:
        """Load a checkpoint that a Lightning trainer wrote, as Darts' own method does.

        Without ``enable_finetuning``, `fit` trains nothing and writes no checkpoint, even with
        ``save_checkpoints=True``: use `save` and `load`.

        Parameters
        ----------
        model_name : str
        *args, **kwargs
            As for Darts' method.

        Returns
        -------
        CheckpointModel
            A model of the class that was saved.

        Raises
        ------
        FileNotFoundError
            If the model has written no checkpoint.
        ValueError
            If there is no model of this name, as from Darts' method.
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
        # These may differ when `load_weights` reads a saved model of the same checkpoint.
        ours = ["dtype", "rollout", "flip", "quantization", "likelihood", "adapter", "covariates"]
        return [
            *super()._ckpt_skipped_params,
            *ours,
            "padding",
            "quality",
            "nonnegative",
            "use_reversible_instance_norm",
        ]

    def to_onnx(self, path: str | None = None, **kwargs: Any) -> NoReturn:
        """Refuse to export: the network is not part of the Lightning module that Darts exports."""
        raise NotImplementedError(
            f"{type(self).__name__} cannot be exported to ONNX; save() keeps it in a few kilobytes"
        )
