"""Outputs of a network that are no answer: NaN, and values beyond the range of floats."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from timer_forecaster.arrays import FloatArray

HUGE = 1e300
"""A series with larger values may have forecasts beyond float64."""


def check_outcome(
    outcome: FloatArray, series: Sequence[FloatArray], network: str, noun: str = "forecast"
) -> None:
    """Refuse the output of a network that is not finite.

    Parameters
    ----------
    outcome : ndarray, shape (n_series, ...)
    series : sequence of ndarray, each of shape (steps,)
        The series that it was made from.
    network : str
        Name of the network in errors.
    noun : str
        Name of the output in errors.

    Raises
    ------
    ValueError
        If a value is NaN or infinite. The error names the network and the first such series.

    Examples
    --------
    >>> import numpy as np
    >>> check_outcome(np.zeros((1, 24, 9)), [np.arange(50.0)], "checkpoint 'timer-s1-mini'")
    """
    if np.isfinite(outcome).all():
        return
    bad = int((~np.isfinite(outcome.reshape(len(outcome), -1))).any(axis=1).argmax())
    peak = float(np.nanmax(np.abs(series[bad])))
    if peak > HUGE:
        raise ValueError(
            f"the {noun} of series[{bad}] by {network} goes beyond the range of float64: its "
            f"values reach {peak:.3g}; divide the series by a power of ten"
        )
    raise ValueError(
        f"the {noun} of series[{bad}] is not finite: {network} computes NaN or infinite values; "
        "its weights or its config.json are damaged"
    )


def check_range(values: FloatArray, noun: str, series: int | None = None) -> FloatArray:
    """Return values of a forecast, shape (n_series, ...), and refuse infinite ones.

    With ``series``, all values are of the series of that number.

    Raises
    ------
    ValueError
        If a value is infinite. The error calls the values ``noun``, and names the series.

    Examples
    --------
    >>> import numpy as np
    >>> check_range(np.array([[1.0, np.nan]]), "variance")
    array([[ 1., nan]])
    """
    infinite = np.isinf(values)
    if infinite.any():
        first = int(np.argwhere(infinite)[0][0]) if series is None else series
        raise ValueError(
            f"the {noun} of series[{first}] goes beyond the range of float64; divide the series "
            "by a power of ten"
        )
    return values
