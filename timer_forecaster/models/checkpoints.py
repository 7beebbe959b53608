"""The names of version 0.1 for `timer_forecaster.checkpoints.registry`.

Programs written for version 0.1 name this module. It goes with the next release but one. It is the
only module of the networks that imports from a room above.
"""

from timer_forecaster.checkpoints.registry import canonical_name, find_checkpoint, list_checkpoints

__all__ = ["canonical_name", "find_checkpoint", "list_checkpoints"]
