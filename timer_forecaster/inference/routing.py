"""The experts to which a mixture-of-experts network sends the patches of series."""

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
        Share of the routing choices of the patches of a series that went to each expert. The main
        blocks come first, then the serial ones. Shares sum to 1 over the experts.

    Examples
    --------
    >>> import numpy as np
    >>> from timer_forecaster import ForecastPipeline
    >>> pipe = ForecastPipeline.from_pretrained("timer-s1-small")
    >>> routing = pipe.routing([np.sin(np.arange(200) / 4), np.arange(90.0)])
    >>> routing.shares.shape
    (2, 15, 4)
    """

    shares: NDArray[np.float64]

    def plot(self, series: int | None = None, ax: Any = None) -> Any:
        """Draw the use of the experts, block by block; needs matplotlib.

        Parameters
        ----------
        series : int, optional
            The series to draw. Default: the mean of all.
        ax : matplotlib axes, optional
            Axes to draw in. Default: new axes.

        Returns
        -------
        matplotlib axes

        Examples
        --------
        >>> import numpy as np
        >>> from timer_forecaster import ForecastPipeline
        >>> pipe = ForecastPipeline.from_pretrained("timer-s1-small")
        >>> axes = pipe.routing(np.sin(np.arange(200) / 4)).plot()
        """
        from timer_forecaster.plotting import plot_shares

        return plot_shares(ax, self.shares.mean(axis=0) if series is None else self.shares[series])
