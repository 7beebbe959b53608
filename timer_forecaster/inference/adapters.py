"""The names of `Adapter` and `Base` in version 0.1, kept for one release.

Pickles of version 0.1, and Darts models that it saved, name these classes here.
"""

from timer_forecaster.adapters.adapter import Adapter
from timer_forecaster.adapters.base import Base

__all__ = ["Adapter", "Base"]
