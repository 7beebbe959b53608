"""A network whose tuned weights are private and can be trained, and whose others are frozen."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor, nn

from timer_forecaster.checkpoints.key import NetworkKey
from timer_forecaster.checkpoints.layout import is_large
from timer_forecaster.checkpoints.loading import plain_network
from timer_forecaster.models.timer_s1 import TimerS1Architecture, TimerS1Network
from timer_forecaster.models.timer_s1.adaptation import adapted
from timer_forecaster.models.timer_s1.targets import replaced_by, widened_by_lora


class Trainable:
    """What is trained of a network, in float32, and the network that it is part of.

    Parameters
    ----------
    frozen : TimerS1Network
        Plain, of one's own; it is not changed.
    parameters : mapping of str to Parameter
        Weights to train, by name; see `timer_forecaster.models.timer_s1.adaptation.adapted`.

    Attributes
    ----------
    network : TimerS1Network
        Computes with the parameters.
    parameters : dict of str to Parameter
    """

    def __init__(self, frozen: TimerS1Network, parameters: Mapping[str, nn.Parameter]) -> None:
        self.parameters = dict(parameters)
        self.network = adapted(frozen, self.parameters)
        self.frozen = frozen

    def weights(self) -> dict[str, Tensor]:
        """Copy the parameters as they are now, to the CPU."""
        return {name: value.detach().cpu().clone() for name, value in self.parameters.items()}


@torch.inference_mode(False)  # weights made in it could take no part in a backward pass
def load_frozen(key: NetworkKey) -> TimerS1Network:
    """Load a network to train parts of: in float32, or as the key says if it is large.

    Large ones stay mapped from their files where they are stored in that type.
    """
    network = plain_network(key)
    if is_large(network):
        return network
    return network.to(torch.promote_types(torch.float32, network.dtype))


def own_copies(frozen: TimerS1Network, names: Iterable[str]) -> dict[str, nn.Parameter]:
    """Copy weights of a network in float32 or wider, to be trained."""
    wide = torch.promote_types(torch.float32, frozen.dtype)
    return {
        name: nn.Parameter(frozen.get_parameter(name).detach().to(wide, copy=True))
        for name in names
    }


def drawn_low_rank(
    frozen: TimerS1Network, layers: Iterable[str], rank: int, generator: Generator
) -> dict[str, nn.Parameter]:
    """Draw low-rank matrices for layers: they add nothing yet, as the second ones are zero.

    The first ones are drawn uniformly as `torch.nn.Linear` draws its weights (Hu et al., 2022).
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
    frozen: TimerS1Network,
    target: str,
    *,
    start: Mapping[str, Tensor] | None = None,
    lora_rank: int = 8,
    hot_experts: Mapping[str, Iterable[int]] | None = None,
    seed: int = 0,
) -> Trainable:
    """Make what a target trains of a network.

    Parameters
    ----------
    frozen : TimerS1Network
        As of `load_frozen`.
    target : str
        One of `timer_forecaster.finetuning.config.TARGETS`.
    start : mapping of str to Tensor, optional
        Weights to go on from, of this target or some of them, and any others to be trained beside
        them. Default: those of the network.
    lora_rank, seed : int
        Rank of low-rank matrices, and the seed that they are drawn by, without a start.
    hot_experts : mapping of str to iterable of int, optional
        See `timer_forecaster.models.timer_s1.targets.widened_by_lora`.
    """
    names = [name for name, _ in frozen.named_parameters()]
    if start:
        wide = torch.promote_types(torch.float32, frozen.dtype)
        copies = {name: nn.Parameter(value.to(wide, copy=True)) for name, value in start.items()}
        return Trainable(frozen, own_copies(frozen, replaced_by(target, names)) | copies)
    if target == "lora":
        layers = widened_by_lora(names, hot_experts)
        generator = Generator().manual_seed(seed)
        return Trainable(frozen, drawn_low_rank(frozen, layers, lora_rank, generator))
    return Trainable(frozen, own_copies(frozen, replaced_by(target, names)))


def hot_experts(
    config: TimerS1Architecture, shares: NDArray[np.float64], share: float
) -> dict[str, list[int]]:
    """Choose the experts of each block that are used most.

    Parameters
    ----------
    config : TimerS1Architecture
    shares : ndarray, shape (blocks, experts)
        Of the routing choices: the main blocks, then the serial blocks that run.
    share : float
        Of the experts that are chosen, rounded up.

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
