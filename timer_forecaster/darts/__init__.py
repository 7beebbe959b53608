"""Timer-S1 and TinyTimeMixer as foundation models of Darts."""

from timer_forecaster.darts.model import TimerS1Model
from timer_forecaster.darts.tinytimemixer import TinyTimeMixerModel

__all__ = ["TimerS1Model", "TinyTimeMixerModel"]
