"""Finetune a few weights of a checkpoint to your own series, and keep them as an adapter.

The names below are imported at their first use, so that the settings load no torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from timer_forecaster.adapters.adapter import Adapter
    from timer_forecaster.adapters.report import TuningReport
    from timer_forecaster.finetuning.config import FinetuneConfig
    from timer_forecaster.finetuning.guards import TuningWarning
    from timer_forecaster.finetuning.tuner import finetune, finetune_windows

__all__ = [
    "Adapter",
    "FinetuneConfig",
    "TuningReport",
    "TuningWarning",
    "finetune",
    "finetune_windows",
]

_HOMES = {
    "Adapter": "timer_forecaster.adapters.adapter",
    "FinetuneConfig": "timer_forecaster.finetuning.config",
    "TuningReport": "timer_forecaster.adapters.report",
    "TuningWarning": "timer_forecaster.finetuning.guards",
    "finetune": "timer_forecaster.finetuning.tuner",
    "finetune_windows": "timer_forecaster.finetuning.tuner",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
