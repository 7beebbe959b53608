"""The network that a model begins with: a checkpoint's, or one of random weights."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import NamedTuple, cast

from timer_forecaster.checkpoints.key import NetworkKey
from timer_forecaster.checkpoints.loading import (
    architecture_of,
    empty_network,
    load_plain_network,
    plain_network,
)
from timer_forecaster.checkpoints.registry import TTM_MINI
from timer_forecaster.models.network import Network
from timer_forecaster.models.ttm import TTMArchitecture
from timer_forecaster.samay.settings import DROPOUT, MODEL_SIZE, ModelSettings

EMBEDDED = {"tiny": TTM_MINI}
"""Checkpoints inside the package, by ``model_size``."""


class Start(NamedTuple):
    """A network to begin with.

    Parameters
    ----------
    network : Network
        On the CPU, in float32, in evaluation mode. Nobody else has it.
    checkpoint : str, optional
        Name of the checkpoint with its weights. None if they are random.
    """

    network: Network
    checkpoint: str | None


def starting_network(
    settings: ModelSettings, repo: str | Path | None, revision: str | None = None
) -> Start:
    """Return the network of a checkpoint that is named or that fits, else one of random weights.

    Parameters
    ----------
    settings : ModelSettings
    repo : str or Path, optional
        A name of `timer_forecaster.list_checkpoints`, a folder, or a hub id. Default: the embedded
        checkpoint of the size, if it has the sizes that are given and reads and forecasts as many
        steps.
    revision : str, optional
        Branch, tag or commit of a hub id.

    Raises
    ------
    ValueError
        If there is no such checkpoint, or if it cannot have these settings.
    """
    if repo is not None:
        _check_fit(settings, _architecture_of(repo, revision), f"repo={str(repo)!r}")
        network = load_plain_network(repo, revision=revision)
        return Start(_with_dropout(network, settings.dropout), str(repo))
    if revision is not None:
        raise ValueError(f"revision={revision!r} applies to a hub id; name it as repo=...")
    name = _embedded_for(settings)
    if name is None:
        key = NetworkKey.resolve(None, None, "cpu", "float32", config=settings.architecture)
        return Start(plain_network(key).requires_grad_(), None)
    dropout = DROPOUT if settings.dropout is None else settings.dropout
    return Start(_with_dropout(load_plain_network(name), dropout), name)


def _architecture_of(name: str | Path, revision: str | None) -> TTMArchitecture:
    architecture = architecture_of(NetworkKey.resolve(name, revision, "cpu", "float32"))
    if not isinstance(architecture, TTMArchitecture):
        raise ValueError(
            f"repo={str(name)!r} is no TinyTimeMixer: its model_type is "
            f"{architecture.model_type!r}; ForecastPipeline loads it"
        )
    return architecture


def _check_fit(settings: ModelSettings, own: TTMArchitecture, repo: str) -> None:
    """Refuse settings that a checkpoint does not have."""
    if settings.model_size is not None:
        raise ValueError(
            f"model_size={settings.model_size!r} and {repo} both choose a network; leave one out"
        )
    sizes = {"d_model": own.d_model, "n_layers": own.num_layers}
    for name, size in sizes.items():
        given = getattr(settings, name)
        if given not in (None, size):
            raise ValueError(f"{name}={given} does not fit {repo}, which has {size}; leave it out")
    if (settings.context_len or 0) > own.context_length:
        raise ValueError(
            f"context_len={settings.context_len} is longer than the {own.context_length} steps "
            f"that {repo} reads; give that number, or leave it out"
        )
    if own.resolution_prefix_tuning or own.categorical_vocab_size_list is not None:
        raise ValueError(
            f"{repo} reads the frequency or the categories of a series, which a "
            "TinyTimeMixerModel does not know; name a checkpoint without them"
        )
    if own.fixed_channels:
        raise ValueError(
            f"{repo} mixes channels ({own.num_input_channels} of them), and a "
            "TinyTimeMixerModel forecasts each channel by itself; name a checkpoint that does too"
        )


def _embedded_for(settings: ModelSettings) -> str | None:
    """Return the name of the embedded checkpoint that has the settings, if there is one."""
    name = EMBEDDED.get(settings.model_size or MODEL_SIZE)
    if name is None:
        return None
    own = _architecture_of(name, None)
    fits = (
        settings.d_model in (None, own.d_model)
        and settings.n_layers in (None, own.num_layers)
        and (settings.context_len or 0) <= own.context_length
        and (settings.horizon_len or 0) <= own.pass_length
    )
    return name if fits else None


def _with_dropout(network: Network, dropout: float | None) -> Network:
    """Return a network with the same weights and another dropout, or as it is with None."""
    if dropout is None:
        return network
    config = cast(TTMArchitecture, network.config)
    config = dataclasses.replace(config, dropout=dropout, head_dropout=dropout)
    other = empty_network(config)
    other.load_state_dict(network.state_dict(), assign=True)
    return other.eval()
