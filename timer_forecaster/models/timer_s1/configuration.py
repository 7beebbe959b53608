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

    Parameters
    ----------
    **fields
        Those of `TimerS1Architecture` and of ``PreTrainedConfig``.

    Examples
    --------
    >>> from timer_forecaster.models.timer_s1 import TimerS1Config
    >>> TimerS1Config(hidden_size=64, num_attention_heads=4).pass_length
    272
    """

    model_type = MODEL_TYPE

    def __post_init__(self, **kwargs: Any) -> None:
        """Set the fields of transformers and check the fields of the network."""
        kwargs.pop("auto_map", None)  # the name of remote code, which is never run
        PreTrainedConfig.__post_init__(self, **kwargs)
        self.quantiles = tuple(self.quantiles)
        validate_architecture(self)
