"""Forecasts of millions of series on Ray, on one machine or on a cluster (docs/ray.md).

Ray Data reads the series and groups them into partitions. Workers, one for each GPU or core, hold
the network and write the answer of each partition as a whole file.

The names are imported when they are first used: the tasks that group rows import modules of this
package, and need no torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from timer_forecaster.ray.functions import backtest, forecast, sample_paths

__all__ = ["backtest", "forecast", "sample_paths"]


def __getattr__(name: str) -> object:
    """Import a public name when it is first asked for."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("timer_forecaster.ray.functions"), name)
