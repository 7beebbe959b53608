"""Tune a few weights of a checkpoint to series of one's own, and keep them as an adapter."""

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
