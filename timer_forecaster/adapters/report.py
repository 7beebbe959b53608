"""The report of a finetuning, which its adapter keeps."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

__all__ = ["TuningReport"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class TuningReport:
    """The report of a finetuning, of plain numbers, because it is stored as JSON.

    Parameters
    ----------
    status : {"improved", "not improved", "collapsed", "diverged", "not finite"}
        The result. The new weights are kept only if it is ``"improved"``.
    message : str
        The result in a sentence.
    target : str
        The weights that were trained.
    n_parameters : int
        Number of these weights.
    steps, best_step : int
        Steps that were taken, and the step with the least validation loss.
    seconds : float
        Wall-clock time.
    loss_before, loss_after : float
        Validation loss before the finetuning and with the weights that were kept. It is the loss
        that the checkpoint was trained with, in normalized units.
    training : sequence of (int, float)
        Step, and mean training loss since the entry before.
    validation : sequence of (int, float)
        Step and validation loss.
    expert_use_before, expert_use_after : nested sequences of shape (blocks, experts)
        Share of each expert in the routing choices for the validation windows.
    n_series, n_windows : int
        Number of series for training, and of windows for validation.

    Examples
    --------
    >>> import numpy as np
    >>> from timer_forecaster import ForecastPipeline
    >>> from timer_forecaster.finetuning import FinetuneConfig, finetune
    >>> pipe = ForecastPipeline.from_pretrained("timer-s1-test")
    >>> adapter = finetune(pipe, np.sin(np.arange(300) / 5), FinetuneConfig(steps=3))
    >>> adapter.report.steps, adapter.report.target
    (3, 'router+head')
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
        """Whether the new weights were kept."""
        return self.status == "improved"

    def __str__(self) -> str:
        """Return the result in a few lines."""
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
        """Draw the losses, and the use of the experts before and after; needs matplotlib.

        Returns
        -------
        matplotlib Figure
            A figure that pyplot does not manage.

        Examples
        --------
        >>> import numpy as np
        >>> from timer_forecaster import ForecastPipeline
        >>> from timer_forecaster.finetuning import FinetuneConfig, finetune
        >>> pipe = ForecastPipeline.from_pretrained("timer-s1-test")
        >>> adapter = finetune(pipe, np.sin(np.arange(300) / 5), FinetuneConfig(steps=3))
        >>> adapter.report.plot().savefig("losses.png")
        """
        from timer_forecaster.plotting import plot_tuning

        return plot_tuning(
            self.training,
            self.validation,
            self.best_step if self.improved else 0,
            np.asarray(self.expert_use_before),
            np.asarray(self.expert_use_after),
        )
