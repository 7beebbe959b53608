"""The seasons of a series, found in its values."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from timer_forecaster.arrays import FloatArray
from timer_forecaster.inference.scaling import filled

_NEWEST = 4096  # steps that are looked at
_NEWEST_FOR_LONG = 8192
_SHORTEST = 4  # steps of a season
_MOST_OF_SERIES = 3  # a season must fit so many times
_LEAST = 0.2  # autocorrelation of a season
_AS_GOOD = 0.85  # share of the largest autocorrelation that a shorter season needs
_AS_GOOD_FOR_LONG = 0.97
_ROUNDING = 1e-12  # of values relative to the largest
_EXTREMES = 0.02  # share of values at both ends that are drawn in: spikes are no season


def dominant_period(values: FloatArray) -> int:
    """Return the steps of the season of a series, 0 if there is none.

    It is the smallest lag whose autocorrelation is a local maximum and nearly the largest one
    there is, of the newest 4,096 steps without their straight line.

    Parameters
    ----------
    values : ndarray, shape (steps,)
        NaN where missing, at least one value.

    Examples
    --------
    >>> import numpy as np
    >>> dominant_period(np.sin(np.arange(500) * 2 * np.pi / 24))
    24
    >>> dominant_period(np.arange(500.0))
    0
    """
    lags, correlations = _peaks(values[-_NEWEST:])
    return _first_as_good(lags, correlations, _AS_GOOD)


def short_and_long_period(values: FloatArray, least: int) -> tuple[int, int]:
    """Return the steps of the season of a series and of its long season, 0 where there is none.

    Both are found as `dominant_period` finds a season, in the newest 8,192 steps. A long season
    must be nearly as good as the best of its kind, so that a week is preferred to single days.

    Parameters
    ----------
    values : ndarray, shape (steps,)
        NaN where missing, at least one value.
    least : int
        Steps of the shortest long season.

    Examples
    --------
    >>> import numpy as np
    >>> step = np.arange(2000)
    >>> by_weekday = np.array([0, 1, 0, 2, 1, 4, 5])[step // 24 % 7]
    >>> short_and_long_period(6 * np.sin(step * 2 * np.pi / 24) + by_weekday, least=64)
    (24, 168)
    """
    lags, correlations = _peaks(values[-_NEWEST_FOR_LONG:])
    long = lags >= least
    return (
        _first_as_good(lags, correlations, _AS_GOOD),
        _first_as_good(lags[long], correlations[long], _AS_GOOD_FOR_LONG),
    )


def _peaks(values: FloatArray) -> tuple[NDArray[np.intp], FloatArray]:
    """Return the lags whose autocorrelation is a local maximum, and their autocorrelations."""
    correlations = _autocorrelations(_flattened(filled(values)))
    inner = correlations[1:-1]
    lags = 1 + np.flatnonzero((inner >= correlations[:-2]) & (inner > correlations[2:]))
    lags = lags[lags >= _SHORTEST]
    return lags, correlations[lags]


def _first_as_good(lags: NDArray[np.intp], correlations: FloatArray, share: float) -> int:
    """Return the first lag whose autocorrelation is nearly the largest, 0 if all are small."""
    largest = correlations.max(initial=0.0)
    return 0 if largest < _LEAST else int(lags[correlations >= share * largest][0])


def _flattened(values: FloatArray) -> FloatArray:
    """Return values without their straight line and without spikes, at most 1."""
    flat = values / (np.abs(values).max() or 1.0)
    place = np.linspace(-1.0, 1.0, len(flat))
    for _ in range(2):  # spikes tilt the first line
        flat = flat - flat.mean()
        flat = flat - place * (flat @ place) / max(float(place @ place), 1.0)
        flat = np.clip(flat, *np.quantile(flat, [_EXTREMES, 1 - _EXTREMES]))
    flat = flat - flat.mean()
    largest = float(np.abs(flat).max())
    return np.zeros(1) if largest <= _ROUNDING else np.asarray(flat / largest)


def _autocorrelations(values: FloatArray) -> FloatArray:
    """Return the autocorrelations of lags from 0 on, none of a constant."""
    steps = len(values)
    power = np.abs(np.fft.rfft(values, 2 * steps)) ** 2
    sums = np.fft.irfft(power)[: steps // _MOST_OF_SERIES]
    if len(sums) < _SHORTEST:
        return np.zeros(3)
    return np.asarray(sums / sums[0] * steps / (steps - np.arange(len(sums))))
