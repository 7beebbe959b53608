"""Tune a few weights of a checkpoint to series of one's own, and keep them as an adapter."""

from timer_forecaster.inference.adapters import Adapter

from .config import FinetuneConfig
from .guards import TuningWarning
from .report import TuningReport
from .tuner import finetune, finetune_windows

__all__ = [
    "Adapter",
    "FinetuneConfig",
    "TuningReport",
    "TuningWarning",
    "finetune",
    "finetune_windows",
]
