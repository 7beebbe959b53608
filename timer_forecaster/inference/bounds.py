"""Forecasts that are never negative: of which series, and what their histories may hold."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from timer_forecaster.arrays import FloatArray
from timer_forecaster.failures import Failures
from timer_forecaster.inference.multiscale import LOOK_BACK
from timer_forecaster.inference.options import ForecastOptions
from timer_forecaster.inference.readings import is_nonnegative
from timer_forecaster.models.network import Architecture


def nonnegative_of(
    config: Architecture, series: Sequence[FloatArray], options: ForecastOptions
) -> NDArray[np.bool_]:
    """Return whether the forecast of each series is cut off at zero, shape (n_series,).

    Parameters
    ----------
    config : Architecture
    series : sequence of ndarray, each of shape (steps,)
        The histories, NaN where missing.
    options : ForecastOptions
    """
    if options.nonnegative != "auto":
        return np.full(len(series), bool(options.nonnegative))
    if not options.transforms(config):
        return np.zeros(len(series), dtype=bool)
    newest = options.context_length or LOOK_BACK
    return np.array([is_nonnegative(values[-newest:]) for values in series], dtype=bool)


def cut_off(quantiles: FloatArray, nonnegative: NDArray[np.bool_]) -> None:
    """Cut quantiles (n_series, horizon, Q) of some series (n_series,) off at zero, in place."""
    np.maximum(quantiles, 0.0, out=quantiles, where=nonnegative[:, None, None])


def check_signs(
    config: Architecture,
    series: Sequence[FloatArray],
    options: ForecastOptions,
    failures: Failures,
    whole: bool = False,
) -> None:
    """Refuse negative values in what a forecast can read, if forecasts are never negative.

    Parameters
    ----------
    config : Architecture
    series : sequence of ndarray, each of shape (steps,)
    options : ForecastOptions
    failures : Failures
        Notes such series, or raises.
    whole : bool
        Whether forecasts of all steps are asked for, and not only of those after the newest one.

    Raises
    ------
    ValueError
        The error names the series.
    """
    if options.nonnegative is not True:
        return
    newest = options.longest_history(config)
    for number, values in enumerate(series):
        recent = values if whole else values[-newest:]
        least = np.min(recent, where=np.isfinite(recent), initial=0.0)
        if least < 0 and number not in failures.reasons:
            reason = (
                f"series[{number}] has negative values, down to {least:g}, and nonnegative=True is "
                "for series that have none; leave nonnegative out, or make them missing (NaN)"
            )
            failures.add(number, ValueError(reason))
