"""Grow a network: wider, with more main blocks, and with the same forecasts.

A new channel, head or unit of an expert must not change a forecast, and must be able to learn at
once. So the weights that write to new channels begin at zero, and the weights that read them are
random. New heads and units are random, and the weights that read them begin at zero. New main
blocks add zero to their input. Norms divide by the root of more channels; their weights undo this.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor

from timer_forecaster.checkpoints.registry import find_checkpoint
from timer_forecaster.models.timer_s1 import TimerS1Architecture, TimerS1Network
from timer_forecaster.models.timer_s1.adaptation import parameter_shapes
from timer_forecaster.pretraining.variants import load_weights

__all__ = ["Growth", "grown_weights"]

_MAY_GROW = (
    "hidden_size",
    "intermediate_size",
    "num_attention_heads",
    "num_hidden_layers",
)
_MUST_STAY = (
    "input_token_len",
    "num_experts",
    "num_experts_per_token",
    "num_mtp_tokens",
    "quantiles",
    "rope_theta",
)
# Weights that write to channels, by row, and weights that read heads or units, by column.
_WRITERS = (
    "o_proj.weight",
    "down_proj.weight",
    "projection_matrix.weight",
    "embed_layer.output_layer.weight",
    "embed_layer.output_layer.bias",
    "embed_layer.residual_layer.weight",
    "embed_layer.residual_layer.bias",
)
_UNIT_READERS = ("o_proj.weight", "down_proj.weight", "output_layer.weight")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Growth:
    """A start from a smaller checkpoint, grown to the architecture of the run.

    Parameters
    ----------
    grow : str
        Folder, registry name or hub id of the smaller checkpoint.

    Examples
    --------
    >>> from timer_forecaster.pretraining.growth import Growth
    >>> Growth(grow="timer-s1-mini").grow
    'timer-s1-mini'
    """

    grow: str


@dataclasses.dataclass(frozen=True)
class _Place:
    """The places of a smaller network's parameter in the parameter of the larger network."""

    source: str  # name of the parameter in the smaller network
    indices: tuple[Tensor, ...]  # of each axis

    def entries(self) -> tuple[Tensor, ...]:
        """Index of all these entries."""
        return torch.meshgrid(*self.indices, indexing="ij")


def grown_weights(
    checkpoint: str | Path, architecture: TimerS1Architecture, seed: int = 0
) -> dict[str, Tensor]:
    """Grow a checkpoint to a larger architecture; forecasts stay the same up to rounding.

    Parameters
    ----------
    checkpoint : str or Path
        Folder, registry name or hub id of a checkpoint with serial blocks.
    architecture : TimerS1Architecture
        At least as wide as the architecture of the checkpoint, with heads of the same size and at
        least as many main blocks. All other sizes are equal.
    seed : int
        Seed of the random weights.

    Returns
    -------
    dict of str to Tensor
        The state of a `timer_forecaster.models.timer_s1.TimerS1Network` of the architecture.

    Raises
    ------
    ValueError
        If the architecture is not a larger one of the same kind.

    Examples
    --------
    >>> import dataclasses
    >>> from timer_forecaster.checkpoints.registry import find_checkpoint
    >>> from timer_forecaster.models.timer_s1 import TimerS1Architecture
    >>> from timer_forecaster.pretraining.growth import grown_weights
    >>> small = TimerS1Architecture.from_config_file(
    ...     find_checkpoint("timer-s1-test") / "config.json")
    >>> deeper = dataclasses.replace(small, num_hidden_layers=small.num_hidden_layers + 1)
    >>> len(grown_weights("timer-s1-test", deeper)) > len(grown_weights("timer-s1-test", small))
    True
    """
    small = _architecture_of(checkpoint)
    network = TimerS1Network(architecture)
    network.reset_parameters(torch.Generator().manual_seed(seed))
    grown = {name: value.detach().clone() for name, value in network.state_dict().items()}
    places = dict(_places(small, architecture, grown))
    inherited = load_weights(checkpoint)
    for name, value in grown.items():
        place = places.get(name)
        if place is None:
            if name.endswith(_WRITERS):
                value.zero_()  # a new block
            continue
        old = inherited[place.source]
        _silence_new(name, value, place)
        if "norm" in name:
            old = old * (small.hidden_size / architecture.hidden_size) ** 0.5
        value[place.entries()] = old
    return grown


