"""Timer-S1 and TinyTimeMixer as sktime forecasters, and sktime's evaluation in one batch."""

from timer_forecaster.extras import missing_extra

try:
    import sktime.split  # noqa: F401
except ImportError as error:
    what = "timer_forecaster.sktime needs sktime 1.1 or newer"
    raise ImportError(missing_extra(what, "sktime")) from error

from timer_forecaster.sktime.backtesting import evaluate
from timer_forecaster.sktime.detector import ForecastAnomalyDetector
from timer_forecaster.sktime.timer_s1 import TimerS1Forecaster
from timer_forecaster.sktime.tinytimemixer import TinyTimeMixerForecaster

__all__ = ["ForecastAnomalyDetector", "TimerS1Forecaster", "TinyTimeMixerForecaster", "evaluate"]
