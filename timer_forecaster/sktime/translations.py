"""Parameters of sktime's own TinyTimeMixer class, in the words of this package."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from timer_forecaster.checks import check_choice, check_flag

TARGETS = {"zero-shot": None, "minimal": "decoder+head", "full": "full"}
"""Targets of finetuning, by ``fit_strategy``; None trains nothing."""

VALIDATION_SPLIT = 0.2
"""Default of ``validation_split``."""

TRAINING_ARGS = {
    "max_steps": "steps",
    "learning_rate": "learning_rate",
    "per_device_train_batch_size": "batch_size",
    "weight_decay": "weight_decay",
    "seed": "seed",
}
"""Settings of `timer_forecaster.finetuning.FinetuneConfig`, by the names of transformers."""

_OF_LOGS = {
    "output_dir",
    "overwrite_output_dir",
    "report_to",
    "disable_tqdm",
    "logging_dir",
    "logging_steps",
    "logging_strategy",
    "save_steps",
    "save_strategy",
    "save_total_limit",
}
"""Entries of ``training_args`` about files and logs, of which finetuning writes none."""


class Training(NamedTuple):
    """The parameters of sktime's class that are about training."""

    fit_strategy: str
    validation_split: float | None
    training_args: Mapping[str, Any] | None

    @property
    def is_default(self) -> bool:
        """Whether nothing is trained, and nothing said about it."""
        return self == ("zero-shot", VALIDATION_SPLIT, None)

    def settings(self) -> dict[str, Any] | None:
        """Return the settings of `FinetuneConfig` that mean the same; None to train nothing.

        Raises
        ------
        ValueError, TypeError
            Naming the parameter or the entry that cannot be used.

        Examples
        --------
        >>> Training("minimal", 0.1, {"max_steps": 10, "output_dir": "logs"}).settings()
        {'target': 'decoder+head', 'validation': 0.1, 'steps': 10}
        >>> Training("zero-shot", 0.2, None).settings()
        """
        check_choice("fit_strategy", self.fit_strategy, tuple(TARGETS))
        given = _settings_of(self.training_args)
        if self.validation_split is None:
            raise ValueError(
                "validation_split=None: the newest steps decide when training stops and whether "
                "its result is kept; give a share, such as validation_split=0.1"
            )
        target = TARGETS[self.fit_strategy]
        if target is not None:
            return {"target": target, "validation": self.validation_split, **given}
        if self.training_args:
            raise ValueError(
                "training_args with fit_strategy='zero-shot', which trains nothing: leave them "
                "out, or take fit_strategy='minimal' or 'full'"
            )
        return None


def _settings_of(training_args: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the settings of ``training_args`` by our names."""
    if training_args is not None and not isinstance(training_args, Mapping):
        raise TypeError(f"training_args={training_args!r} must be a dict or None")
    given = dict(training_args or {})
    unknown = [name for name in given if name not in TRAINING_ARGS and name not in _OF_LOGS]
    if unknown:
        raise ValueError(
            f"training_args has {unknown[0]!r}, which means nothing here: of its entries "
            f"{', '.join(TRAINING_ARGS)} are read; for all settings leave fit_strategy and "
            "training_args out, and give tuning=FinetuneConfig(...) of timer_forecaster.finetuning"
        )
    return {TRAINING_ARGS[name]: value for name, value in given.items() if name in TRAINING_ARGS}


def check_meaningless(
    compute_metrics: Any,
    callbacks: Any,
    broadcasting: Any,
    use_source_package: Any,
    freq: Any,
    padding_mask: Any,
) -> None:
    """Refuse values of sktime's parameters that mean nothing here, and name what does.

    Raises
    ------
    ValueError, TypeError
        Naming the parameter.
    """
    for name, value in (("compute_metrics", compute_metrics), ("callbacks", callbacks)):
        if value is not None and value != []:
            raise ValueError(
                f"{name}={value!r}: finetuning here has no Trainer of transformers; leave {name} "
                "out, and read the scores in adapter_.report after fit"
            )
    if check_flag("broadcasting", broadcasting):
        raise ValueError(
            "broadcasting=True: all instances are forecast in one batch, each from its own values; "
            "leave broadcasting out. To finetune a copy to each instance, use ForecastByLevel of "
            "sktime around this forecaster"
        )
    if check_flag("use_source_package", use_source_package):
        raise ValueError(
            "use_source_package=True: the network is a part of this package, and model_path takes "
            "the same checkpoints; leave use_source_package out"
        )
    if freq is not None:
        raise ValueError(
            f"freq={freq!r}: the frequency of y is taken from its index; leave freq out"
        )
    check_choice("padding_mask", padding_mask, ("observed", "unobserved"))
    if padding_mask == "observed":
        raise ValueError(
            "padding_mask='observed' would make zeros before a short series a part of it, so that "
            "its forecast depended on its level; leave padding_mask out, and steps before the "
            "series are missing, or give padding='released' for such zeros"
        )
