"""TinyTimeMixer by the names of Samay: a model, and a data set of a CSV file.

A program of Samay's page for TinyTimeMixer runs once its imports name this package: ``samay.model``
is `timer_forecaster.samay.model`. ``docs/samay.md`` explains it.
"""

from timer_forecaster.samay.dataset import TinyTimeMixerDataset
from timer_forecaster.samay.metric import mae, mape, mse, rmse
from timer_forecaster.samay.model import TinyTimeMixerModel

__all__ = ["TinyTimeMixerDataset", "TinyTimeMixerModel", "mae", "mape", "mse", "rmse"]
