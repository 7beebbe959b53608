"""The architecture as a configuration of transformers."""

from __future__ import annotations

from typing import Any

from transformers import PreTrainedConfig

from timer_forecaster.models.timer_s1.architecture import (
    MODEL_TYPE,
    TimerS1Architecture,
    validate_architecture,
)


class TimerS1Config(TimerS1Architecture, PreTrainedConfig):
    """`TimerS1Architecture` as a transformers configuration; reads the released ``config.json``.

    It takes the parameters of `TimerS1Architecture` and of ``PreTrainedConfig``.
    """

    model_type = MODEL_TYPE

    def __post_init__(self, **kwargs: Any) -> None:
        """Set the fields of transformers and check the fields of the network."""
        kwargs.pop("auto_map", None)  # the name of remote code, which is never run
        PreTrainedConfig.__post_init__(self, **kwargs)
        self.quantiles = tuple(self.quantiles)
        validate_architecture(self)
