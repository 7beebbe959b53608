"""A quantile head for a TinyTimeMixer of point forecasts."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor

from timer_forecaster.finetuning.errors import NothingToTuneError
from timer_forecaster.models.ttm import TTMArchitecture
from timer_forecaster.models.ttm.quantile_head import MultiQuantileHead
from timer_forecaster.models.ttm.targets import QUANTILE_HEAD

_NAME = "multi_quantile_head_block"
_LEAST_STEP = 1e-3  # between neighboring quantiles at the start
_FIRST_WEIGHTS = 0.1  # factor of the weights that move quantiles away from their start


class NewParts(NamedTuple):
    """Weights of parts that a network does not have, and the fields that give it these parts."""

    weights: dict[str, Tensor]
    architecture: Mapping[str, Any]
    of_pipeline: bool = True
    """Whether the forecasts before are those of the pipeline; else of the network with the parts,
    which change nothing at first."""


def quantile_head(config: TTMArchitecture, errors: Tensor, seed: int) -> NewParts:
    """Return a head whose quantiles lie around a point forecast as errors do around zero.

    Parameters
    ----------
    config : TTMArchitecture
        Architecture of the network without the head.
    errors : Tensor, shape (n,)
        Targets minus point forecasts, on the scale of the network.
    seed : int
        Seed of the other weights.

    Raises
    ------
    ValueError
        If the network is decomposed.
    NothingToTuneError
        If there are no errors.
    """
    if config.decompose:
        raise ValueError(
            "target='quantile-head': a decomposed checkpoint without quantiles has no place for a "
            "head; use another checkpoint"
        )
    if not len(errors):
        raise NothingToTuneError("series: there is no observed value after a context to train on")
    config = dataclasses.replace(config, **QUANTILE_HEAD)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        head = MultiQuantileHead(config)
    levels = torch.tensor(config.quantile_levels, dtype=torch.float64)
    quantiles = errors.double().cpu().quantile(levels)
    half = len(levels) // 2
    below = quantiles[: half + 1].diff().flip(0)  # the nearest first
    above = quantiles[half:].diff()
    increments = torch.cat([below, above]).clamp_min(_LEAST_STEP)
    with torch.no_grad():
        head.pw2.weight *= _FIRST_WEIGHTS
        head.get_parameter("pw2.bias")[0] = 0.0
        head.get_parameter("pw2.bias")[1:] = increments.expm1().log()  # the inverse of softplus
    weights = {f"{_NAME}.{name}": value.detach() for name, value in head.named_parameters()}
    return NewParts(weights, dict(QUANTILE_HEAD))
