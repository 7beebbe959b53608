"""The Lightning module of the models: forecasts and steps of training.

Shapes in comments: B windows of a batch, L steps of a window, T forecast steps, C components,
N quantiles (1 without a likelihood).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from torch import Tensor

from timer_forecaster.arrays import FloatArray
from timer_forecaster.checkpoints.key import NetworkKey
from timer_forecaster.darts.covariates import CovariateReader
from timer_forecaster.darts.framework import (
    ModuleStage,
    PLForecastingModule,
    PLModuleInput,
    PLModuleOutput,
)
from timer_forecaster.darts.paths import PathSampler
from timer_forecaster.darts.tensors import (
    delay,
    fold_components,
    own_precision,
    unfold_components,
)
from timer_forecaster.failures import series_called, warn_of_failures
from timer_forecaster.finetuning.steps import Step, in_units, window_step
from timer_forecaster.finetuning.tuned import TunedWeights
from timer_forecaster.inference import Forecast, ForecastPipeline, memo
from timer_forecaster.inference.covariates import CovariateOptions
from timer_forecaster.inference.options import ForecastOptions
from timer_forecaster.models.network import Network
from timer_forecaster.models.tuning import Tuned


class PipelineModule(TunedWeights, CovariateReader, PathSampler, PLForecastingModule):
    """A Lightning module whose parameters are the finetuned weights, and no others.

    The other weights come from the process-wide cache for a forecast, and are loaded for training,
    so that Lightning does not cast, move or save them.
    """

    # Attributes of Darts' and Lightning's classes, whose types mypy does not read.
    likelihood: Any
    output_chunk_length: int
    output_chunk_shift: int
    trainer: Any
    log: Any
    _update_metrics: Any

    tuned_by = "timer_forecaster.darts"
    gentler = (
        "a lower learning rate (optimizer_kwargs={'lr': ...}) or gradient_clip_val in "
        "pl_trainer_kwargs"
    )
    chosen_by = "hub_model_name, hub_model_revision and local_dir"

    def __init__(
        self,
        checkpoint: str,
        revision: str | None,
        dtype: str,
        rollout: str,
        flip: bool,
        quantization: str | None,
        enable_finetuning: Tuned = False,
        on_error: str = "raise",
        covariates: str | dict[str, Any] = "auto",
        padding: str = "mean",
        quality: str = "fast",
        nonnegative: bool | str = "auto",
        **kwargs: Any,
    ) -> None:
        # Lightning saves the arguments of all these constructors: they must be plain values.
        super().__init__(
            checkpoint=checkpoint,
            revision=revision,
            dtype=dtype,
            enable_finetuning=enable_finetuning,
            **kwargs,
        )
        chosen = CovariateOptions(**covariates) if isinstance(covariates, dict) else covariates
        self.options = ForecastOptions(
            rollout=rollout,
            flip=flip,
            covariates=chosen,
            padding=padding,
            quality=quality,
            nonnegative=nonnegative,
        )
        self.quantization, self.on_error = quantization, on_error
        # Darts keeps the levels of a likelihood ascending.
        self.levels = [0.5] if self.likelihood is None else self.likelihood.quantiles

    def forward(self, x_in: PLModuleInput) -> PLModuleOutput:
        """Forecast a batch."""
        quantiles = self._quantiles(self.forecast(x_in))  # (B*C, T, N)
        return PLModuleOutput(prediction=unfold_components(quantiles, x_in.past_target))

    def forecast(self, x_in: PLModuleInput) -> Forecast:
        """Return the forecast of a batch, from its ends on: the first steps may be skipped.

        One empty window must not end a backtest: its forecast is NaN. To draw samples beyond one
        chunk, Darts repeats the rows of a batch, and the batch: equal rows are computed once.
        """
        past = x_in.past_target  # (B, L, C)
        pipeline = ForecastPipeline(self._forecast_key(str(past.device)), self.adapter)
        horizon = self.output_chunk_shift + self.output_chunk_length
        rows = list(fold_components(past, infinite=self.on_error == "nan"))  # (B*C, L)
        pipeline.check_row(range(past.shape[2]), "series", "components")
        names = self._row_names(len(rows), past.shape[2])
        tables = self._tables(x_in, horizon, names)
        with series_called(names):
            forecast = memo.predict(
                pipeline,
                rows,
                horizon,
                self.options,
                unobserved="nan",
                on_error=self.on_error,
                tables=tables,
                freq=self._frequencies(len(rows), past.shape[2]),
            )
        warn_of_failures(forecast.failures, len(rows), names.__getitem__)
        return forecast

    def _forecast_key(self, device: str) -> NetworkKey:
        return NetworkKey.resolve(
            self.checkpoint,
            self.revision,
            "auto" if self.quantization is not None else device,  # a CPU, wherever Lightning is
            self.network_dtype,
            quantization=self.quantization,
        )

    def _quantiles(self, forecast: Forecast) -> FloatArray:
        """Return the quantiles of the likelihood after the shift: (rows, steps, N)."""
        quantiles = [forecast.quantile(level) for level in self.levels]
        return np.stack(quantiles, axis=-1)[:, self.output_chunk_shift :]

    def training_step(self, train_batch: Any, batch_idx: int) -> Tensor | None:
        """Return the loss of a batch to train on."""
        return self._step(train_batch, ModuleStage.TRAIN, self.train_metrics)

    def validation_step(self, val_batch: Any, batch_idx: int) -> Tensor | None:
        """Return the loss of a batch to validate on."""
        return self._step(val_batch, ModuleStage.VALIDATE, self.val_metrics)

    def _step(self, batch: Any, stage: ModuleStage, metrics: Any) -> Tensor | None:
        """Return the loss of a batch over all levels of the network, whatever the likelihood is.

        None if nothing can be learned from the windows of the batch.
        """
        past, shift = batch.past_target, self.output_chunk_shift
        rows = fold_components(past)  # (B*C, L)
        targets = delay(fold_components(batch.future_target), shift)  # (B*C, shift + T)
        weights = batch.sample_weight
        if weights is not None:
            weights = delay(fold_components(weights.expand_as(batch.future_target)), shift)
        training = stage is ModuleStage.TRAIN
        with own_precision(past.device, training):
            network = self.network_on(past.device, instead_of=self._forecast_key(str(past.device)))
            step = window_step(network, rows, targets, weights, self.trained_frequency)
        if step is None:
            return None
        if training:
            self.check_trains(step.loss, targets.shape[1])
        if len(metrics):
            self._score(network, rows, step, batch, metrics)
        if not step.n_windows:
            return None
        self.log(
            f"{stage.value}_loss",
            step.loss,
            batch_size=step.n_windows,
            prog_bar=True,
            sync_dist=True,
        )
        return step.loss

    def _score(
        self, network: Network, rows: FloatArray, step: Step, batch: Any, metrics: Any
    ) -> None:
        """Update Darts' metrics with the steps that are observed in all components."""
        quantiles = self._quantiles(in_units(network, rows, step))  # as far as one pass goes
        target = batch.future_target[:, : quantiles.shape[1]]  # (B, T, C)
        prediction = unfold_components(quantiles, target)  # (B, T, C, N)
        known = target.isfinite().all(-1) & prediction.isfinite().all(-1).all(-1)
        if known.any():
            output = PLModuleOutput(prediction=prediction[known][:, None])
            self._update_metrics(output, target[known][:, None], metrics)

    def on_fit_end(self) -> None:
        """Keep the scores of the training beside the weights."""
        super().on_fit_end()
        values = {name: float(value) for name, value in self.trainer.callback_metrics.items()}
        scores = {name: value for name, value in values.items() if np.isfinite(value)}
        self.note_training(epochs=self.current_epoch, scores=scores)

    def teardown(self, stage: str) -> None:
        """Free the network of the training."""
        super().teardown(stage)
        self.free_network()
