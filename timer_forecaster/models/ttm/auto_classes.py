"""TinyTimeMixer in the auto classes of transformers."""

from __future__ import annotations

from timer_forecaster.models.auto_classes import AutoClasses
from timer_forecaster.models.ttm.architecture import DECOMPOSED_CLASS, MODEL_TYPE, PLAIN_CLASS

AUTO_MODELS = ("AutoModel", "AutoModelForTimeSeriesPrediction")
"""The auto classes that load a TinyTimeMixer."""


def register_auto_classes() -> None:
    """Let ``AutoConfig`` return a `TinyTimeMixerConfig`, and `AUTO_MODELS` one of two classes.

    The class is the one that the ``architectures`` of ``config.json`` name.
    """
    AutoClasses(
        MODEL_TYPE,
        "timer_forecaster.models.ttm",
        "TinyTimeMixerConfig",
        [PLAIN_CLASS, DECOMPOSED_CLASS],
        AUTO_MODELS,
    ).register()
