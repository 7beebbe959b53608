"""The objective of a network: the functions that its family is finetuned with."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, NamedTuple, Protocol

from torch import Tensor

from timer_forecaster.arrays import FloatArray
from timer_forecaster.finetuning.objectives.parts import Passed, Terms
from timer_forecaster.models.families import TIMER_S1, TTM
from timer_forecaster.models.network import Network


class Steps(Protocol):
    """Draws batches of windows, and computes their losses."""

    def of(self, trained: Any) -> AbstractContextManager[Callable[[], Terms | None]]:
        """Return a function of the losses of the next batch; None if nothing of it counts.

        Parameters
        ----------
        trained : Trainable
        """


class Objective(NamedTuple):
    """The functions of an objective."""

    make_windows: Callable[..., Any]
    """Windows that validate, of (network, contexts, targets)."""
    window_pass: Callable[..., Passed]
    """Quantiles on the scale of the contexts, of (network, windows)."""
    window_losses: Callable[..., Tensor]
    """The loss of each window, of (network, quantiles, windows)."""
    windows_at_once: Callable[..., int]
    """Number of windows in a pass, of (network, steps of the longest context)."""
    make_steps: Callable[..., Steps]
    """Batches to train on, of (network, series, config, context_length, horizon)."""
    expert_use: Callable[..., FloatArray] | None
    """Numbers of routing choices (blocks, experts), of (network, windows, router logits)."""
    new_parts: Callable[..., Any]
    """Weights of parts that a target adds to the network, of (network, target, steps, seed, known
    columns)."""


def objective_of(network: Network) -> Objective:
    """Return the objective of the family of a network, which is imported at its first use."""
    return _OBJECTIVES[network.config.model_type]()


def _timer_s1() -> Objective:
    from timer_forecaster.finetuning.objectives import timer_s1

    return Objective(
        timer_s1.make_windows,
        timer_s1.window_pass,
        timer_s1.window_losses,
        timer_s1.windows_at_once,
        timer_s1.DenseSteps,
        timer_s1.expert_use,
        lambda *asked: None,
    )


def _ttm() -> Objective:
    from timer_forecaster.finetuning.objectives import ttm

    return Objective(
        ttm.make_windows,
        ttm.window_pass,
        ttm.window_losses,
        ttm.windows_at_once,
        ttm.WindowSteps,
        None,
        ttm.new_parts,
    )


_OBJECTIVES = {TIMER_S1: _timer_s1, TTM: _ttm}
