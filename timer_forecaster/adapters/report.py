"""How a tuning went."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

__all__ = ["TuningReport"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class TuningReport:
    """How a tuning went; all numbers are plain ones, as it is stored as JSON.

    Parameters
    ----------
    status : {"improved", "not improved", "collapsed", "diverged", "not finite"}
        ``"improved"`` is the one with which the tuned weights were kept.
    message : str
        What happened, in a sentence.
    target : str
        What was trained.
    n_parameters : int
        How many numbers that is.
    steps, best_step : int
        Steps that were done, and the one whose weights validated best.
    seconds : float
        Wall-clock time.
    loss_before, loss_after : float
        Validated loss, of the kind that the checkpoint was trained by, in normalised units: before
        the tuning, and with the weights that were kept.
    training : sequence of (int, float)
        Step, and mean loss of the steps since the one before.
    validation : sequence of (int, float)
        Step and validated loss.
    expert_use_before, expert_use_after : nested sequences of shape (blocks, experts)
        Shares of the routing choices of the windows that validate.
    n_series, n_windows : int
        Series that were trained on, and windows that validated.
    """

    status: str
    message: str
    target: str
    n_parameters: int
    steps: int
    best_step: int
    seconds: float
    loss_before: float
    loss_after: float
    training: Sequence[tuple[int, float]]
    validation: Sequence[tuple[int, float]]
    expert_use_before: Sequence[Sequence[float]]
    expert_use_after: Sequence[Sequence[float]]
    n_series: int
    n_windows: int

    @property
    def improved(self) -> bool:
        """Whether the tuned weights were kept."""
        return self.status == "improved"

    def __str__(self) -> str:
        """Say in a few lines what was done and what came of it."""
        change = 100 * (self.loss_after / self.loss_before - 1) if self.loss_before else 0.0
        return "\n".join(
            [
                self.message,
                f"validated loss {self.loss_before:.4g} -> {self.loss_after:.4g} ({change:+.1f} %) "
                f"on {self.n_windows} windows",
                f"{self.target}: {self.n_parameters:,} parameters, {self.steps} steps, best at "
                f"{self.best_step}, {self.n_series} series, {self.seconds:.1f} s",
            ]
        )

    def plot(self) -> Any:
        """Draw the curves, and the use of the experts before and after; needs matplotlib.

        Returns
        -------
        matplotlib Figure
            Made without pyplot.
        """
        from timer_forecaster.plotting import plot_tuning

        return plot_tuning(
            self.training,
            self.validation,
            self.best_step if self.improved else 0,
            np.asarray(self.expert_use_before),
            np.asarray(self.expert_use_after),
        )
