"""Batches of scaled windows, and the loss of a network on them."""

from __future__ import annotations

import dataclasses
from typing import cast

import numpy as np
from torch import Tensor

from timer_forecaster.arrays import FloatArray
from timer_forecaster.finetuning.objectives.ttm import Windows, make_windows, window_pass
from timer_forecaster.models.network import Network
from timer_forecaster.models.ttm import TTMNetwork
from timer_forecaster.models.ttm.loss import point_loss
from timer_forecaster.models.ttm.objective import quantile_terms


def make_batch(network: Network, histories: FloatArray, futures: FloatArray) -> Windows | None:
    """Scale windows, each by the mean and the deviation of its history, as finetuning does.

    Rows that nothing can be learned from are left out: a history without a value, or with only
    one value, which is its own forecast, and a future without a value, or with far-off values only.

    Parameters
    ----------
    network : Network
    histories, futures : ndarray, shapes (windows, channels, steps)
        NaN where missing.

    Returns
    -------
    Windows or None
        None if no row is left.
    """
    past, future = (part.reshape(-1, part.shape[-1]) for part in (histories, futures))
    past = past[:, -network.config.max_context_length :]
    seen = ~(np.isnan(past).all(1) | np.isnan(future).all(1))
    if not seen.any():
        return None
    windows = make_windows(cast(TTMNetwork, network), list(past[seen]), future[seen])
    counts = windows.observed.any(-1)
    if not counts.any():
        return None
    kept = {name: getattr(windows, name)[counts] for name in Windows._fields if name != "known"}
    return Windows(**kept)


def batch_loss(network: Network, batch: Windows) -> Tensor:
    """Return the mean loss of the known targets on the scale of their contexts.

    With a quantile head it is the loss of pre-training, see
    `timer_forecaster.models.ttm.objective.quantile_terms`. Without one it is the loss that the
    architecture names, or else the squared error.
    """
    own = cast(TTMNetwork, network)
    quantiles = window_pass(own, batch).quantiles
    if own.config.forecasts_quantiles:
        levels = quantiles.new_tensor(own.config.quantiles)
        return quantile_terms(quantiles, batch.target, batch.observed, levels).loss
    config = own.config if own.config.loss else dataclasses.replace(own.config, loss="mse")
    return cast(Tensor, point_loss(config, quantiles[:, 0], batch.target, batch.observed))
