"""Networks that differ from a shared network in a few weights, and share all other weights."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from timer_forecaster.models.ttm.architecture import TTMArchitecture
from timer_forecaster.models.ttm.decomposition import TTMDecomposedNetwork, make_network
from timer_forecaster.models.ttm.network import TTMNetwork
from timer_forecaster.models.weightless import weightless
from timer_forecaster.models.weights import LORA_NAME, check_weights

_NONE: Mapping[str, Any] = MappingProxyType({})


class WidenedLinear(nn.Linear):
    """A linear layer with the product of two low-rank matrices added to its weight.

    Parameters
    ----------
    base : nn.Linear
        Its weights are shared.
    lora_a : Parameter, shape (rank, in size)
    lora_b : Parameter, shape (out size, rank)
    """

    def __init__(self, base: nn.Linear, lora_a: nn.Parameter, lora_b: nn.Parameter) -> None:
        with weightless():
            super().__init__(base.in_features, base.out_features, base.bias is not None)
        self.weight, self.bias = base.weight, base.bias
        self.lora_a, self.lora_b = lora_a, lora_b

    def forward(self, x: Tensor) -> Tensor:
        """Map (..., in size) to (..., out size)."""
        return super().forward(x) + F.linear(F.linear(x, self.lora_a), self.lora_b)


def parameter_shapes(
    config: TTMArchitecture, changes: Mapping[str, Any] = _NONE
) -> dict[str, torch.Size]:
    """Return the shape of each weight of a plain network, by its name."""
    return dict(_shapes(dataclasses.replace(config, **changes)))


@lru_cache(maxsize=16)
def _shapes(config: TTMArchitecture) -> Mapping[str, torch.Size]:
    with weightless():
        network = make_network(config)
    return {name: value.shape for name, value in network.named_parameters()}


def adapted(
    network: TTMNetwork | TTMDecomposedNetwork,
    weights: Mapping[str, Tensor],
    changes: Mapping[str, Any] = _NONE,
) -> TTMNetwork | TTMDecomposedNetwork:
    """Return a network with some new weights that shares all other weights with a base.

    The base does not change, and its weights are not copied.

    Parameters
    ----------
    network : TTMNetwork or TTMDecomposedNetwork
        The base.
    weights : mapping of str to Tensor
        New weights; see `timer_forecaster.models.tuning.adapted`. They compute in the type of the
        base. A parameter of this type stays the same object.
    changes : mapping of str to object
        Fields of the architecture that become others. All weights that the base does not have must
        be given.

    Returns
    -------
    TTMNetwork or TTMDecomposedNetwork

    Raises
    ------
    ValueError
        If the network has no such weights, or weights of another shape, or if a weight is missing.
    """
    with weightless():
        own = make_network(dataclasses.replace(network.config, **changes))
    shapes = {name: value.shape for name, value in own.named_parameters()}
    check_weights(shapes, weights)
    shared = dict(network.named_parameters())
    for name, shape in shapes.items():
        value = weights[name] if name in weights else shared.get(name)
        if value is None or value.shape != shape:
            raise ValueError(f"a weight is missing: {name!r}, which the network of the base lacks")
        layer, leaf = _place(own, name)
        layer._parameters[leaf] = _parameter(value, network.dtype)
    for name, buffer in network.named_buffers():
        layer, leaf = _place(own, name)
        layer._buffers[leaf] = buffer
    _widen(own, weights, network.dtype)
    return own.eval()


def _place(network: nn.Module, name: str) -> tuple[nn.Module, str]:
    """Return the module that has a parameter, and the name of the parameter in it."""
    path, _, leaf = name.rpartition(".")
    return network.get_submodule(path), leaf


def _parameter(value: Tensor, dtype: torch.dtype) -> nn.Parameter:
    if isinstance(value, nn.Parameter) and value.dtype == dtype:
        return value
    return nn.Parameter(value.detach().to(dtype), requires_grad=False)


def _widen(network: nn.Module, weights: Mapping[str, Tensor], dtype: torch.dtype) -> None:
    """Replace the layers that have low-rank matrices."""
    layers = {found["layer"] for found in map(LORA_NAME.fullmatch, weights) if found}
    for layer in sorted(layers):
        pair = (_parameter(weights[f"{layer}.lora_{side}.weight"], dtype) for side in "AB")
        parent, leaf = _place(network, layer)
        linear = cast("nn.Linear", parent.get_submodule(leaf))
        parent._modules[leaf] = WidenedLinear(linear, *pair)
