"""Guards of finetuning: the validated loss, and whether the routers still choose experts."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch

from timer_forecaster.arrays import FloatArray
from timer_forecaster.finetuning.objectives.choice import beside, objective_of
from timer_forecaster.finetuning.objectives.parts import on_scale_of, standardized
from timer_forecaster.inference import ForecastPipeline
from timer_forecaster.inference.frequency import Frequency
from timer_forecaster.inference.frequency_warning import FrequencyWarning
from timer_forecaster.models.network import Network

DIVERGED = 1.5
"""Ratio of the validated loss to the loss before, above which the training is stopped."""

COLLAPSED = 1 / 3
"""Ratio of `spare_experts` to its value before, below which the routers have collapsed."""

MOST_NOT_FINITE = 3
"""Number of steps without a finite loss and gradient after which the training is stopped."""


_SOME_SPARE = 0.25  # experts


class TuningWarning(UserWarning):
    """Finetuning has changed nothing. The message gives the reason.

    Examples
    --------
    >>> import warnings
    >>> import numpy as np
    >>> from timer_forecaster import ForecastPipeline
    >>> from timer_forecaster.finetuning import FinetuneConfig, TuningWarning, finetune
    >>> pipe = ForecastPipeline.from_pretrained("timer-s1-test")
    >>> config = FinetuneConfig(steps=2, learning_rate=1e-12)  # nothing can be learned
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore", TuningWarning)
    ...     adapter = finetune(pipe, np.sin(np.arange(300) / 5), config)
    >>> adapter.is_identity
    True
    """


class Validation(NamedTuple):
    """The losses of a network on the windows that validate, and its routing."""

    losses: FloatArray  # (windows,)
    shares: FloatArray  # (blocks, experts) of the routing choices; empty without experts

    @property
    def loss(self) -> float:
        """Mean loss of the windows."""
        return float(self.losses.mean())


_NO_EXPERTS = np.zeros((0, 0))


@torch.no_grad()
def validate(network: Network, batches: Sequence[Any]) -> Validation:
    """Forecast the windows that validate, and count the experts that their patches are sent to."""
    objective = objective_of(network)
    losses, counts = [], []
    for windows in batches:
        quantiles, logits = objective.window_pass(network, windows)
        found = objective.window_losses(network, quantiles, windows)
        losses.append(found.double().cpu().numpy())
        if objective.expert_use is not None:
            counts.append(objective.expert_use(network, windows, logits))
    if not counts:
        return Validation(np.concatenate(losses), _NO_EXPERTS)
    totals = np.sum(counts, axis=0)
    return Validation(np.concatenate(losses), totals / totals.sum(axis=-1, keepdims=True))


@torch.no_grad()
def validate_pipeline(
    pipe: ForecastPipeline,
    network: Network,
    contexts: Sequence[FloatArray],
    targets: FloatArray,
    frequencies: Sequence[Frequency] | None = None,
) -> Validation:
    """Return the losses of the forecasts of a pipeline, quantiles of past errors included.

    Parameters
    ----------
    pipe : ForecastPipeline
    network : Network
        Its network.
    contexts : sequence of ndarray, each (steps,)
    targets : ndarray, shape (windows, steps)
        NaN where missing.
    frequencies : sequence of Frequency, optional
        Of each window, for a network that reads them.
    """
    objective = objective_of(network)
    windows = objective.make_windows(network, contexts, targets, **beside(frequencies))
    rows = standardized(network, contexts, targets).rows
    freq = None if frequencies is None else [*frequencies]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FrequencyWarning)  # the caller has warned
        # The contexts are transformed already, if they are to be.
        forecast = pipe.predict(contexts, targets.shape[1], freq=freq, quality="plain").quantiles
    own = [on_scale_of(*pair).T for pair in zip(rows, forecast, strict=True)]
    quantiles = torch.from_numpy(np.stack(own)).to(windows.target)
    losses = objective.window_losses(network, quantiles, windows)
    return Validation(losses.double().cpu().numpy(), _NO_EXPERTS)


def spare_experts(shares: FloatArray, top_k: int) -> float:
    """Return the effective number of experts beyond the number that each token needs.

    The effective number of a block is the exponential of the entropy of the shares. The result is
    the mean over the blocks. Routers that always choose the same ``top_k`` experts have 0.

    Parameters
    ----------
    shares : ndarray, shape (blocks, experts)
        Shares of the routing choices.
    top_k : int
        Number of experts that each token is sent to.
    """
    logs = np.log(shares, where=shares > 0, out=np.zeros_like(shares))
    effective = np.exp(-(shares * logs).sum(axis=-1))
    return float(effective.mean()) - top_k


def has_collapsed(before: Validation, after: Validation, top_k: int) -> bool:
    """Whether routers that chose between experts before hardly do so after."""
    if not before.shares.size:
        return False
    spare = spare_experts(before.shares, top_k)
    return spare > _SOME_SPARE and spare_experts(after.shares, top_k) < COLLAPSED * spare
