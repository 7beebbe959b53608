"""A Darts model whose forecasts are the pipeline's, whatever the family of its network is."""

from __future__ import annotations

import dataclasses
from typing import Any

from timer_forecaster.adapters.adapter import Adapter
from timer_forecaster.adapters.base import Base
from timer_forecaster.checkpoints.registry import find_checkpoint
from timer_forecaster.darts.base import CheckpointModel
from timer_forecaster.darts.checks import check_context, check_parameters, check_tuning
from timer_forecaster.darts.covariates import common_frequency
from timer_forecaster.darts.framework import add_safe_globals
from timer_forecaster.darts.module import PipelineModule
from timer_forecaster.inference.covariates import CovariateOptions
from timer_forecaster.inference.frequency_warning import frequencies_for
from timer_forecaster.inference.options import ForecastOptions
from timer_forecaster.models.families import read_architecture
from timer_forecaster.models.network import Architecture


class PipelineModel(CheckpointModel):
    """Base of the models: all that their parameters do.

    A subclass has the parameters of `timer_forecaster.darts.TimerS1Model` in the signature of its
    constructor, where Darts reads them.
    """

    module_class = PipelineModule

    def __init__(self, **kwargs: Any) -> None:
        check_parameters(self.model_params)
        super().__init__(**kwargs)
        self._check_network()

    def _check_network(self) -> None:
        """Check the parameters that depend on the sizes of the network."""
        parameters, config = self.model_params, self._architecture()
        read = {"quality": "plain", **parameters}  # a model saved by version 0.1 has none
        options = ForecastOptions(rollout=read["rollout"], quality=read["quality"])
        most = options.longest_history(config)
        given = parameters["input_chunk_length"]
        check_context(given, self.input_chunk_length, most, self._checkpoint)
        if self.enable_finetuning:
            check_tuning(self.enable_finetuning, self.output_chunk_shift, config, self._checkpoint)

    def _architecture(self) -> Architecture:
        revision = self.model_params["hub_model_revision"]
        folder = find_checkpoint(self._checkpoint, revision, weights=False)
        return read_architecture(folder / "config.json")

    def _setup_for_train(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        found: dict[str, Any] = super()._setup_for_train(*args, **kwargs)
        freq = common_frequency(found["datamodule"].train_dataset)
        frequencies = frequencies_for(self._architecture(), freq, 1)
        found["model"].trained_frequency = None if frequencies is None else frequencies[0]
        return found

    def _module_options(self) -> dict[str, Any]:
        own = {name: self.model_params[name] for name in ("rollout", "flip", "quantization")}
        own["on_error"] = self.model_params.get("on_error", "raise")  # version 0.1 had none
        covariates = self.model_params.get("covariates", "auto")  # nor these
        if isinstance(covariates, CovariateOptions):
            covariates = dataclasses.asdict(covariates)
        own["covariates"] = covariates
        own["padding"] = self.model_params.get("padding", "mean")
        own["quality"] = self.model_params.get("quality", "plain")  # a model saved by version 0.1
        own["nonnegative"] = self.model_params.get("nonnegative", "auto")  # or by version 0.2
        return {**super()._module_options(), **own}


# Darts loads saved models of these classes alone, and of those that a family adds. Version 0.1
# named the classes by other places.
add_safe_globals(
    [
        Adapter,
        Base,
        CovariateOptions,
        (Adapter, "timer_forecaster.inference.adapters.Adapter"),
        (Base, "timer_forecaster.inference.adapters.Base"),
    ]
)
