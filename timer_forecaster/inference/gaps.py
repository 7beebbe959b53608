"""Missing values of a series, as far as a network reads it better without them.

A network reads a missing step as a mask. It was trained on few masks, and two kinds of gaps cost
much accuracy: those in most patches, such as closed days and nights, and those at the end. Short
gaps become straight lines. A gap at the end is forecast, and the forecast of the steps after it is
that of a longer horizon. Long gaps stay masks. `docs/inference.md` has the measured gains.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from timer_forecaster.arrays import FloatArray
from timer_forecaster.inference.channels import grouped, width_of
from timer_forecaster.inference.options import ForecastOptions
from timer_forecaster.inference.scaling import squarable_unit
from timer_forecaster.models.network import Network

_SHORT = 3  # steps of a gap that is filled in any series
_FREQUENT = 15  # steps of a gap that is filled in a series with gaps in most of its patches
_PATCH = 16
_NEWEST = 2048  # steps that tell whether gaps are frequent


def bridged(values: FloatArray) -> FloatArray:
    """Return a series with straight lines over its short gaps.

    Parameters
    ----------
    values : ndarray, shape (steps,)
        NaN where missing.

    Returns
    -------
    ndarray, shape (steps,)
        Gaps of at most 3 steps are filled, and gaps of at most 15 steps if more than half of the
        patches of 16 steps have a gap. The series itself if nothing is filled.

    Examples
    --------
    >>> import numpy as np
    >>> bridged(np.array([1.0, np.nan, 3.0] + [np.nan] * 4 + [8.0])).tolist()
    [1.0, 2.0, 3.0, nan, nan, nan, nan, 8.0]
    """
    missing = np.isnan(values)
    if not missing.any() or missing.all():
        return values
    seen = np.flatnonzero(~missing)
    lengths = np.diff(seen) - 1
    is_short = lengths <= (_FREQUENT if _are_frequent(missing[seen[0] :]) else _SHORT)
    inside = seen[0] + np.flatnonzero(missing[seen[0] : seen[-1]])
    steps = inside[np.repeat(is_short, lengths)]
    if not len(steps):
        return values
    unit = squarable_unit(values)  # differences of large values may exceed all floats
    filled = values.copy()
    filled[steps] = np.interp(steps, seen, values[seen] / unit) * unit
    return filled


def _are_frequent(missing: NDArray[np.bool_]) -> bool:
    """Whether more than half of the newest patches from the first value on lack a value."""
    newest = missing[-_NEWEST:]
    patches = newest[len(newest) % _PATCH :].reshape(-1, _PATCH)
    return bool(len(patches) and patches.any(axis=1).mean() > 0.5)


def forecast_beyond_gaps(
    forecast: Callable[[Sequence[FloatArray], Sequence[int], int], FloatArray],
    series: Sequence[FloatArray],
    width: int,
    horizon: int,
    longest: int,
) -> FloatArray:
    """Forecast series from their newest values on, with straight lines over their short gaps.

    Steps before the first value do not count.

    Parameters
    ----------
    forecast : callable (series, numbers, horizon) -> ndarray
        Forecasts some series, of the numbers. The result has the shape (n_series, horizon, Q).
    series : sequence of ndarray, each of shape (steps,)
        NaN where missing.
    width : int
        Number of consecutive series that are read together, and have one horizon.
    horizon : int
        Steps after the last step of each series, missing or not.
    longest : int
        Steps of a gap at the end that is forecast. A longer one stays.

    Returns
    -------
    ndarray, shape (n_series, horizon, Q)
    """
    by_gap: dict[int, list[int]] = {}
    starts: list[int] = []
    for row in grouped(range(len(series)), width):
        own = [series[i] for i in row]
        by_gap.setdefault(_gap_of(own, longest), []).extend(row)
        starts += [min(int(np.isnan(values).argmin()) for values in own)] * len(row)
    parts: list[FloatArray] = []
    order: list[int] = []
    for gap, numbers in by_gap.items():
        given = [bridged(series[i][starts[i] : len(series[i]) - gap]) for i in numbers]
        parts.append(forecast(given, numbers, horizon + gap)[:, gap:])
        order += numbers
    return parts[0] if len(parts) == 1 else np.concatenate(parts)[np.argsort(order)]


def newest_read(
    series: Sequence[FloatArray], network: Network, horizon: int, options: ForecastOptions
) -> list[FloatArray]:
    """Return the newest steps of series, as many as a forecast depends on.

    The steps are counted from the newest value, since a gap at the end is forecast. Older steps
    than the network reads may tell how a series is transformed, or how wrong point forecasts are.

    Parameters
    ----------
    series : sequence of ndarray, each of shape (steps,)
        NaN where missing.
    network : Network
    horizon : int
    options : ForecastOptions

    Returns
    -------
    list of ndarray, each of shape (steps,)
    """
    config, longest, most = network.config, options.context_length, network.pass_length
    newest: list[FloatArray] = []
    for row in grouped(series, width_of(config)):
        gap = _gap_of(row, most)
        one_pass = horizon + gap <= most and not options.reads_beyond_pass(config)
        steps = (options.longest_context if one_pass else options.longest_history)(config) + gap
        steps = steps if longest is None else min(steps, longest)
        newest += [values[-steps:] for values in row]
    return newest


def _gap_of(row: Sequence[FloatArray], longest: int) -> int:
    """Return the steps at the end that all series of a row miss; 0 if they are too many."""
    gap = min(map(_missing_at_end, row))
    return gap if gap <= longest else 0


def _missing_at_end(values: FloatArray) -> int:
    """Return the number of missing steps after the newest value."""
    if not len(values) or values[-1] == values[-1]:
        return 0
    return int(np.isfinite(values[::-1]).argmax())
