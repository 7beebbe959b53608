"""What the training loop asks of a family of networks, and the family of a run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import torch
from torch import Generator, Tensor, nn

from timer_forecaster.models.families import TIMER_S1, TTM
from timer_forecaster.pretraining.run_settings import RunSettings
from timer_forecaster.pretraining.teacher import Teacher
from timer_forecaster.pretraining.timer_s1 import TimerS1Family
from timer_forecaster.pretraining.ttm import TTMFamily


class Family(Protocol):
    """A family of networks in a run: its batches, its objective and its files."""

    @property
    def terms(self) -> tuple[str, ...]:
        """The terms of the objective, the loss first."""

    @property
    def validated(self) -> tuple[str, ...]:
        """The terms that validation reports."""

    @property
    def unit(self) -> str:
        """The noun that steps are counted in."""

    @property
    def longest_padded(self) -> int:
        """Steps of the longest windows that hold short series."""

    @property
    def passes(self) -> int:
        """Passes through the windows of a pool, which make other batches each time."""

    @property
    def muon(self) -> tuple[str, ...]:
        """Beginnings of the names of matrices for Muon."""

    def size(self, step: int, pool: int) -> tuple[int, int]:
        """Return the windows of a step and the steps of each; pools are counted in the stage."""

    def units(self, step: int) -> int:
        """Return the units of a step."""

    def held_out_steps(self) -> int:
        """Return the steps of a window of validation."""

    def batch(self, windows: Tensor, generator: Generator) -> NamedTuple:
        """Make a batch of raw windows; the first dimension of each tensor is the window."""

    def teacher(self, device: torch.device) -> Teacher | None:
        """Return the checkpoint that adds targets to batches, if there is one."""

    def network(self) -> nn.Module:
        """Make the network."""

    def initial_weights(self) -> dict[str, Tensor] | None:
        """Return the weights to start from."""

    def inherited_entries(self, network: nn.Module) -> dict[str, Tensor]:
        """Return which weights come from the initial checkpoint."""

    def objective(self, network: Any, device: torch.device, compiled: bool) -> nn.Module:
        """Return network and objective as one module; it maps batch and arguments to terms."""

    def arguments(self, step: int) -> tuple[Any, ...]:
        """Return the other arguments of the objective in a step."""

    def arguments_of_validation(self) -> tuple[Any, ...]:
        """Return the other arguments of the objective in validation."""

    def leaves_out_parameters(self) -> bool:
        """Return whether some steps use only a part of the network."""

    def export(
        self, network: Any, weights: dict[str, Tensor], folder: Path, dtype: torch.dtype
    ) -> None:
        """Write a checkpoint in the released layout."""


_FAMILIES: dict[str, Callable[[Any], Family]] = {TIMER_S1: TimerS1Family, TTM: TTMFamily}


def family_of(config: RunSettings[Any]) -> Family:
    """Return the family of the network of a run."""
    return _FAMILIES[config.architecture.model_type](config)
