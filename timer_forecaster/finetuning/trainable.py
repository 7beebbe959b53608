"""A network with private weights that are trained, and shared weights that are frozen."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor, nn

from timer_forecaster.checkpoints.key import NetworkKey
from timer_forecaster.checkpoints.layout import is_large
from timer_forecaster.checkpoints.loading import plain_network
from timer_forecaster.models.network import Network
from timer_forecaster.models.timer_s1 import TimerS1Architecture
from timer_forecaster.models.tuning import adapted, replaced_by, widened_by_lora

_NONE: Mapping[str, Any] = MappingProxyType({})


class Trainable:
    """Weights to train, in float32, and the network that computes with them.

    Parameters
    ----------
    frozen : Network
        Network in its plain form. It is not changed.
    parameters : mapping of str to Parameter
        Weights to train, by name; see `timer_forecaster.models.tuning.adapted`.
    architecture : mapping of str to object
        Fields of the architecture that become others, where the weights make new parts.

    Attributes
    ----------
    network : Network
        Network that computes with the parameters.
    parameters : dict of str to Parameter
    """

    def __init__(
        self,
        frozen: Network,
        parameters: Mapping[str, nn.Parameter],
        architecture: Mapping[str, Any] = _NONE,
    ) -> None:
        self.parameters, self.architecture = dict(parameters), dict(architecture)
        self.network = adapted(frozen, self.parameters, self.architecture)
        self.frozen = frozen

    def weights(self) -> dict[str, Tensor]:
        """Return copies of the current parameters, on the CPU."""
        return {name: value.detach().cpu().clone() for name, value in self.parameters.items()}


@torch.inference_mode(False)  # tensors made in that mode cannot be part of a backward pass
def load_frozen(key: NetworkKey) -> Network:
    """Load a network to finetune: in float32, or in the type of the key if it is large.

    A large network stays mapped from its files if it is stored in that type.
    """
    network = plain_network(key)
    if is_large(network):
        return network
    return network.to(torch.promote_types(torch.float32, network.dtype))


def own_copies(frozen: Network, names: Iterable[str]) -> dict[str, nn.Parameter]:
    """Copy weights of a network as parameters, in float32 or wider."""
    wide = torch.promote_types(torch.float32, frozen.dtype)
    return {
        name: nn.Parameter(frozen.get_parameter(name).detach().to(wide, copy=True))
        for name in names
    }


def drawn_low_rank(
    frozen: Network, layers: Iterable[str], rank: int, generator: Generator
) -> dict[str, nn.Parameter]:
    """Draw two low-rank matrices for each layer: a random first and a zero second matrix.

    So they add nothing at the start. The first matrix is drawn uniformly, as `torch.nn.Linear`
    draws its weights (Hu et al., 2022).
    """
    wide = torch.promote_types(torch.float32, frozen.dtype)
    drawn = {}
    for layer in layers:
        weight = frozen.get_parameter(f"{layer}.weight")
        n_out, n_in = weight.shape
        uniform = torch.rand(rank, n_in, generator=generator, dtype=wide)
        first = (2 * uniform - 1) / math.sqrt(n_in)
        drawn[f"{layer}.lora_A.weight"] = nn.Parameter(first.to(weight.device))
        second = torch.zeros(n_out, rank, dtype=wide, device=weight.device)
        drawn[f"{layer}.lora_B.weight"] = nn.Parameter(second)
    return drawn


def trainable(
    frozen: Network,
    target: str,
    *,
    start: Mapping[str, Tensor] | None = None,
    architecture: Mapping[str, Any] = _NONE,
    lora_rank: int = 8,
    hot_experts: Mapping[str, Iterable[int]] | None = None,
    seed: int = 0,
) -> Trainable:
    """Return the weights that a target trains, as parameters of a network.

    Parameters
    ----------
    frozen : Network
        Network from `load_frozen`.
    target : str
        One of the targets of the family.
    start : mapping of str to Tensor, optional
        Initial weights: any weights of this target, and further weights to train. Default: the
        weights of the network.
    architecture : mapping of str to object
        Fields of the architecture that the initial weights need.
    lora_rank, seed : int
        Rank of low-rank matrices, and the seed of their values, if there is no ``start``.
    hot_experts : mapping of str to iterable of int, optional
        See `timer_forecaster.models.tuning.widened_by_lora`.
    """
    config, names = frozen.config, [name for name, _ in frozen.named_parameters()]
    if start:
        wide = torch.promote_types(torch.float32, frozen.dtype)
        copies = {name: nn.Parameter(value.to(wide, copy=True)) for name, value in start.items()}
        own = own_copies(frozen, replaced_by(config, target, names))
        return Trainable(frozen, own | copies, architecture)
    if target == "lora":
        layers = widened_by_lora(config, names, hot_experts)
        generator = Generator().manual_seed(seed)
        return Trainable(frozen, drawn_low_rank(frozen, layers, lora_rank, generator))
    return Trainable(frozen, own_copies(frozen, replaced_by(config, target, names)))


def hot_experts(
    config: TimerS1Architecture, shares: NDArray[np.float64], share: float
) -> dict[str, list[int]]:
    """Return the experts of each block that are used most.

    Parameters
    ----------
    config : TimerS1Architecture
    shares : ndarray, shape (blocks, experts)
        Shares of the routing choices: the main blocks, then the serial blocks that run.
    share : float
        Share of the experts to return, rounded up.

    Returns
    -------
    dict of str to list of int
        Numbers of the experts, by the name of their block's list.
    """
    n_chosen = math.ceil(share * config.num_experts)
    main = [f"model.layers.{i}.ffn_layer.experts" for i in range(config.num_hidden_layers)]
    serial = [f"mtp_modules.{i}.layer.ffn_layer.experts" for i in range(config.num_mtp_tokens)]
    order = np.argsort(-shares, axis=-1, kind="stable")[:, :n_chosen]
    return dict(zip([*main, *serial], order.tolist(), strict=False))
