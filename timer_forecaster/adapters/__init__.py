"""Adapters: the few weights that finetuning changed, stored apart from their checkpoint."""

from timer_forecaster.adapters.adapter import Adapter
from timer_forecaster.adapters.base import Base

__all__ = ["Adapter", "Base"]
