"""Classes of this package in the auto classes of transformers, which nothing here imports.

The classes are registered when somebody imports the auto classes, before or after this package.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, NamedTuple

from timer_forecaster.models.after_import import after_import


class AutoClasses(NamedTuple):
    """The classes of one kind of model, by their names, so that they are imported when needed.

    Attributes
    ----------
    model_type : str
        The ``model_type`` of its ``config.json``.
    package : str
        The package that has the classes.
    config : str
        Name of the configuration's class.
    models : sequence of str
        Names of the models' classes. Of several, the ``architectures`` of a configuration choose;
        the first is the default.
    autos : sequence of str
        Names of the auto classes that load such a model.
    """

    model_type: str
    package: str
    config: str
    models: Sequence[str]
    autos: Sequence[str]

    def register(self) -> None:
        """Let the auto classes of transformers load such a model.

        ``AutoConfig`` returns the configuration. A class that another library registered for the
        same type of model stays.
        """
        after_import("transformers.models.auto.configuration_auto", self._or_warn(self._add_config))
        after_import("transformers.models.auto.modeling_auto", self._or_warn(self._add_models))

    def _class(self, name: str) -> Any:
        return getattr(import_module(self.package), name)

    def _add_config(self) -> None:
        from transformers.models.auto.configuration_auto import CONFIG_MAPPING, AutoConfig

        if self.model_type not in CONFIG_MAPPING:
            AutoConfig.register(self.model_type, self._class(self.config))

    def _add_models(self) -> None:
        from transformers.models.auto import modeling_auto

        models = tuple(self._class(name) for name in self.models)
        for name in self.autos:
            auto = getattr(modeling_auto, name, None)  # an older transformers has fewer of them
            if auto is not None:
                one_or_all = models[0] if len(models) == 1 else models
                auto.register(self._class(self.config), one_or_all, exist_ok=True)

    def _or_warn(self, register: Callable[[], None]) -> Callable[[], None]:
        """Return a function that warns where the other fails: transformers itself can be used."""

        def act() -> None:
            try:
                register()
            except Exception as error:
                warnings.warn(
                    f"transformers' auto classes cannot load {self.model_type}: {error}; use "
                    f"{self.package}.{self.models[0]}.from_pretrained",
                    stacklevel=2,
                )

        return act
