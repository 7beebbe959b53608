"""Timer-S1 in the auto classes of transformers, which nothing here imports.

The classes are registered when somebody imports the auto classes, before or after this package.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable

from timer_forecaster.models.timer_s1.after_import import after_import
from timer_forecaster.models.timer_s1.architecture import MODEL_TYPE

AUTO_MODELS = ("AutoModel", "AutoModelForCausalLM", "AutoModelForTimeSeriesPrediction")
"""The auto classes that load a Timer-S1; the released model card uses the second."""


def register_auto_classes() -> None:
    """Let the auto classes of transformers load a Timer-S1.

    ``AutoConfig`` returns a `TimerS1Config`, and each of `AUTO_MODELS` a `TimerS1ForPrediction`. A
    class that another library registered for the same type of model stays.
    """
    after_import("transformers.models.auto.configuration_auto", _or_warn(_register_config))
    after_import("transformers.models.auto.modeling_auto", _or_warn(_register_models))


def _register_config() -> None:
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING, AutoConfig

    from timer_forecaster.models.timer_s1.configuration import TimerS1Config

    if MODEL_TYPE not in CONFIG_MAPPING:
        AutoConfig.register(MODEL_TYPE, TimerS1Config)


def _register_models() -> None:
    from transformers.models.auto import modeling_auto

    from timer_forecaster.models.timer_s1.configuration import TimerS1Config
    from timer_forecaster.models.timer_s1.pretrained import TimerS1ForPrediction

    for name in AUTO_MODELS:
        auto = getattr(modeling_auto, name, None)  # an older transformers has fewer of them
        if auto is not None:
            auto.register(TimerS1Config, TimerS1ForPrediction, exist_ok=True)


def _or_warn(register: Callable[[], None]) -> Callable[[], None]:
    """Return a function that warns where the other fails: transformers itself can be used."""

    def act() -> None:
        try:
            register()
        except Exception as error:
            warnings.warn(
                f"transformers' auto classes cannot load {MODEL_TYPE}: {error}; use "
                "timer_forecaster.models.timer_s1.TimerS1ForPrediction.from_pretrained",
                stacklevel=2,
            )

    return act
