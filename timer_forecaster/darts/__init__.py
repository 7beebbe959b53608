"""Timer-S1 as a foundation model of Darts."""

from timer_forecaster.darts.model import TimerS1Model

__all__ = ["TimerS1Model"]
