"""The training loop of finetuning: steps, validations, and the end."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from tqdm.auto import tqdm

from timer_forecaster.finetuning.config import FinetuneConfig
from timer_forecaster.finetuning.guards import (
    DIVERGED,
    MOST_NOT_FINITE,
    Validation,
    has_collapsed,
    validate,
)
from timer_forecaster.finetuning.objectives.choice import Steps
from timer_forecaster.finetuning.objectives.parts import Terms, Windows
from timer_forecaster.finetuning.trainable import Trainable

MOST_VALIDATIONS = 10
"""Largest number of validations in a training."""

_WARM_UP = 0.05  # share of the steps in which the learning rate rises
_LOWEST_RATE = 0.1  # share of the peak, at the end
_AVERAGED = 0.9  # decay of the moving averages of the weights, which are validated and kept
_MOST_GRADIENT = 1.0  # largest norm of the gradient

Curve = list[tuple[int, float]]


class Best(NamedTuple):
    """The step with the lowest validated loss so far."""

    step: int
    validation: Validation
    weights: dict[str, Tensor]


class TuningFailedError(Exception):
    """The training cannot continue.

    Parameters
    ----------
    status : str
        A status of `timer_forecaster.finetuning.TuningReport`.
    reason : str
        The reason, for the message of the report.
    """

    def __init__(self, status: str, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class Loop:
    """Trains, and keeps the weights of the step with the lowest validated loss.

    Parameters
    ----------
    trained : Trainable
        The training changes it.
    steps : Steps
        Windows to train on, and their losses.
    windows : sequence of Windows
        Windows that validate.
    before : Validation
        Validation of these windows before the first step.
    config : FinetuneConfig

    Attributes
    ----------
    best : Best
    step : int
        Number of steps so far.
    training, validation : list of (int, float)
        Steps and their losses.
    """

    def __init__(
        self,
        trained: Trainable,
        steps: Steps,
        windows: Sequence[Windows],
        before: Validation,
        config: FinetuneConfig,
    ) -> None:
        self._trained, self._steps, self._windows = trained, steps, windows
        self._before, self._config = before, config
        self._parameters = list(trained.parameters.values())
        self._start = [value.detach().clone() for value in self._parameters]
        self._averages = [value.clone() for value in self._start]
        self._optimizer = torch.optim.Adam(self._parameters, betas=(0.9, 0.98))
        self._n_not_finite = 0
        self.best = Best(0, before, {})
        self.step = 0
        self.training: Curve = []
        self.validation: Curve = [(0, before.loss)]

    def run(self, progress: bool) -> None:
        """Train until all steps are done, or ``patience`` validations did not improve.

        Raises
        ------
        TuningFailedError
            If the training went wrong.
        """
        config, losses, n_worse = self._config, [], 0
        every = -(-config.steps // MOST_VALIDATIONS)
        with ExitStack() as stack:
            next_terms = stack.enter_context(self._steps.of(self._trained))
            bar = stack.enter_context(
                tqdm(total=config.steps, disable=not progress, desc="finetune")
            )
            while self.step < config.steps and n_worse < config.patience:
                losses.append(self._train_step(next_terms))
                bar.update()
                if self.step % every and self.step < config.steps:
                    continue
                if np.isfinite(losses).any():
                    self.training.append((self.step, float(np.nanmean(losses))))
                losses.clear()
                n_worse = 0 if self._improves() else n_worse + 1
                bar.set_postfix(validated=f"{self.validation[-1][1]:.4f}")

    def _train_step(self, next_terms: Callable[[], Terms | None]) -> float:
        """Take a step, and return its loss. A step without a finite gradient changes nothing."""
        self.step += 1
        config, terms = self._config, next_terms()
        if terms is None:
            return math.nan
        self._optimizer.zero_grad()
        terms.loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(self._parameters, _MOST_GRADIENT)
        loss, quantile = terms.loss.item(), terms.quantile.item()
        if not math.isfinite(loss) or not math.isfinite(norm.item()):
            self._n_not_finite += 1
            if self._n_not_finite > MOST_NOT_FINITE:
                raise TuningFailedError(
                    "not finite",
                    f"the loss or its gradient was not finite in {self._n_not_finite} of "
                    f"{self.step} steps; a lower learning_rate than "
                    f"{config.peak_learning_rate:g} may help",
                )
            return math.nan
        self._update(config.peak_learning_rate * _schedule(self.step, config.steps))
        return quantile

    @torch.no_grad()
    def _update(self, rate: float) -> None:
        """Step down the gradient, then decay towards the weights before the training."""
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        self._optimizer.step()
        # A rate above 1 would pull the weights that it ruins back to their start.
        decay = min(1.0, min(1.0, rate) * self._config.weight_decay)
        newest = max(1 - _AVERAGED, 1 / (1 + self.step))
        rows = zip(self._parameters, self._start, self._averages, strict=True)
        for parameter, start, average in rows:
            parameter.lerp_(start, decay)
            average.lerp_(parameter, newest)

    @contextmanager
    def _averaged(self) -> Iterator[None]:
        """Run the network on the moving averages of its weights meanwhile."""
        latest = [value.detach().clone() for value in self._parameters]
        self._set(self._averages)
        try:
            yield
        finally:
            self._set(latest)

    @torch.no_grad()
    def _set(self, values: Sequence[Tensor]) -> None:
        for parameter, value in zip(self._parameters, values, strict=True):
            parameter.copy_(value)

    def _improves(self) -> bool:
        """Validate, keep the weights if they are the best so far, and return whether they are.

        Raises
        ------
        TuningFailedError
            If the network forecasts far worse than before, or the routers have collapsed.
        """
        with self._averaged():
            now = validate(self._trained.network, self._windows)
            weights = self._trained.weights()
        before = self._before
        top_k = getattr(self._trained.frozen.config, "num_experts_per_token", 0)
        if math.isfinite(now.loss) and has_collapsed(before, now, top_k):
            raise TuningFailedError(
                "collapsed",
                f"after {self.step} steps the routers sent nearly everything to {top_k} of their "
                f"experts; a lower learning_rate than {self._config.peak_learning_rate:g}, or more "
                "router_kl or balance_loss, may help",
            )
        if not now.loss <= DIVERGED * before.loss:  # NaN included
            raise TuningFailedError(
                "diverged",
                f"after {self.step} steps the validated loss was {now.loss:.4g}, from "
                f"{before.loss:.4g} before; a lower learning_rate than "
                f"{self._config.peak_learning_rate:g} may help",
            )
        self.validation.append((self.step, now.loss))
        if now.loss >= self.best.validation.loss:
            return False
        self.best = Best(self.step, now, weights)
        return True


def _schedule(step: int, steps: int) -> float:
    """Return the share of the peak learning rate: a short rise, then a cosine to 10 %."""
    rise = max(1.0, _WARM_UP * steps)
    if step <= rise:
        return step / rise
    progress = (step - rise) / max(1.0, steps - rise)
    return _LOWEST_RATE + (1 - _LOWEST_RATE) * (1 + math.cos(math.pi * progress)) / 2
