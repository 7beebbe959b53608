"""Point forecasts of histories, scaled as the pipeline scales series."""

from __future__ import annotations

import numpy as np

from timer_forecaster.arrays import FloatArray
from timer_forecaster.inference.engine.choice import engine_of
from timer_forecaster.inference.outcome import check_outcome
from timer_forecaster.inference.prediction import scaled_rows
from timer_forecaster.inference.scaling import in_units
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
    config, engine = network.config, engine_of(network)
    found = np.empty((len(histories), horizon))
    for start in range(0, len(histories), _ROWS_AT_ONCE):
        part = list(histories[start : start + _ROWS_AT_ONCE])
        rows = scaled_rows(network, part)
        inputs = [row.values for row in rows if row.scale > 0]
        quantiles = engine.forecast_rows(
            network, inputs, horizon, config.preferred_rollout, batch_size, lambda n: None
        )
        outcome = in_units(rows, quantiles)
        check_outcome(outcome, part, "the model")
        found[start : start + len(part)] = outcome[..., len(config.quantiles) // 2]
    return found
