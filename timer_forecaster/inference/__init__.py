"""Arrays in, quantiles out: scaling, missing values, batching, roll-out, the model cache."""

from .cache import load_plain_network, release
from .forecast import Forecast
from .int8 import convert_checkpoint
from .pipeline import ForecastPipeline
from .routing import Routing

__all__ = [
    "Forecast",
    "ForecastPipeline",
    "Routing",
    "convert_checkpoint",
    "load_plain_network",
    "release",
]
