"""A checkpoint that teaches a smaller network: its quantiles beside the true values.

A true value is one draw from the distribution that the network shall learn, and the gradients of
single draws are noisy. The quantiles of a larger network say what it knows of the whole
distribution (Hinton, Vinyals and Dean, "Distilling the knowledge in a neural network", 2015).

Shapes in comments: B batch, T steps of a context, H of a forecast, Q levels.
"""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from timer_forecaster.inference import ForecastPipeline
from timer_forecaster.models.ttm.batches import ContextBatch
from timer_forecaster.pretraining.limits import settle_shares
from timer_forecaster.settings import settle_plain


@dataclasses.dataclass(frozen=True, kw_only=True)
class TeacherSettings:
    """A teacher, and its part of the loss.

    Parameters
    ----------
    checkpoint : str
        Folder, registry name or hub id of any checkpoint.
    share : float
        Weight of the distance to the quantiles of the teacher, between 0 and 1. The pinball loss of
        the true values has the rest.

    Examples
    --------
    >>> from timer_forecaster.pretraining import TeacherSettings
    >>> TeacherSettings(checkpoint="timer-s1-mini").share
    0.75
    """

    checkpoint: str
    share: float = 0.75

    def __post_init__(self) -> None:
        """Check the share."""
        settle_plain(self)
        settle_shares(self, "share", where=" of the teacher")


class TaughtBatch(NamedTuple):
    """A batch with the quantiles of a teacher; the first four fields are as in `ContextBatch`."""

    past: Tensor  # (B, T)
    observed: Tensor  # (B, T)
    targets: Tensor  # (B, H)
    known: Tensor  # (B, H)
    taught: Tensor  # (B, Q, H) on the scale of the contexts


class Teacher:
    """A checkpoint that forecasts the contexts of batches.

    Parameters
    ----------
    checkpoint : str
        Folder, registry name or hub id.
    levels : tuple of float
        Quantile levels of the network that is taught.
    device : torch.device
        The device of the batches.
    """

    def __init__(self, checkpoint: str, levels: tuple[float, ...], device: torch.device) -> None:
        self._pipeline = ForecastPipeline.from_pretrained(checkpoint, device=str(device))
        self._levels = levels

    def label(self, batch: ContextBatch) -> TaughtBatch:
        """Add the quantiles of the teacher, which sees the values that the network sees."""
        contexts = batch.past.double().cpu().numpy()
        observed = batch.observed.cpu().numpy() > 0
        rows = [_row(context, seen) for context, seen in zip(contexts, observed, strict=True)]
        horizon = batch.targets.shape[-1]
        forecast = self._pipeline.predict(rows, horizon)
        quantiles = np.stack([forecast.quantile(level) for level in self._levels], axis=1)
        taught = torch.as_tensor(quantiles, dtype=torch.float32, device=batch.past.device)
        return TaughtBatch(*batch, taught)


def mirrored(batch: TaughtBatch) -> TaughtBatch:
    """Return the batch with the sign of all values changed, for levels symmetric about 0.5."""
    return batch._replace(past=-batch.past, targets=-batch.targets, taught=-batch.taught.flip(1))


def _row(context: NDArray[np.float64], seen: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return a context with NaN in its gaps, from its first value on; zero if there is none."""
    if not seen.any():
        return np.zeros(1)
    return np.where(seen, context, np.nan)[seen.argmax() :]
