"""Where a mixture-of-experts forecaster sends a series."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclasses.dataclass(frozen=True, eq=False)
class Routing:
    """Use of the experts by each series.

    Parameters
    ----------
    shares : ndarray, shape (n_series, n_blocks, n_experts)
        Share of the routing choices of a series' patches that went to each expert; the main
        blocks come first, then the serial ones. They sum to 1 over the experts.

    Examples
    --------
    >>> import numpy as np
    >>> from timer_forecaster import ForecastPipeline
    >>> pipe = ForecastPipeline.from_pretrained("timer-s1-mini")
    >>> routing = pipe.routing([np.sin(np.arange(200) / 4), np.arange(90.0)])
    >>> routing.shares.shape
    (2, 11, 4)
    """

    shares: NDArray[np.float64]

    def plot(self, series: int | None = None, ax: Any = None) -> Any:
        """Draw the use of the experts, block by block; needs matplotlib.

        Parameters
        ----------
        series : int, optional
            Which series to draw. Default: the mean of all.
        ax : matplotlib axes, optional
            Where to draw. Default: new axes.

        Returns
        -------
        matplotlib axes
        """
        from timer_forecaster.plotting import plot_shares

        return plot_shares(ax, self.shares.mean(axis=0) if series is None else self.shares[series])
