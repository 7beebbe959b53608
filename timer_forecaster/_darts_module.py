"""The name of the Lightning module in version 0.1, kept for one release.

Files of version 0.1 name the class here. A model that reads such a file names the new place when
it is saved again.
"""

from timer_forecaster.darts.module import PipelineModule as _TimerS1Module

__all__ = ["_TimerS1Module"]
