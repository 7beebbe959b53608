"""Outputs of a network that are no answer: NaN, and values beyond the range of floats."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from timer_forecaster.arrays import FloatArray
from timer_forecaster.failures import Failures

HUGE = 1e300
"""A series with larger values may have forecasts beyond float64."""


def check_outcome(
    outcome: FloatArray,
    series: Sequence[FloatArray],
    network: str,
    noun: str = "forecast",
    *,
    numbers: Sequence[int] | None = None,
    failures: Failures | None = None,
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
    numbers : sequence of int, optional
        Numbers of the series in errors. Default: from 0.
    failures : Failures, optional
        Notes series whose output goes beyond the range of floats; NaN takes its place. Default:
        raise.

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
    failures = failures or Failures()
    bad = (~np.isfinite(outcome.reshape(len(outcome), -1))).any(axis=1)
    for place in np.flatnonzero(bad).tolist():
        number = place if numbers is None else numbers[place]
        peak = float(np.nanmax(np.abs(series[place])))
        if peak <= HUGE:
            raise ValueError(
                f"the {noun} of series[{number}] is not finite: {network} computes NaN or infinite "
                "values; its weights or its config.json are damaged"
            )
        reason = (
            f"the {noun} of series[{number}] by {network} goes beyond the range of float64: its "
            f"values reach {peak:.3g}; divide the series by a power of ten"
        )
        failures.add(number, ValueError(reason))
        outcome[place] = np.nan


def check_range(values: FloatArray, noun: str, quantiles: FloatArray) -> FloatArray:
    """Return values that were made from quantiles, and refuse those beyond the range of floats.

    Parameters
    ----------
    values : ndarray, shape (n_series, horizon)
    noun : str
        Name of the values in errors.
    quantiles : ndarray, shape (n_series, horizon, Q)
        Steps of NaN have no forecast, and have NaN as values.

    Raises
    ------
    ValueError
        If another value is NaN or infinite. The error names the series.

    Examples
    --------
    >>> import numpy as np
    >>> check_range(np.array([[1.0, np.nan]]), "variance", np.array([[[0.0, 2.0], [np.nan] * 2]]))
    array([[ 1., nan]])
    """
    bad = ~np.isfinite(values)
    if bad.any():
        bad &= np.isfinite(quantiles).all(axis=-1)
    if bad.any():
        raise ValueError(
            f"the {noun} of series[{int(np.argwhere(bad)[0][0])}] goes beyond the range of "
            "float64; divide the series by a power of ten"
        )
    return values


def room_for(n_rows: int, horizon: int, n_quantiles: int) -> FloatArray:
    """Return an array for quantiles (n_rows, horizon, n_quantiles).

    Raises
    ------
    ValueError
        If the memory cannot hold it. The error names the horizon.
    """
    try:
        return np.empty((n_rows, horizon, n_quantiles))
    except (ValueError, MemoryError) as error:
        raise ValueError(
            f"horizon={horizon}: the quantiles of {n_rows} rows do not fit in memory; ask for "
            "fewer steps"
        ) from error
