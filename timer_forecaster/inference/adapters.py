"""The former place of `Adapter`, which pickles of version 0.1 name."""

from timer_forecaster.adapters.adapter import Adapter
from timer_forecaster.adapters.base import Base

__all__ = ["Adapter", "Base"]
