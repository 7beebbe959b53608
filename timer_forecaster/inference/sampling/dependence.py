"""What a forecast knows of the dependence between its steps, to draw paths without the network."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from timer_forecaster.arrays import FloatArray
from timer_forecaster.inference.frequency import UNKNOWN, Frequency
from timer_forecaster.inference.sampling.table import weights_of
from timer_forecaster.inference.series import keys_of


@dataclasses.dataclass(frozen=True, eq=False)
class Dependence:
    """Weights of the mixture, and the key of the random draws, of each series.

    Parameters
    ----------
    weights : ndarray, shape (n_series, K)
        Of the atoms of `timer_forecaster.inference.sampling.copula`; rows of sum 1.
    keys : tuple of int
        Of the values of each series; see `timer_forecaster.inference.sampling.seeds`.
    """

    weights: FloatArray
    keys: tuple[int, ...]

    @classmethod
    def of(
        cls, checkpoint: str, keys: Sequence[int], frequencies: Sequence[Frequency]
    ) -> Dependence:
        """Return the learned weights of a checkpoint for series of some frequencies."""
        return cls(weights_of(checkpoint, frequencies), tuple(keys))

    @classmethod
    def of_quantiles(cls, quantiles: FloatArray) -> Dependence:
        """Return the weights of an unknown checkpoint and frequency, and keys by quantiles.

        Parameters
        ----------
        quantiles : ndarray, shape (n_series, horizon, Q)
        """
        keys = keys_of([one.ravel() for one in quantiles])
        return cls.of("", keys, [UNKNOWN] * len(keys))

    def take(self, numbers: Sequence[int]) -> Dependence:
        """Return the dependence of some series."""
        own = np.asarray(numbers, dtype=np.intp)
        return Dependence(self.weights[own], tuple(self.keys[i] for i in own))
