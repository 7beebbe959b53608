"""How covariates changed a forecast: weights, the rolling check and the effect of each column."""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from timer_forecaster.arrays import FloatArray

if TYPE_CHECKING:
    import pandas as pd

PLAIN = "univariate"
"""Name of the forecast without covariates."""


@dataclasses.dataclass(frozen=True, eq=False)
class CovariateReport:
    """Weights of the models, outcome of the rolling check and effects of columns, by series.

    Parameters
    ----------
    models : sequence of str
        ``"univariate"``, then the linear models.
    weights : ndarray, shape (n_series, models)
        They sum to 1. A model that a series cannot have, as a logarithmic one of negative values,
        has weight 0.
    t : ndarray, shape (n_series,)
        Mean gain of a window of the check by its standard error; NaN where there were too few
        windows.
    gain : ndarray, shape (n_series,)
        Share of the quantile loss that covariates saved in windows that the weights were not fitted
        to; NaN as above.
    windows : ndarray of int, shape (n_series,)
        Windows of the check.
    columns : sequence of tuple of hashable
        Columns of each series.
    effects : sequence of ndarray, each of shape (columns, horizon)
        Difference that each column makes to the median, against its mean in the history. Sums of
        terms of the models by their weights; on the logarithmic scale a column with part ``p`` of a
        forecast ``y`` adds ``y * (1 - exp(-p))``.

    Examples
    --------
    >>> import numpy as np
    >>> from timer_forecaster import ForecastPipeline
    >>> random = np.random.default_rng(0)
    >>> price = random.uniform(1, 2, size=212)
    >>> sold = 50 - 20 * price[:200] + random.normal(size=200)
    >>> pipe = ForecastPipeline.from_pretrained("timer-s1-small")
    >>> report = pipe.predict(sold, 12, known=price[:, None], covariates="fast").covariates
    >>> bool(report.gain[0] > 0.5)  # the price saves more than half of the loss
    True
    """

    models: Sequence[str]
    weights: FloatArray
    t: FloatArray
    gain: FloatArray
    windows: Any
    columns: Sequence[tuple[Hashable, ...]]
    effects: Sequence[FloatArray]

    def to_frame(self) -> pd.DataFrame:
        """Return a row for each series: ``series``, ``windows``, ``t``, ``gain``, the weights.

        Returns
        -------
        pandas.DataFrame

        Examples
        --------
        >>> import numpy as np
        >>> from timer_forecaster import ForecastPipeline
        >>> random = np.random.default_rng(0)
        >>> price = random.uniform(1, 2, size=212)
        >>> sold = 50 - 20 * price[:200] + random.normal(size=200)
        >>> pipe = ForecastPipeline.from_pretrained("timer-s1-small")
        >>> report = pipe.predict(sold, 12, known=price[:, None], covariates="fast").covariates
        >>> report.to_frame().columns.tolist()[:5]
        ['series', 'windows', 't', 'gain', 'weight univariate']
        """
        import pandas as pd

        frame = pd.DataFrame(
            {
                "series": np.arange(len(self.t)),
                "windows": self.windows,
                "t": self.t,
                "gain": self.gain,
            }
        )
        weights = pd.DataFrame(self.weights, columns=[f"weight {name}" for name in self.models])
        return pd.concat([frame, weights], axis=1)

    def effects_frame(self) -> pd.DataFrame:
        """Return a row for each series, column and step: ``series, column, step, effect``.

        Returns
        -------
        pandas.DataFrame

        Examples
        --------
        >>> import numpy as np
        >>> from timer_forecaster import ForecastPipeline
        >>> random = np.random.default_rng(0)
        >>> price = random.uniform(1, 2, size=212)
        >>> sold = 50 - 20 * price[:200] + random.normal(size=200)
        >>> pipe = ForecastPipeline.from_pretrained("timer-s1-small")
        >>> report = pipe.predict(sold, 12, known=price[:, None], covariates="fast").covariates
        >>> effects = report.effects_frame()["effect"]
        >>> bool(np.corrcoef(effects, price[200:])[0, 1] < -0.9)  # a higher price sells less
        True
        """
        import pandas as pd

        parts = [
            pd.DataFrame(
                {
                    "series": number,
                    "column": [name for name in names for _ in range(effects.shape[1])],
                    "step": np.tile(np.arange(1, effects.shape[1] + 1), len(names)),
                    "effect": effects.ravel(),
                }
            )
            for number, (names, effects) in enumerate(zip(self.columns, self.effects, strict=True))
        ]
        return pd.concat(parts, ignore_index=True)

    def plot(self, series: int = 0, ax: Any = None) -> Any:
        """Draw the effect of each column over the horizon of one series; needs matplotlib.

        Parameters
        ----------
        series : int
            Number of the series to draw.
        ax : matplotlib axes, optional
            Axes to draw in. Default: new axes.

        Returns
        -------
        matplotlib axes

        Examples
        --------
        >>> import numpy as np
        >>> from timer_forecaster import ForecastPipeline
        >>> random = np.random.default_rng(0)
        >>> price = random.uniform(1, 2, size=212)
        >>> sold = 50 - 20 * price[:200] + random.normal(size=200)
        >>> pipe = ForecastPipeline.from_pretrained("timer-s1-small")
        >>> report = pipe.predict(sold, 12, known=price[:, None], covariates="fast").covariates
        >>> axes = report.plot()
        """
        from timer_forecaster.plotting import plot_effects

        return plot_effects(ax, self.columns[series], self.effects[series])
