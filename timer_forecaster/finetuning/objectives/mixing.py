"""Parts of a TinyTimeMixer that read known columns beside a series, for a network without them."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from typing import Any

import torch

from timer_forecaster.finetuning.objectives.quantile_head import NewParts
from timer_forecaster.models.columns import KnownColumn
from timer_forecaster.models.ttm import TTMArchitecture, TTMNetwork, make_network
from timer_forecaster.models.ttm.architecture import KNOWN_COLUMNS
from timer_forecaster.models.ttm.targets import replaced_by

STEPS_AROUND = 1
"""Steps on either side of a step whose known values it sees."""

_LAST = re.compile(r".*\b(?:channel_feature_mixer\.mlp\.fc2|fcm_block\.mlp)\.(?:weight|bias)")


def channel_mixing(network: TTMNetwork, columns: Sequence[KnownColumn], seed: int) -> NewParts:
    """Return mixers of a series and known columns, with copies of decoder and head.

    The decoder mixes the tokens of all channels, and forecasts are mixed with the known future
    around each step. The last layers of the new parts are zero, so that forecasts are those of the
    network at first. The names and the scales of the columns become an entry of the architecture.

    Parameters
    ----------
    network : TTMNetwork
        It reads each series alone.
    columns : sequence of KnownColumn
    seed : int
        Seed of the other weights.

    Raises
    ------
    ValueError
        If the network is decomposed, or has batch norms.
    """
    config = network.config
    if config.decompose or "batch" in config.norm_mlp.lower():
        kind = "a decomposed checkpoint" if config.decompose else "a checkpoint with batch norms"
        raise ValueError(
            f"target='channels': {kind} has no place for mixers of channels; use another checkpoint"
        )
    changes = _changes(config, columns)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        own = make_network(dataclasses.replace(config, **changes))
    there = dict(network.named_parameters())
    weights = {name: there[name].detach() for name in replaced_by("decoder+head", there)}
    for name, value in own.named_parameters():
        if name not in there:
            weights[name] = value.detach().zero_() if _LAST.fullmatch(name) else value.detach()
    return NewParts(weights, changes, of_pipeline=False)


def _changes(config: TTMArchitecture, columns: Sequence[KnownColumn]) -> dict[str, Any]:
    """Return the fields of the architecture with the parts."""
    return {
        "num_input_channels": 1 + len(columns),
        "exogenous_channel_indices": list(range(1, 1 + len(columns))),
        "decoder_mode": "mix_channel" if config.use_decoder else config.decoder_mode,
        "enable_forecast_channel_mixing": True,
        "fcm_context_length": STEPS_AROUND,
        "fcm_gated_attn": False,
        "fcm_use_mixer": True,
        "fcm_mix_layers": 2,
        "fcm_prepend_past": True,
        "fcm_prepend_past_offset": None,
        "extras": {**config.extras, KNOWN_COLUMNS: [list(column) for column in columns]},
    }
