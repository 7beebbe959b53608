"""The season of a series, found in its values."""

from __future__ import annotations

import numpy as np

from timer_forecaster.arrays import FloatArray
from timer_forecaster.inference.scaling import filled

_NEWEST = 4096  # steps that are looked at
_SHORTEST = 4  # steps of a season
_MOST_OF_SERIES = 3  # a season must fit so many times
_LEAST = 0.2  # autocorrelation of a season
_AS_GOOD = 0.85  # share of the largest autocorrelation that a shorter season needs
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
    correlations = _autocorrelations(_flattened(filled(values[-_NEWEST:])))
    inner = correlations[1:-1]
    peaks = 1 + np.flatnonzero((inner >= correlations[:-2]) & (inner > correlations[2:]))
    peaks = peaks[peaks >= _SHORTEST]
    if not len(peaks) or correlations[peaks].max() < _LEAST:
        return 0
    good = correlations[peaks] >= _AS_GOOD * correlations[peaks].max()
    return int(peaks[good][0])


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