def inherited_entries(
    checkpoint: str | Path, architecture: TimerS1Architecture
) -> dict[str, Tensor]:
    """Return masks of the entries that a grown network has from the smaller checkpoint.

    Parameters
    ----------
    checkpoint : str or Path
        Folder, registry name or hub id of the smaller checkpoint.
    architecture : TimerS1Architecture
        The larger architecture.

    Returns
    -------
    dict of str to Tensor of bool
        One mask of the shape of each parameter.
    """
    shapes = parameter_shapes(architecture)
    masks = {name: torch.zeros(shape, dtype=torch.bool) for name, shape in shapes.items()}
    for name, place in _places(_architecture_of(checkpoint), architecture, masks):
        masks[name][place.entries()] = True
    return masks


def _architecture_of(checkpoint: str | Path) -> TimerS1Architecture:
    folder = find_checkpoint(str(checkpoint), weights=False)
    return TimerS1Architecture.from_config_file(folder / "config.json")


def _silence_new(name: str, value: Tensor, place: _Place) -> None:
    """Set weights to zero that write to new channels, or read new heads or units."""
    if name.endswith(_WRITERS):
        value[_others(len(value), place.indices[0])] = 0.0
    if name.endswith(_UNIT_READERS):
        value[:, _others(value.shape[1], place.indices[1])] = 0.0


def _others(size: int, index: Tensor) -> Tensor:
    kept = torch.ones(size, dtype=torch.bool)
    kept[index] = False
    return kept


def _places(
    small: TimerS1Architecture, large: TimerS1Architecture, parameters: dict[str, Tensor]
) -> Iterator[tuple[str, _Place]]:
    """Return the places of the smaller network in all parameters of the larger one."""
    _check_larger(small, large)
    shapes = parameter_shapes(small)
    position = {new: old for old, new in enumerate(_kept_layers(small, large))}
    for name in parameters:
        source = name
        if name.startswith("model.layers."):
            _, _, layer, rest = name.split(".", 3)
            if int(layer) not in position:
                continue
            source = f"model.layers.{position[int(layer)]}.{rest}"
        indices = [torch.arange(size) for size in shapes[source]]
        if name.endswith("projection_matrix.weight"):  # reads hidden states, then embeddings
            first, second = indices[1].chunk(2)
            indices[1] = torch.cat([first, second - small.hidden_size + large.hidden_size])
        yield name, _Place(source, tuple(indices))


def _kept_layers(small: TimerS1Architecture, large: TimerS1Architecture) -> list[int]:
    """Spread the main blocks of the smaller network evenly over the larger one."""
    ratio = large.num_hidden_layers / small.num_hidden_layers
    return [int(layer * ratio) for layer in range(small.num_hidden_layers)]


def _check_larger(small: TimerS1Architecture, large: TimerS1Architecture) -> None:
    for name in _MUST_STAY:
        if getattr(small, name) != getattr(large, name):
            raise ValueError(
                f"{name}={getattr(large, name)!r} must stay {getattr(small, name)!r} as in the "
                "checkpoint that is grown"
            )
    for name in _MAY_GROW:
        if getattr(small, name) > getattr(large, name):
            raise ValueError(
                f"{name}={getattr(large, name)} is less than {getattr(small, name)} of the "
                "checkpoint that is grown"
            )
    head_sizes = [a.hidden_size // a.num_attention_heads for a in (small, large)]
    if head_sizes[0] != head_sizes[1]:
        raise ValueError(
            f"hidden_size={large.hidden_size} and num_attention_heads={large.num_attention_heads} "
            f"make heads of {head_sizes[1]}; those of the checkpoint that is grown have "
            f"{head_sizes[0]}"
        )
