"""Point forecasts of histories, scaled as the pipeline scales series."""

from __future__ import annotations

import numpy as np

from timer_forecaster.arrays import FloatArray
from timer_forecaster.inference.outcome import check_outcome
from timer_forecaster.inference.rows import medians
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
        Steps to forecast. Beyond one pass of the network the forecast is rolled out.
    batch_size : int
        Most rows that enter the network at once.

    Returns
    -------
    ndarray, shape (rows, horizon)
    """
    found = np.empty((len(histories), horizon))
    rollout = network.config.preferred_rollout
    for start in range(0, len(histories), _ROWS_AT_ONCE):
        part = list(histories[start : start + _ROWS_AT_ONCE])
        outcome = medians(network, part, horizon, rollout, batch_size)
        check_outcome(outcome, part, "the model")
        found[start : start + len(part)] = outcome
    return found
