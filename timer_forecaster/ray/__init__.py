"""Forecasts of millions of series on Ray, on one machine or on a cluster (docs/ray.md).

Ray Data reads the series and groups them into partitions. Workers, one for each GPU or core, hold
the network and write the answer of each partition as a whole file.
"""

from timer_forecaster.ray.functions import backtest, forecast, sample_paths
from timer_forecaster.ray.outcome import Outcome

__all__ = ["Outcome", "backtest", "forecast", "sample_paths"]
