"""Batches of scaled windows, and the loss of a network on them.

Shapes in comments: B rows (channels of windows), T steps of a context, H of a future, Q levels.
"""

from __future__ import annotations

import dataclasses
from typing import NamedTuple, cast

import numpy as np
import torch
from torch import Tensor

from timer_forecaster.arrays import FloatArray
from timer_forecaster.inference.engine.ttm import pad_batch
from timer_forecaster.inference.scaling import scaled
from timer_forecaster.models.network import Network
from timer_forecaster.models.ttm import TTMArchitecture, TTMNetwork
from timer_forecaster.models.ttm.loss import pinball, point_loss


class Batch(NamedTuple):
    """Windows, each scaled by its own context."""

    past: Tensor  # (B, T) without gaps
    observed: Tensor  # (B, T) bool
    targets: Tensor  # (B, H) finite
    known: Tensor  # (B, H) bool: the target was observed


def make_batch(network: Network, histories: FloatArray, futures: FloatArray) -> Batch | None:
    """Scale windows in float64, each by the mean and the deviation of its history.

    Rows that nothing can be learned from are left out: a history without a value, or with only
    one value, which is its own forecast, and a future without a value.

    Parameters
    ----------
    network : Network
    histories, futures : ndarray, shapes (windows, channels, steps)
        NaN where missing.

    Returns
    -------
    Batch or None
        None if no row is left.
    """
    pasts, targets = [], []
    rows = (part.reshape(-1, part.shape[-1]) for part in (histories, futures))
    for history, future in zip(*rows, strict=True):
        if np.isnan(history).all() or np.isnan(future).all():
            continue
        row = scaled(history, network.config.max_context_length, interior_masks=True)
        if row.scale > 0:
            pasts.append(row.values)
            targets.append((future - row.location) / row.scale)
    if not pasts:
        return None
    past, observed = pad_batch(cast(TTMNetwork, network), pasts)
    target = torch.from_numpy(np.array(targets)).to(past.device, past.dtype)
    return Batch(past, observed, target.nan_to_num(0.0), ~target.isnan())


def batch_loss(network: Network, batch: Batch) -> Tensor:
    """Return the mean loss of the known targets on the scale of their contexts.

    With a quantile head it is twice the pinball loss of all levels after asinh of both sides: a
    monotone map does not move the best quantiles, and a few far-off targets do not dominate.
    Without one it is the loss that the architecture names, or else the squared error.
    """
    config = cast(TTMArchitecture, network.config)
    horizon = batch.targets.shape[1]
    output = network(batch.past[..., None], past_observed_mask=batch.observed[..., None])
    if output.quantile_outputs is None:
        config = config if config.loss else dataclasses.replace(config, loss="mse")
        point = output.prediction_outputs[:, :horizon, 0]
        return cast(Tensor, point_loss(config, point, batch.targets, batch.known))
    quantiles = output.quantile_outputs[:, :, :horizon, 0]  # (B, Q, H)
    levels = quantiles.new_tensor(config.quantiles)[:, None]
    error = torch.asinh(batch.targets)[:, None] - torch.asinh(quantiles)
    losses = 2 * pinball(error, levels).mean(1)  # (B, H)
    return losses[batch.known].mean()
