"""Timer-S1 as a Darts foundation model.

Everything private to Darts is imported in this file alone.
"""

from __future__ import annotations

import os
import warnings
from typing import Any, NoReturn

import numpy as np
import torch
from numpy.typing import NDArray

try:
    from darts.models.forecasting.foundation_model import FoundationModel
    from darts.models.forecasting.pl_forecasting_module import PLForecastingModule
    from darts.utils.data import PLModuleInput, PLModuleOutput, TorchTrainingSample
    from darts.utils.likelihood_models import QuantileRegression
    from darts.utils.serialization import add_safe_globals
except ImportError as error:
    raise ImportError(
        "timer_forecaster.darts needs Darts 0.48 or newer with torch: "
        "pip install 'timer-forecaster[darts]'"
    ) from error

from timer_forecaster.inference import ForecastPipeline
from timer_forecaster.inference.cache import NetworkKey
from timer_forecaster.inference.pipeline import ROLLOUT_CHOICES, longest_history
from timer_forecaster.models.checkpoints import find_checkpoint
from timer_forecaster.models.timer_s1 import TimerS1Architecture

__all__ = ["TimerS1Model"]

_HALF = (torch.float16, torch.bfloat16)


class _TimerS1Module(PLForecastingModule):
    """Lightning's side of `TimerS1Model`: it has no weights of its own.

    The network comes from the process-wide cache when a forecast is made, so that Lightning
    neither casts it, nor moves it, nor writes it to checkpoints.
    """

    def __init__(
        self,
        checkpoint: str,
        revision: str | None,
        dtype: str,
        rollout: str,
        flip: bool,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.checkpoint = checkpoint
        self.revision = revision
        self.network_dtype = dtype
        self.rollout = rollout
        self.flip = flip
        # Darts keeps the levels of a likelihood ascending
        self.levels = [0.5] if self.likelihood is None else self.likelihood.quantiles

    def forward(self, x_in: PLModuleInput) -> PLModuleOutput:
        # Dimension notation in comments below:
        #   B: batch size
        #   L: input chunk length
        #   T: output chunk length
        #   C: target components
        #   N: likelihood quantiles (1 if deterministic)
        x_past = x_in.past_target  # (B, L, C)
        if x_past.dtype in _HALF:
            _refuse_half_precision(f"the target series arrives as {x_past.dtype}")
        # fold target components into the batch: (B, L, C) -> (B*C, L)
        rows = x_past.transpose(1, 2).flatten(0, 1).cpu().double().numpy()
        quantiles = self._forecast(rows, str(x_past.device))  # (B*C, T, N)
        prediction = torch.from_numpy(quantiles).to(x_past.dtype).to(x_past.device)
        # unfold the components again: (B*C, T, N) -> (B, C, T, N) -> (B, T, C, N)
        prediction = prediction.unflatten(0, (-1, x_past.shape[2])).transpose(1, 2)
        return PLModuleOutput(prediction=prediction)

    def _forecast(self, rows: NDArray[np.float64], device: str) -> NDArray[np.float64]:
        """Quantiles (rows, T, N); NaN for a row in which nothing is observed.

        One empty window must not end a backtest, and Darts left-pads short series with NaN:
        the pipeline trims that padding and batches rows by the length that remains.
        """
        if np.isinf(rows).any():
            raise ValueError("the target series is infinite somewhere; use NaN for missing values")
        observed = ~np.isnan(rows).all(axis=1)
        result = np.full((len(rows), self.output_chunk_length, len(self.levels)), np.nan)
        if observed.any():
            pipeline = ForecastPipeline.from_pretrained(
                self.checkpoint, revision=self.revision, device=device, dtype=self.network_dtype
            )
            horizon = self.output_chunk_shift + self.output_chunk_length
            forecast = pipeline.predict(
                rows[observed], horizon, rollout=self.rollout, flip=self.flip
            )
            quantiles = np.stack([forecast.quantile(level) for level in self.levels], axis=-1)
            result[observed] = quantiles[:, self.output_chunk_shift :]
        return result


class TimerS1Model(FoundationModel):
    """Zero-shot forecasts from a Timer-S1 checkpoint, behind the interface of Darts' own models.

    Forecasts are those of `timer_forecaster.ForecastPipeline`, component by component. `fit`
    trains nothing and loads nothing; the first `predict` loads the network into a process-wide
    cache that all models of the process share, and saved models hold no weights. NaN in a series
    means missing; a window in which nothing is observed is forecast as NaN.

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
    **kwargs
        As for Darts' ``FoundationModel``. ``use_reversible_instance_norm`` changes nothing, as
        every window is standardised already, in float64.

    Raises
    ------
    ValueError, TypeError
        Naming the parameter that cannot be used: among others a likelihood that is not a
        ``QuantileRegression``, or a half precision for ``pl_trainer_kwargs``, which would round
        the series.
    NotImplementedError
        If ``enable_finetuning`` asks for training.

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
        hub_model_name: str | os.PathLike[str] = "timer-s1-mini",
        hub_model_revision: str | None = None,
        local_dir: str | os.PathLike[str] | None = None,
        dtype: str | torch.dtype = "auto",
        rollout: str = "auto",
        flip: bool = False,
        **kwargs: Any,
    ) -> None:
        _check_horizon(output_chunk_length, output_chunk_shift)
        if likelihood is not None and not isinstance(likelihood, QuantileRegression):
            raise ValueError(
                "Only QuantileRegression likelihood is supported, or None for the median; got "
                f"likelihood={likelihood!r}"
            )
        if rollout not in ROLLOUT_CHOICES:
            raise ValueError(f"rollout={rollout!r} is unknown; use one of {ROLLOUT_CHOICES}")
        if kwargs.get("enable_finetuning"):
            raise NotImplementedError(
                f"enable_finetuning={kwargs['enable_finetuning']!r}: finetuning comes with a later "
                "release; leave it out to forecast zero-shot"
            )
        precision = (kwargs.get("pl_trainer_kwargs") or {}).get("precision")
        if precision in ("16-true", "bf16-true"):
            _refuse_half_precision(f"pl_trainer_kwargs has precision={precision!r}")
        # Darts works from these, not from the arguments of super().__init__, and loads nothing
        # but plain types from saved models.
        parameters = self.model_params
        parameters["hub_model_name"] = os.fspath(hub_model_name)
        parameters["local_dir"] = None if local_dir is None else os.fspath(local_dir)
        parameters["dtype"] = NetworkKey.resolve(self._checkpoint, None, "cpu", dtype).dtype
        super().__init__(**kwargs)
        self._check_context()

    @property
    def _checkpoint(self) -> str:
        # Darts' connector raises Darts' own errors about folders
        folder = self.hf_connector.local_dir
        return self.model_params["hub_model_name"] if folder is None else str(folder)

    def _check_context(self) -> None:
        """Compare ``input_chunk_length`` with the checkpoint's config.json."""
        revision = self.model_params["hub_model_revision"]
        folder = find_checkpoint(self._checkpoint, revision, weights=False)
        config = TimerS1Architecture.from_config_file(folder / "config.json")
        longest = longest_history(self.model_params["rollout"], config)
        if self.input_chunk_length > longest:
            raise ValueError(
                f"input_chunk_length={self.model_params['input_chunk_length']} is more than "
                f"{self._checkpoint!r} reads; use at most {longest} steps"
            )

    def _create_model(self, train_sample: TorchTrainingSample) -> PLForecastingModule:
        if train_sample.past_target.dtype == np.float16:
            _refuse_half_precision("the target series is float16, which Darts turns to bfloat16")
        return _TimerS1Module(
            checkpoint=self._checkpoint,
            revision=self.model_params["hub_model_revision"],
            dtype=self.model_params["dtype"],
            rollout=self.model_params["rollout"],
            flip=self.model_params["flip"],
            **self.pl_module_params,
        )

    def _load_from_checkpoint(self, *args: Any, **kwargs: Any) -> PLForecastingModule:
        with warnings.catch_warnings():
            # it must not: the weights are not Lightning's
            warnings.filterwarnings("ignore", "The state dict in .* contains no parameters")
            return super()._load_from_checkpoint(*args, **kwargs)

    @property
    def _ckpt_skipped_params(self) -> list[str]:
        # what may differ when `load_weights` reads a saved model of the same checkpoint
        return [*super()._ckpt_skipped_params, "dtype", "rollout", "flip"]

    @property
    def supports_past_covariates(self) -> bool:
        """Covariates are not supported."""
        return False

    @property
    def supports_future_covariates(self) -> bool:
        """Covariates are not supported."""
        return False

    def to_onnx(self, path: str | None = None, **kwargs: Any) -> NoReturn:
        """Refuse: the network is not part of the Lightning module that Darts would export."""
        raise NotImplementedError(
            "TimerS1Model cannot be exported to ONNX; save() keeps it in a few kilobytes"
        )


add_safe_globals([TimerS1Model])


def _check_horizon(output_chunk_length: int, output_chunk_shift: int) -> None:
    for name, value, least in (
        ("output_chunk_length", output_chunk_length, 1),
        ("output_chunk_shift", output_chunk_shift, 0),
    ):
        if not isinstance(value, (int, np.integer)) or value < least:
            raise ValueError(f"{name}={value!r} must be an integer of at least {least}")


def _refuse_half_precision(what: str) -> NoReturn:
    raise ValueError(
        f"{what}: half precision would round the series before the model sees it. Use float32 or "
        "float64 series (`series.astype('float32')`) and Lightning's default precision; the "
        "network's own type is the parameter `dtype`"
    )
