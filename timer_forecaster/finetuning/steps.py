"""One step of training for a loop other than `timer_forecaster.finetuning.finetune`.

Shapes: B rows, L steps of a row, H steps after it, S rows that show a value, Q levels.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from timer_forecaster.arrays import FloatArray
from timer_forecaster.finetuning.objectives.choice import Objective, beside, objective_of
from timer_forecaster.inference import scaling
from timer_forecaster.inference.forecast import Forecast
from timer_forecaster.inference.frequency import Frequency
from timer_forecaster.models.network import Network


class Step(NamedTuple):
    """The loss of a batch, and the forecasts that it is computed from."""

    loss: Tensor  # scalar: the mean over the windows that count
    n_windows: int  # windows that count: the context varies, and a value is observed after it
    quantiles: Tensor  # (S, Q, steps), in the normalized units of each window
    shown: NDArray[np.bool_]  # (B,): the row shows a value


def window_step(
    network: Network,
    rows: FloatArray,
    targets: FloatArray,
    weights: FloatArray | None = None,
    frequency: Frequency | None = None,
) -> Step | None:
    """Forecast windows in one pass, and compare the forecasts with the steps after the windows.

    Parameters
    ----------
    network : Network
    rows : ndarray, shape (B, L)
        Contexts; NaN where a value is missing.
    targets : ndarray, shape (B, H)
        Steps after the contexts; NaN where a value is missing. Steps beyond one pass of the network
        do not count.
    weights : ndarray, shape (B, H), optional
        Weight of each step. Default: one.
    frequency : Frequency, optional
        Of all rows, for a network that reads it.

    Returns
    -------
    Step or None
        None if no row shows a value.

    Examples
    --------
    >>> import numpy as np
    >>> from timer_forecaster.finetuning.steps import window_step
    >>> from timer_forecaster.inference import load_plain_network
    >>> network = load_plain_network("timer-s1-test")
    >>> waves = np.sin(np.arange(3 * 48) / 3).reshape(3, 48)
    >>> step = window_step(network, waves[:, :40], waves[:, 40:])
    >>> step.n_windows, step.quantiles.shape[-1]
    (3, 8)
    """
    shown = np.asarray(np.isfinite(rows).any(axis=1))
    if not shown.any():
        return None
    objective = objective_of(network)
    own = None if frequency is None else [frequency] * int(shown.sum())
    windows = objective.make_windows(network, list(rows[shown]), targets[shown], **beside(own))
    quantiles = objective.window_pass(network, windows).quantiles
    weights = None if weights is None else weights[shown]
    losses = _losses(objective, network, quantiles, windows, weights)
    counted = windows.observed[:, : quantiles.shape[-1]].any(-1)
    loss = losses.sum() / counted.sum().clamp_min(1)
    return Step(loss, int(counted.sum()), quantiles, shown)


def _losses(
    objective: Objective,
    network: Network,
    quantiles: Tensor,
    windows: Any,
    weights: FloatArray | None,
) -> Tensor:
    """Return the loss of each window (S,); the error of each step is multiplied by its weight."""
    if weights is None:
        return objective.window_losses(network, quantiles, windows)
    observed = windows.observed[:, : quantiles.shape[-1]]
    weight = torch.from_numpy(weights[:, : quantiles.shape[-1]]).to(quantiles)
    weight = weight.where(observed, 0.0)
    # The loss of a window is relative to its weights: their shares go in, their mean comes after.
    shares = weight / weight.amax(-1, keepdim=True).clamp_min(torch.finfo(weight.dtype).tiny)
    losses = objective.window_losses(network, quantiles, windows._replace(observed=shares))
    return losses * weight.sum(-1) / observed.sum(-1).clamp_min(1)


def in_units(network: Network, rows: FloatArray, step: Step) -> Forecast:
    """Return the forecasts of a step in the units of its rows.

    Parameters
    ----------
    network : Network
    rows : ndarray, shape (B, L)
        The rows of `window_step`.
    step : Step
        Its result.

    Returns
    -------
    Forecast
        Of all rows; NaN for a row that shows no value.
    """
    config = network.config
    scaled = [
        scaling.standardize(values, f"rows[{i}]", config.max_context_length, config.interior_masks)
        for i, values in enumerate(rows)
        if step.shown[i]
    ]
    ascending = step.quantiles.detach().sort(dim=1).values.transpose(1, 2).double().cpu().numpy()
    quantiles = np.full((len(rows), *ascending.shape[1:]), np.nan)
    quantiles[step.shown] = scaling.in_units(scaled, ascending)
    return Forecast(quantiles, config.quantiles)
