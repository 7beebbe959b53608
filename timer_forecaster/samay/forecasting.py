"""Point forecasts of histories, scaled as the pipeline scales series."""

from __future__ import annotations

import numpy as np

from timer_forecaster.arrays import FloatArray
from timer_forecaster.inference.options import ForecastOptions
from timer_forecaster.inference.prediction import predict_quantiles
from timer_forecaster.models.network import Network

_ROWS_AT_ONCE = 8192  # all quantiles of these rows are in memory


def forecast_histories(
    network: Network, histories: FloatArray, horizon: int, batch_size: int
) -> FloatArray:
    """Return the median forecast of each history.

    Parameters
    ----------
    network : Network
        In evaluation mode.
    histories : ndarray, shape (rows, steps)
        NaN where missing; each has an observed value.
    horizon : int
        Steps to forecast. Beyond one pass, they are forecast in the way that the network prefers.
    batch_size : int
        Most rows that enter the network at once.

    Returns
    -------
    ndarray, shape (rows, horizon)
    """
    found = np.empty((len(histories), horizon))
    options = ForecastOptions(quality="plain", batch_size=batch_size)
    for start in range(0, len(histories), _ROWS_AT_ONCE):
        part = list(histories[start : start + _ROWS_AT_ONCE])
        quantiles = predict_quantiles(network, part, horizon, options, name="the model")
        found[start : start + len(part)] = quantiles[..., quantiles.shape[-1] // 2]
    return found
