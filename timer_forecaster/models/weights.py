"""Names and shapes of new weights, and of low-rank matrices beside weights."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from torch import Tensor

LORA_NAME = re.compile(r"(?P<layer>.+)\.(?P<side>lora_[AB])\.weight")
"""Matches the name of a low-rank matrix."""


def check_weights(shapes: Mapping[str, torch.Size], weights: Mapping[str, Tensor]) -> None:
    """Check that a network has weights of these names and shapes, or layers for the matrices.

    Parameters
    ----------
    shapes : mapping of str to torch.Size
        Shapes of the weights of the network; see `timer_forecaster.models.tuning.parameter_shapes`.
    weights : mapping of str to Tensor
        Weights and low-rank matrices; see `timer_forecaster.models.tuning.adapted`.

    Raises
    ------
    ValueError
        If a weight does not fit; the error names the first.
    """
    for name, value in weights.items():
        lora = LORA_NAME.fullmatch(name)
        if lora:
            _check_low_rank(shapes, weights, lora["layer"])
        elif name not in shapes:
            raise ValueError(f"weights are given for {name!r}, which the network does not have")
        elif value.shape != shapes[name]:
            raise ValueError(
                f"the weights given for {name!r} have the shape {tuple(value.shape)}, and the "
                f"weights of the network {tuple(shapes[name])}"
            )


def _check_low_rank(
    shapes: Mapping[str, torch.Size], weights: Mapping[str, Tensor], layer: str
) -> None:
    shape = shapes.get(f"{layer}.weight", ())
    if len(shape) != 2:
        raise ValueError(
            f"low-rank matrices are given for {layer!r}, which is no linear layer of the network"
        )
    pair = [weights.get(f"{layer}.{side}.weight") for side in ("lora_A", "lora_B")]
    found = [None if matrix is None else tuple(matrix.shape) for matrix in pair]
    rank = found[0][0] if found[0] else 0
    if found != [(rank, shape[1]), (shape[0], rank)]:
        raise ValueError(
            f"the low-rank matrices of {layer!r} must have the shapes (rank, {shape[1]}) and "
            f"({shape[0]}, rank), and lora_A has {found[0]}, lora_B {found[1]}"
        )
