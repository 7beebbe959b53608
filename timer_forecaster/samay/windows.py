"""Windows of the rows of a file: a history, and the steps after it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from timer_forecaster.arrays import FloatArray


class Windows(NamedTuple):
    """Windows whose futures lie in one part of a file.

    Parameters
    ----------
    padded : ndarray, shape (channels, context_len + rows)
        Missing values (NaN), and then the rows of the file.
    context_len, horizon_len : int
        Steps of a history and of a future.
    origins : ndarray of int
        The first row of each future.
    """

    padded: FloatArray
    context_len: int
    horizon_len: int
    origins: NDArray[np.intp]

    @classmethod
    def cut(
        cls, values: FloatArray, rows: range, context_len: int, horizon_len: int, stride: int
    ) -> Windows:
        """Cut windows, each ``stride`` rows after the one before.

        The last window ends with the last row, and may be nearer to the one before. So each row of
        the part is forecast if ``stride`` is not above ``horizon_len``. Histories reach back before
        the part. Those that would begin before the file begin with missing values. In the part that
        begins with the file, the rows of the first history are not forecast.

        Raises
        ------
        ValueError
            If the part is too short for one window. The error names both numbers.

        Examples
        --------
        >>> windows = Windows.cut(np.zeros((1, 100)), range(50, 73), 24, 4, 10)
        >>> windows.origins.tolist()
        [50, 60, 69]
        """
        if horizon_len > len(rows):
            raise ValueError(f"horizon_len={horizon_len} is longer than {_named(rows)}")
        first, last = rows.start or context_len, rows.stop - horizon_len
        if first > last:
            raise ValueError(
                f"context_len={context_len} and horizon_len={horizon_len} need "
                f"{context_len + horizon_len} rows, more than {_named(rows)}"
            )
        origins = np.unique(np.append(np.arange(first, last, stride), last))
        lead = np.full((len(values), context_len), np.nan)
        padded = np.concatenate([lead, values], axis=1)
        return cls(padded, context_len, horizon_len, origins)

    def histories(self, chosen: NDArray[np.intp] | slice = slice(None)) -> FloatArray:
        """Return histories (windows, channels, context_len) of all or some windows."""
        return self._at(self.origins[chosen], self.context_len)

    def futures(self, chosen: NDArray[np.intp] | slice = slice(None)) -> FloatArray:
        """Return futures (windows, channels, horizon_len) of all or some windows."""
        return self._at(self.origins[chosen] + self.context_len, self.horizon_len)

    def refuse_empty(self, read: FloatArray, names: Sequence[str], label: str) -> None:
        """Refuse histories without any value, which no forecast can be made from.

        Parameters
        ----------
        read : ndarray, shape (windows, channels, steps)
            Newest steps of the histories, as far as a network reads them.
        names : sequence of str
            Names of the channels.
        label : str
            Name of the data.

        Raises
        ------
        ValueError
            If a history has no value. The error names the column and the rows.
        """
        empty = np.argwhere(np.isnan(read).all(-1))
        if len(empty):
            window, channel = empty[0]
            stop = int(self.origins[window])
            raise ValueError(
                f"{label}: column {names[channel]!r} has no value in the rows "
                f"{max(0, stop - read.shape[-1])} to {stop - 1}, which a forecast is made from; "
                "fill them, or leave the column out by target_columns"
            )

    def _at(self, starts: NDArray[np.intp], length: int) -> FloatArray:
        cut = sliding_window_view(self.padded, length, axis=1).swapaxes(0, 1)  # (starts, C, length)
        return cut[starts]


def _named(rows: range) -> str:
    return f"the part to forecast, which has {len(rows)} rows ({rows.start} to {rows.stop - 1})"
