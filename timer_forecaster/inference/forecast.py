"""The result of a forecast: quantiles of every series and step."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from timer_forecaster.arrays import FloatArray
from timer_forecaster.checks import check_integer, check_level, check_levels
from timer_forecaster.inference import quantiles as quantile_function
from timer_forecaster.inference.covariates.report import CovariateReport
from timer_forecaster.inference.outcome import check_range
from timer_forecaster.values import as_floats

if TYPE_CHECKING:
    import pandas as pd


@dataclasses.dataclass(frozen=True, eq=False)
class Forecast:
    """Quantile forecasts of one or more series.

    There is a quantile for every level in (0, 1): between the predicted levels the quantile
    function is linear, and beyond them it has exponential tails, fitted to the two outermost levels
    on each side; see `timer_forecaster.inference.quantiles`.

    Parameters
    ----------
    quantiles : ndarray, shape (n_series, horizon, n_levels)
        Values at the predicted levels, in the units of the series; they never cross.
    levels : tuple of float
        The predicted levels, ascending.
    failures : mapping of int to str
        Reasons by the number of the series, where ``on_error="nan"`` left NaN in place of a
        forecast.
    covariates : CovariateReport, optional
        How covariates took part, if they did.
    calibration : tuple of str
        Where the quantiles of each series come from: ``"trained"``, a head of the network that
        was trained for them; for a network that forecasts one value, ``"own"``, its errors at past
        origins of the series, or ``"table"``, errors of other series, where the series is too
        short. Empty if it was not recorded.

    Examples
    --------
    >>> import numpy as np
    >>> from timer_forecaster import ForecastPipeline
    >>> pipe = ForecastPipeline.from_pretrained("timer-s1-mini")
    >>> forecast = pipe.predict(np.sin(np.arange(200) / 4), horizon=12)
    >>> forecast.quantiles.shape
    (1, 12, 9)
    >>> lower, upper = forecast.interval(0.95)
    >>> bool((lower <= forecast.median).all() and (forecast.median <= upper).all())
    True
    """

    quantiles: FloatArray
    levels: tuple[float, ...]
    failures: Mapping[int, str] = dataclasses.field(default_factory=dict)
    covariates: CovariateReport | None = None
    calibration: tuple[str, ...] = ()

    @property
    def n_series(self) -> int:
        """Number of series."""
        return self.quantiles.shape[0]

    @property
    def horizon(self) -> int:
        """Number of forecast steps."""
        return self.quantiles.shape[1]

    @property
    def median(self) -> FloatArray:
        """Median, shape (n_series, horizon)."""
        return self.quantile(0.5)

    @property
    def mean(self) -> FloatArray:
        """Mean of the quantile function, tails included; shape (n_series, horizon)."""
        with np.errstate(over="ignore", invalid="ignore"):  # refused below
            mean = quantile_function.mean(self.quantiles, self.levels)
        return check_range(mean, "mean", self.quantiles)

    @property
    def variance(self) -> FloatArray:
        """Variance of the quantile function, tails included; shape (n_series, horizon)."""
        with np.errstate(over="ignore", invalid="ignore"):  # refused below
            variance = quantile_function.variance(self.quantiles, self.levels)
        return check_range(variance, "variance", self.quantiles)

    def quantile(self, level: float) -> FloatArray:
        """Return the quantile at any level.

        Parameters
        ----------
        level : float
            In (0, 1), both excluded.

        Returns
        -------
        ndarray, shape (n_series, horizon)

        Raises
        ------
        ValueError
            If the level is not inside (0, 1).
        """
        level = check_level("level", level)
        for index, known in enumerate(self.levels):
            if np.isclose(level, known, rtol=0, atol=1e-12):
                return self.quantiles[..., index].copy()
        with np.errstate(over="ignore", invalid="ignore"):  # refused below
            values = quantile_function.evaluate(self.quantiles, self.levels, np.array([level]))
        return check_range(values[..., 0], f"{level:g} quantile", self.quantiles)

    def interval(self, coverage: float) -> tuple[FloatArray, FloatArray]:
        """Return the central prediction interval.

        Parameters
        ----------
        coverage : float
            Probability inside the interval, in (0, 1).

        Returns
        -------
        lower, upper : ndarray, each of shape (n_series, horizon)
        """
        coverage = check_level("coverage", coverage)
        return self.quantile((1 - coverage) / 2), self.quantile((1 + coverage) / 2)

    def sample(self, n: int, random_state: int | np.random.Generator | None = None) -> FloatArray:
        """Draw from the forecast distribution of each step.

        A forecast holds the distribution of each step, not the dependence between steps. Steps are
        drawn independently, so sums over steps vary less than they should.

        Parameters
        ----------
        n : int
            Number of draws of every series and step.
        random_state : int, numpy Generator or None
            Seed or generator. With None, the draws differ each time; no global random state is
            used.

        Returns
        -------
        ndarray, shape (n, n_series, horizon)
        """
        n = check_integer("n", n)
        generator = np.random.default_rng(random_state)
        draws = np.empty((n, self.n_series, self.horizon))
        for i, quantiles in enumerate(self.quantiles):  # series by series, to bound memory
            uniform = generator.uniform(np.finfo(float).tiny, 1.0, size=(self.horizon, n))
            draws[:, i] = quantile_function.evaluate(quantiles, self.levels, uniform).T
        furthest = np.abs(draws).max(axis=0)
        check_range(furthest, "sample", self.quantiles)
        return draws

    def to_frame(self, levels: Sequence[float] | None = None) -> pd.DataFrame:
        """Lay the forecast out as a long frame.

        Parameters
        ----------
        levels : sequence of float, optional
            Levels to include. Default: the predicted ones.

        Returns
        -------
        pandas.DataFrame
            Columns ``series`` (index of the series), ``step`` (1 … horizon), ``mean`` and one
            per level, named ``q0.1``.
        """
        import pandas as pd

        from timer_forecaster.frames.long import column_name

        columns = {
            "series": np.repeat(np.arange(self.n_series), self.horizon),
            "step": np.tile(np.arange(1, self.horizon + 1), self.n_series),
            "mean": self.mean.ravel(),
        }
        for level in self.levels if levels is None else check_levels("levels", levels):
            columns[column_name(level)] = self.quantile(level).ravel()
        return pd.DataFrame(columns)

    def plot(self, context: ArrayLike | None = None, series: int = 0, ax: Any = None) -> Any:
        """Draw the median and the nested bands of one series; needs matplotlib.

        Parameters
        ----------
        context : array of shape (steps,), optional
            History to draw before the forecast.
        series : int
            Number of the series to draw.
        ax : matplotlib axes, optional
            Axes to draw in. Default: new axes.

        Returns
        -------
        matplotlib axes
        """
        from timer_forecaster.plotting import plot_quantiles

        history = np.array([]) if context is None else as_floats(context, "context")
        return plot_quantiles(
            ax,
            np.arange(len(history)),
            history,
            np.arange(len(history), len(history) + self.horizon),
            self.levels,
            self.quantiles[series],
        )
