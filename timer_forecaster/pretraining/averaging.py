"""What is kept beside the weights while they are trained: their average, and what they were."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

__all__ = ["InheritedWeights", "WeightAverage"]


class WeightAverage:
    """Exponential moving average of a network's parameters.

    At a constant learning rate the weights go round a better place without coming to rest; their
    average lies nearer to it.

    Parameters
    ----------
    network : nn.Module
        What is trained.
    decay : float
        Of the average, from step to step. In the first steps it is less, so that the average soon
        forgets where the run began.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.decay, self.steps = decay, 0
        self._parameters = dict(network.named_parameters())
        self._average = {name: p.detach().clone() for name, p in self._parameters.items()}

    @torch.no_grad()
    def update(self) -> None:
        """Take in the weights of one more step."""
        self.steps += 1
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))
        torch._foreach_lerp_(
            list(self._average.values()), list(self._parameters.values()), 1 - decay
        )

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Give the network the average instead of its weights, for a while."""
        weights = {name: p.detach().clone() for name, p in self._parameters.items()}
        self._assign(self._average)
        try:
            yield
        finally:
            self._assign(weights)

    def state_dict(self) -> dict[str, Any]:
        """Give what a checkpoint keeps."""
        return {"steps": self.steps, "average": self._average}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from what a checkpoint kept."""
        self.steps = state["steps"]
        for name, value in self._average.items():
            value.copy_(state["average"][name])

    @torch.no_grad()
    def _assign(self, values: Mapping[str, Tensor]) -> None:
        for name, parameter in self._parameters.items():
            parameter.copy_(values[name])


class InheritedWeights:
    """Lets the weights that a network inherited move less than the others in a step.

    Whatever the optimizer, the inherited entries go a part of the way that it took them.

    Parameters
    ----------
    network : nn.Module
        What is trained.
    masks : mapping of str to Tensor of bool
        Which entries of each parameter are inherited. Parameters that are not named have none.
    """

    def __init__(self, network: nn.Module, masks: Mapping[str, Tensor]) -> None:
        self._parameters = {n: p for n, p in network.named_parameters() if n in masks}
        self._masks = {n: masks[n].to(p.device) for n, p in self._parameters.items()}

    @contextmanager
    def held_back(self, factor: float) -> Iterator[None]:
        """Let the optimizers' steps inside count by a factor; 1 changes nothing."""
        if factor == 1:
            yield
            return
        before = {name: p.detach().clone() for name, p in self._parameters.items()}
        yield
        with torch.no_grad():
            for name, parameter in self._parameters.items():
                part = torch.where(self._masks[name], factor, 1.0)
                parameter.copy_(torch.lerp(before[name], parameter, part))
