"""Temporal causal models with random graphs, lags and mechanisms."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from timer_forecaster.corpus.primitives import (
    Draw,
    convolve,
    level_shifts,
    noise,
    outliers,
    periods,
    season,
    standardize,
    trend,
)

__all__ = ["temporal_causal"]

_NODES = 6
_OBSERVED = 3
_WARM_UP = 128


def temporal_causal(
    batch: int, length: int, generator: torch.Generator, device: torch.device | str
) -> Tensor:
    """Variables of randomly instantiated temporal causal models.

    A model has six variables. Each follows ``x(t) = a x(t-1) + b x(t-2) + sum_i w_i f_i(y_i(t-l_i))
    + e(t)`` with random dynamics, stable or integrating. Its parents are a random sparse set of the
    variables before it, each with a lag, a weight and a mechanism (linear, saturating,
    thresholded, quadratic, oscillating). Its innovations are white, colored or heavy-tailed noise,
    some with a season, a trend, shifts or shocks. The last three variables are returned, so that
    three rows share a model.

    Sources: the temporal causal models of Chronos-2's synthetic data (arXiv 2510.15821) and CauKer
    (arXiv 2508.02879). Here, unlike there, no variable acts on an earlier one: the graph is
    acyclic except for a variable's own dynamics. These are then a convolution, without a loop over
    steps. (The
    family `causal` mixes lagged roots without dynamics of the nodes.)

    Parameters
    ----------
    batch, length : int
        Number of series and of steps in each.
    generator : torch.Generator
        On the device.
    device : torch.device or str
        Where the series are made.

    Returns
    -------
    torch.Tensor of shape (batch, length)

    Examples
    --------
    >>> import torch
    >>> tuple(temporal_causal(3, 64, torch.Generator().manual_seed(0), "cpu").shape)
    (3, 64)
    """
    models = -(-batch // _OBSERVED)
    draw = Draw(models, length + _WARM_UP, generator, device)
    nodes = [_respond(draw, _innovations(draw))]
    for _ in range(_NODES - 1):
        drive = _parents(draw, torch.stack(nodes, dim=1)) + _innovations(draw)
        nodes.append(_respond(draw, drive))
    return torch.cat(nodes[-_OBSERVED:])[:batch, _WARM_UP:].contiguous()


def _innovations(draw: Draw) -> Tensor:
    """Draw the innovations of a variable, (models, steps), at a random strength."""
    values = noise(draw)
    values = values + season(draw, periods(draw)[0]) * draw.log_uniform(0.3, 5.0) * draw.chance(
        0.35
    )
    values = values + trend(draw) * draw.log_uniform(0.5, 10.0) * draw.chance(0.15)
    values = values + level_shifts(draw) * 3 * draw.chance(0.1)
    values = values + outliers(draw) * 5
    return values * draw.log_uniform(0.03, 1.0)


def _parents(draw: Draw, nodes: Tensor) -> Tensor:
    """Sum the effects of a random subset of the nodes (models, count, steps)."""
    count, steps = nodes.shape[1:]
    longest = min(48.0, steps / 8)
    lag = draw.uniform(0.0, longest, count).square().div(longest).long()[:, :, None]
    index = (torch.arange(steps, device=draw.device) - lag).clamp_(min=0)
    delayed = nodes.gather(2, index) * draw.log_uniform(0.5, 2.0, count)[:, :, None]
    kind = draw.pick((4, 2, 2, 1, 1), count)[:, :, None]
    effect = torch.where(kind == 1, torch.tanh(2 * delayed), delayed)
    effect = torch.where(kind == 2, (delayed - 0.5).clamp(min=0), effect)
    effect = torch.where(kind == 3, delayed.square().clamp(max=9.0), effect)
    effect = torch.where(kind == 4, torch.sin(2 * delayed), effect)
    weight = draw.normal(count) * draw.chance(0.4, count)
    return (effect * weight[:, :, None]).sum(dim=1)


def _respond(draw: Draw, drive: Tensor) -> Tensor:
    """Filter by random dynamics (none, relaxation, damped oscillation, summation); standardize."""
    time = draw.time
    rate = draw.log_uniform(0.005, 1.0)  # 1 / steps until forgotten
    turn = 2 * math.pi / draw.log_uniform(4.0, max(8.0, draw.length / 4))
    relaxation = torch.exp(-rate * time)
    # cos + sin: the response of a second-order recursion with poles exp(-rate +- i turn).
    oscillation = relaxation * (torch.cos(turn * time) + torch.sin(turn * time))
    kind = draw.pick((2, 4, 2, 1))
    response = torch.where(kind == 0, (time == 0).to(time), relaxation)
    response = torch.where(kind == 2, oscillation, response)
    response = torch.where(kind == 3, torch.ones_like(time), response)
    return standardize(convolve(drive, response))
