"""A network as the rooms above it see one, whatever family it belongs to."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import nn

from timer_forecaster.models.columns import KnownColumn


class Architecture(Protocol):
    """Sizes and settings of a network that the rooms above read."""

    @property
    def model_type(self) -> str:
        """The family, as ``config.json`` names it."""

    @property
    def quantiles(self) -> tuple[float, ...]:
        """Levels of the quantiles that are forecast, ascending."""

    @property
    def forecasts_quantiles(self) -> bool:
        """Whether the network forecasts them; else they are made from errors of point forecasts."""

    @property
    def max_context_length(self) -> int:
        """Longest context in steps."""

    @property
    def pass_length(self) -> int:
        """Steps that one pass can forecast."""

    @property
    def interior_masks(self) -> bool:
        """Whether rows may have missing values inside."""

    @property
    def preferred_rollout(self) -> str:
        """The roll-out of ``rollout="auto"``."""

    @property
    def transforms_series(self) -> bool:
        """Whether it forecasts better from series that are transformed before it reads them."""

    @property
    def hidden_size(self) -> int:
        """Width of a token."""

    @property
    def origin_step(self) -> int:
        """Distance in steps between origins that one row can be forecast from.

        1 if each origin costs a row of its own.
        """

    @property
    def fixed_context(self) -> bool:
        """Whether every context has the longest length: shorter histories are padded."""

    @property
    def n_frequencies(self) -> int:
        """Frequencies of series that the network tells apart, one of them any other; 0: none."""

    @property
    def n_channels(self) -> int | None:
        """Number of series that are read as one row; None if each is read by itself."""

    @property
    def known_columns(self) -> tuple[KnownColumn, ...]:
        """Columns that are read beside each row of series, over the context and the horizon."""

    @property
    def unusable_because(self) -> str | None:
        """Reason why no forecast can be made of series, and a remedy; None if one can."""

    @property
    def least_tensors(self) -> int:
        """A number of tensors that the weights have at least."""

    @property
    def layers_in_words(self) -> str:
        """The layers that `least_tensors` counts, and their fields."""


class Network(nn.Module):
    """A network of any family.

    Attributes
    ----------
    config : Architecture
        Sizes and settings.
    """

    config: Architecture

    @property
    def pass_length(self) -> int:
        """Steps that one pass can forecast."""
        raise NotImplementedError

    @property
    def dtype(self) -> torch.dtype:
        """Type in which the network computes."""
        raise NotImplementedError

    @property
    def device(self) -> torch.device:
        """Device on which inputs are expected."""
        raise NotImplementedError

    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Draw all weights."""
        raise NotImplementedError


def redraw(network: Network, generator: torch.Generator | None = None) -> None:
    """Draw all weights of a network as its class does.

    Parameters
    ----------
    network : Network
    generator : torch.Generator, optional
        Its seed is used; torch's own state then stays as it is. Default: torch's own state.
    """
    with torch.random.fork_rng(devices=[], enabled=generator is not None):
        if generator is not None:
            torch.manual_seed(generator.initial_seed())
        drawn = type(network)(network.config)
    network.load_state_dict(drawn.state_dict())
