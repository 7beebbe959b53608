"""Windows of rolling origins in series."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from timer_forecaster.arrays import FloatArray
from timer_forecaster.backtesting.settings import BacktestSettings
from timer_forecaster.evaluation.metrics import seasonal_errors


@dataclass(frozen=True, eq=False)
class Windows:
    """Windows of series, those of the first series first, each series' oldest first.

    Parameters
    ----------
    number : ndarray of int, shape (n,)
        Number of the series of each window.
    origin : ndarray of int, shape (n,)
        Steps of the series before each window.
    horizon : int
        Steps of each window.
    """

    number: NDArray[np.intp]
    origin: NDArray[np.intp]
    horizon: int

    def __len__(self) -> int:
        """Return the number of windows."""
        return len(self.number)

    @property
    def steps(self) -> NDArray[np.intp]:
        """The steps of each window in its series, shape (n, horizon)."""
        return self.origin[:, None] + np.arange(self.horizon)

    def in_rows(self, width: int) -> NDArray[np.intp]:
        """Return the windows in an order where those that a network reads as one row follow."""
        return np.lexsort((self.number, self.origin, self.number // width))

    def targets(self, series: Sequence[FloatArray]) -> FloatArray:
        """Return the values (n, horizon) of the windows, NaN where missing."""
        pairs = zip(self.number.tolist(), self.origin.tolist(), strict=True)
        parts = [series[i][at : at + self.horizon] for i, at in pairs]
        return np.stack(parts) if parts else np.empty((0, self.horizon))

    def scales(self, series: Sequence[FloatArray], seasonality: Sequence[int]) -> FloatArray:
        """Return the seasonal error of the steps before each window, the scale of MASE."""
        scales = np.empty(len(self))
        for number, rows in self.by_series().items():
            ends = self.origin[rows]
            scales[rows] = seasonal_errors(series[number], ends, seasonality[number])
        return scales

    def by_series(self) -> dict[int, slice]:
        """Return the places of the windows of each series that has some."""
        numbers, starts = np.unique(self.number, return_index=True)
        stops = [*starts[1:].tolist(), len(self)]
        return {
            number: slice(start, stop)
            for number, start, stop in zip(numbers.tolist(), starts.tolist(), stops, strict=True)
        }


def lay_windows(
    series: Sequence[FloatArray],
    settings: BacktestSettings,
    *,
    reads: int,
    width: int = 1,
    without: Collection[int] = (),
) -> Windows:
    """Lay windows at the ends of series, which are their last values.

    A window needs a value to forecast from, and one to compare with. Series that a network reads as
    one row have their windows together.

    Parameters
    ----------
    series : sequence of ndarray, each of shape (steps,)
        NaN where missing.
    settings : BacktestSettings
    reads : int
        Newest steps that a network reads: one of them needs a value.
    width : int
        Consecutive series that a network reads as one row.
    without : collection of int
        Series without windows.
    """
    numbers: list[int] = []
    origins: list[int] = []
    for start in range(0, len(series), width):
        row = range(start, start + width)
        if any(number in without for number in row):
            continue
        if len({len(series[number]) for number in row}) == 1:
            found = _origins([series[number] for number in row], settings, reads)
            for number in row:
                numbers += [number] * len(found)
                origins += found
    return Windows(np.array(numbers, np.intp), np.array(origins, np.intp), settings.horizon)


def _origins(row: Sequence[FloatArray], settings: BacktestSettings, reads: int) -> list[int]:
    """Return the origins of the windows of series of one length, oldest first."""
    observed = ~np.isnan(np.stack(row))
    if not observed.any(axis=1).all():
        return []
    steps, horizon = int(np.flatnonzero(observed.any(axis=0))[-1]) + 1, settings.horizon
    first = int(observed.argmax(axis=1).max())
    assert settings.step is not None and settings.min_history is not None  # noqa: S101
    newest = steps - horizon
    n_windows = min(settings.windows, max(0, newest) // settings.step + 1)  # more do not fit
    origins = newest - settings.step * np.arange(n_windows)[::-1]
    origins = origins[origins >= first + settings.min_history]
    counts = np.concatenate([np.zeros((len(row), 1), int), observed.cumsum(axis=1)], axis=1)
    seen = counts[:, origins] - counts[:, np.maximum(0, origins - reads)]
    ahead = counts[:, origins + horizon] - counts[:, origins]
    usable = (seen > 0).all(axis=0) & (ahead > 0).any(axis=0)
    found: list[int] = origins[usable].tolist()
    return found
