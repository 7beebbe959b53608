"""The names of version 0.1 for the modules `cache`, `key` and `loading` of the checkpoints.

Pickles of version 0.1 name this module, and programs written for it do. It goes with the next
release but one.
"""

from timer_forecaster.checkpoints.cache import get_network, release
from timer_forecaster.checkpoints.key import NetworkKey
from timer_forecaster.checkpoints.loading import load_network

__all__ = ["NetworkKey", "get_network", "load_network", "release"]
