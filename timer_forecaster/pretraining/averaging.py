"""Values kept beside the weights in training: their average, and inherited weights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn


class WeightAverage:
    """Exponential moving average of a network's parameters.

    At a constant learning rate the weights circle a better place without coming to rest. Their
    average is nearer to it.

    Parameters
    ----------
    network : nn.Module
        The network in training.
    decay : float
        Decay of the average per step. It is smaller in the first steps, so that the average soon
        forgets the start of the run.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.decay, self.steps = decay, 0
        self._parameters = dict(network.named_parameters())
        self._average = {name: p.detach().clone() for name, p in self._parameters.items()}

    @torch.no_grad()
    def update(self) -> None:
        """Add the weights of one more step."""
        self.steps += 1
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))
        torch._foreach_lerp_(
            list(self._average.values()), list(self._parameters.values()), 1 - decay
        )

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Run the network on the average instead of its weights, inside a context."""
        weights = {name: p.detach().clone() for name, p in self._parameters.items()}
        self._assign(self._average)
        try:
            yield
        finally:
            self._assign(weights)

    def state_dict(self) -> dict[str, Any]:
        """Return the state for a checkpoint."""
        return {"steps": self.steps, "average": self._average}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore the state of a checkpoint."""
        self.steps = state["steps"]
        for name, value in self._average.items():
            value.copy_(state["average"][name])

    @torch.no_grad()
    def _assign(self, values: Mapping[str, Tensor]) -> None:
        for name, parameter in self._parameters.items():
            parameter.copy_(values[name])


class InheritedWeights:
    """Slows down the weights that a network inherited from a smaller one.

    After each step of any optimizer, the inherited entries keep a part of their change only.

    Parameters
    ----------
    network : nn.Module
        The network in training.
    masks : mapping of str to Tensor of bool
        True for the inherited entries of each parameter. Other parameters have none.
    """

    def __init__(self, network: nn.Module, masks: Mapping[str, Tensor]) -> None:
        self._parameters = {n: p for n, p in network.named_parameters() if n in masks}
        self._masks = {n: masks[n].to(p.device) for n, p in self._parameters.items()}

    @contextmanager
    def held_back(self, factor: float) -> Iterator[None]:
        """Scale the steps of optimizers inside a context by a factor; 1 changes nothing."""
        if factor == 1:
            yield
            return
        before = {name: p.detach().clone() for name, p in self._parameters.items()}
        yield
        with torch.no_grad():
            for name, parameter in self._parameters.items():
                part = torch.where(self._masks[name], factor, 1.0)
                parameter.copy_(torch.lerp(before[name], parameter, part))
