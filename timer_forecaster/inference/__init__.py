"""Series in, quantiles out: the pipeline, its options and its result.

The parts are scaling and missing values, roll-outs and coarser strides, quantile functions, and
forecasts that are remembered. `timer_forecaster.inference.engine` runs the network in batches.
"""

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
