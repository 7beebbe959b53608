"""Learned weights of the atoms, for checkpoints and kinds of frequencies.

`python -m benchmarks.path_weights` learns the rows of a checkpoint from training data.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from timer_forecaster.arrays import FloatArray
from timer_forecaster.inference.frequency import Frequency

SUB_DAILY, SLOWER, UNKNOWN = "sub-daily", "daily and slower", "unknown"
"""Kinds of frequencies: steps below a day, other steps, and steps of which nothing is known."""

OF_OTHERS = "timer-s1-mini"
"""The checkpoint whose row ``"unknown"`` stands for checkpoints without rows of their own."""

ROWS = {
    "timer-s1-mini": {
        UNKNOWN: (0.040, 0.094, 0.190, 0.145, 0.080, 0.079, 0.109, 0.138, 0.036, 0.089),
        SUB_DAILY: (0.010, 0.047, 0.173, 0.147, 0.116, 0.038, 0.118, 0.164, 0.031, 0.155),
        SLOWER: (0.139, 0.069, 0.151, 0.231, 0.037, 0.194, 0.019, 0.090, 0.046, 0.024),
    },
    "timer-s1-small": {
        UNKNOWN: (0.042, 0.081, 0.185, 0.148, 0.085, 0.095, 0.106, 0.140, 0.020, 0.098),
        SUB_DAILY: (0.013, 0.046, 0.166, 0.145, 0.123, 0.049, 0.107, 0.166, 0.014, 0.172),
        SLOWER: (0.150, 0.052, 0.154, 0.220, 0.018, 0.190, 0.023, 0.118, 0.048, 0.027),
    },
    "ttm-mini": {
        UNKNOWN: (0.045, 0.100, 0.184, 0.135, 0.075, 0.059, 0.068, 0.136, 0.033, 0.164),
        SUB_DAILY: (0.025, 0.068, 0.197, 0.140, 0.086, 0.035, 0.072, 0.148, 0.025, 0.205),
        SLOWER: (0.131, 0.068, 0.114, 0.176, 0.079, 0.137, 0.014, 0.075, 0.076, 0.130),
    },
}
"""Weights in the order of `timer_forecaster.inference.sampling.copula.ATOMS`."""

_DAY = 24 * 60.0


def kind_of(frequency: Frequency) -> str:
    """Return the kind of a frequency.

    Steps without a fixed length are months, business days and the like, or business hours.

    Examples
    --------
    >>> from timer_forecaster.inference.frequency import as_frequencies
    >>> [kind_of(one) for one in as_frequencies(["15min", "B", "MS", "bh", 1], 5)]
    ['sub-daily', 'daily and slower', 'daily and slower', 'sub-daily', 'unknown']
    """
    if frequency.minutes is not None:
        return SUB_DAILY if frequency.minutes < _DAY else SLOWER
    if frequency.name is None:
        return UNKNOWN
    return SUB_DAILY if frequency.name.lower().endswith("bh") else SLOWER


def weights_of(checkpoint: str, frequencies: Sequence[Frequency]) -> FloatArray:
    """Return the learned weights of the atoms for series.

    Parameters
    ----------
    checkpoint : str
        Its name in the registry. Other networks, folders among them, take the row for unknown
        frequencies of `OF_OTHERS`.
    frequencies : sequence of Frequency
        Of each series.

    Returns
    -------
    ndarray, shape (n_series, K)
        Rows of sum 1.
    """
    own = ROWS.get(checkpoint, {})
    other = ROWS[OF_OTHERS][UNKNOWN]
    by_kind = {kind: _normalized(own.get(kind, other)) for kind in (SUB_DAILY, SLOWER, UNKNOWN)}
    rows = [by_kind[kind_of(frequency)] for frequency in frequencies]
    return np.array(rows).reshape(len(rows), len(other))


def _normalized(row: Sequence[float]) -> FloatArray:
    return np.array(row) / np.sum(row)
