"""Timer-S1 in the auto classes of transformers."""

from __future__ import annotations

from timer_forecaster.models.auto_classes import AutoClasses
from timer_forecaster.models.timer_s1.architecture import MODEL_TYPE

AUTO_MODELS = ("AutoModel", "AutoModelForCausalLM", "AutoModelForTimeSeriesPrediction")
"""The auto classes that load a Timer-S1; the released model card uses the second."""


def register_auto_classes() -> None:
    """Let ``AutoConfig`` return a `TimerS1Config`, and `AUTO_MODELS` a `TimerS1ForPrediction`."""
    AutoClasses(
        MODEL_TYPE,
        "timer_forecaster.models.timer_s1",
        "TimerS1Config",
        ["TimerS1ForPrediction"],
        AUTO_MODELS,
    ).register()
