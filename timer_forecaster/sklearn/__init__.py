"""Timer-S1 as a scikit-learn regressor, and windows of series for any regressor."""

from timer_forecaster.sklearn.regressor import TimerS1Regressor
from timer_forecaster.sklearn.windows import make_windows

__all__ = ["TimerS1Regressor", "make_windows"]
