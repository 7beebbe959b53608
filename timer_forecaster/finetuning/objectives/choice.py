"""The objective of a network: the functions that its family is finetuned with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol, cast

from torch import Tensor

from timer_forecaster.arrays import FloatArray
from timer_forecaster.finetuning.objectives.parts import Passed, Terms
from timer_forecaster.inference.frequency import Frequency
from timer_forecaster.models.families import family_of
from timer_forecaster.models.network import Network


class Steps(Protocol):
    """Draws batches of windows, and computes their losses."""

    def of(self, trained: Any) -> AbstractContextManager[Callable[[], Terms | None]]:
        """Return a function of the losses of the next batch; None if nothing of it counts.

        Parameters
        ----------
        trained : Trainable
        """


class Objective(Protocol):
    """The functions of an objective."""

    make_windows: Callable[..., Any]
    """Windows that validate, of (network, contexts, targets); see `beside`."""
    window_pass: Callable[..., Passed]
    """Quantiles on the scale of the contexts, of (network, windows)."""
    window_losses: Callable[..., Tensor]
    """The loss of each window, of (network, quantiles, windows)."""
    windows_at_once: Callable[..., int]
    """Number of windows in a pass, of (network, steps of the longest context)."""
    TrainingSteps: Callable[..., Steps]
    """Batches to train on, of (network, series, config, context_length, horizon); see `beside`."""
    expert_use: Callable[..., FloatArray] | None
    """Numbers of routing choices (blocks, experts), of (network, windows, router logits); None
    without experts."""
    new_parts: Callable[..., Any]
    """Weights of parts that a target adds to the network, or None, of (network, target, steps,
    seed, known columns)."""


def beside(
    frequencies: Sequence[Frequency] | None, known: Sequence[FloatArray] | None = None
) -> dict[str, Any]:
    """Return the further arguments for networks that read frequencies or known columns."""
    given = {"frequencies": frequencies, "known": known}
    return {name: one for name, one in given.items() if one is not None}


def objective_of(network: Network) -> Objective:
    """Return the objective of the family of a network, which is imported at its first use."""
    room = "timer_forecaster.finetuning.objectives"
    return cast(Objective, family_of(network.config).in_room(room))
