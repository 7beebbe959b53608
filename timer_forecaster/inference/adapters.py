"""The names of version 0.1 for `timer_forecaster.adapters`.

Pickles and files of version 0.1 name this module. It goes with the next release but one.
"""

from timer_forecaster.adapters import Adapter, Base

__all__ = ["Adapter", "Base"]
