"""Arrays in, quantiles out: scaling, missing values, batching, roll-out, the model cache."""

from timer_forecaster.checkpoints.cache import release
from timer_forecaster.checkpoints.conversion import convert_checkpoint
from timer_forecaster.checkpoints.loading import load_plain_network
from timer_forecaster.inference.forecast import Forecast
from timer_forecaster.inference.pipeline import ForecastPipeline
from timer_forecaster.inference.routing import Routing

__all__ = [
    "Forecast",
    "ForecastPipeline",
    "Routing",
    "convert_checkpoint",
    "load_plain_network",
    "release",
]
