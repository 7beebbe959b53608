"""The result of a forecast: quantiles of every series and step."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Hashable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from timer_forecaster.arrays import FloatArray
from timer_forecaster.checks import check_integer, check_level, check_levels
from timer_forecaster.inference import quantiles as quantile_function
from timer_forecaster.inference.covariates.report import CovariateReport
from timer_forecaster.inference.outcome import check_range
from timer_forecaster.inference.sampling.aggregation import (
    function_of,
    groups_of,
    parts_of,
    summarized,
)
from timer_forecaster.inference.sampling.dependence import Dependence
from timer_forecaster.inference.sampling.drawing import draw_paths
from timer_forecaster.inference.sampling.seeds import generator_of, generators

if TYPE_CHECKING:
    import pandas as pd


@dataclasses.dataclass(frozen=True, eq=False)
class Forecast:
    """Quantile forecasts of one or more series.

    There is a quantile for every level in (0, 1): between the predicted levels the quantile
    function is linear, and beyond them it has exponential tails, fitted to the two outermost levels
    on each side; see `timer_forecaster.inference.quantiles`. The lower tail of a series that is not
    negative ends at zero, with a point mass there.

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
    dependence : Dependence, optional
        How the steps of each series depend on each other, and what its random draws are keyed by.
        Without it, paths are drawn as for an unknown checkpoint and frequency.
    nonnegative : ndarray of bool, shape (n_series,) or (n_series, horizon), optional
        Whether the values of each series, or of each of its steps, are never negative. Their
        quantiles are not negative. Default: none is bounded.

    Examples
    --------
    >>> import numpy as np
    >>> from timer_forecaster import ForecastPipeline
    >>> pipe = ForecastPipeline.from_pretrained("timer-s1-small")
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
    dependence: Dependence | None = None
    nonnegative: Any = None

    def __post_init__(self) -> None:
        """Fill in that no series is bounded, if nothing is said."""
        if self.nonnegative is None:
            object.__setattr__(self, "nonnegative", np.zeros(self.n_series, dtype=bool))

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Restore a pickle; one of version 0.2 does not say which series are bounded."""
        self.__dict__.update(state)
        self.__post_init__()

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
            mean = quantile_function.mean(self.quantiles, self.levels, self._floor)
        return check_range(mean, "mean", self.quantiles)

    @property
    def variance(self) -> FloatArray:
        """Variance of the quantile function, tails included; shape (n_series, horizon)."""
        with np.errstate(over="ignore", invalid="ignore"):  # refused below
            variance = quantile_function.variance(self.quantiles, self.levels, self._floor)
        return check_range(variance, "variance", self.quantiles)

    @property
    def _floor(self) -> FloatArray:
        """Lowest possible values, shape (n_series, horizon)."""
        floor = quantile_function.floor_of(self.nonnegative)
        floor = floor[:, None] if floor.ndim == 1 else floor
        return np.broadcast_to(floor, self.quantiles.shape[:2])

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

        Examples
        --------
        >>> import numpy as np
        >>> from timer_forecaster import ForecastPipeline
        >>> forecast = ForecastPipeline.from_pretrained().predict(np.sin(np.arange(200) / 4), 12)
        >>> bool((forecast.quantile(0.99) > forecast.quantile(0.9)).all())
        True
        """
        level = check_level("level", level)
        for index, known in enumerate(self.levels):
            if np.isclose(level, known, rtol=0, atol=1e-12):
                return self.quantiles[..., index].copy()
        with np.errstate(over="ignore", invalid="ignore"):  # refused below
            given = self.quantiles, self.levels, np.array([level]), self._floor
            values = quantile_function.evaluate(*given)
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

        Examples
        --------
        >>> import numpy as np
        >>> from timer_forecaster import ForecastPipeline
        >>> forecast = ForecastPipeline.from_pretrained().predict(np.sin(np.arange(200) / 4), 12)
        >>> lower, upper = forecast.interval(0.8)
        >>> bool((lower < forecast.median).all() and (forecast.median < upper).all())
        True
        """
        coverage = check_level("coverage", coverage)
        return self.quantile((1 - coverage) / 2), self.quantile((1 + coverage) / 2)

    def sample(self, n: int, random_state: int | np.random.Generator | None = None) -> FloatArray:
        """Draw from the forecast distribution of each step by itself.

        The draws are marginal: steps are drawn independently, so that sums over steps vary less
        than they should. `sample_paths` draws steps that belong together.

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

        Examples
        --------
        >>> import numpy as np
        >>> from timer_forecaster import ForecastPipeline
        >>> forecast = ForecastPipeline.from_pretrained().predict(np.sin(np.arange(200) / 4), 12)
        >>> forecast.sample(100, random_state=0).shape
        (100, 1, 12)
        """
        n = check_integer("n", n)
        generator = generator_of(random_state)
        draws, floor = np.empty((n, self.n_series, self.horizon)), self._floor
        for i, quantiles in enumerate(self.quantiles):  # series by series, to bound memory
            uniform = generator.uniform(np.finfo(float).tiny, 1.0, size=(self.horizon, n))
            draws[:, i] = quantile_function.evaluate(quantiles, self.levels, uniform, floor[i]).T
        furthest = np.abs(draws).max(axis=0)
        check_range(furthest, "sample", self.quantiles)
        return draws

    def sample_paths(
        self, n: int, random_state: int | np.random.Generator | None = None
    ) -> FloatArray:
        """Draw joint paths: steps that follow each other as they did in past errors.

        At each step the paths have the distribution of the forecast, tails included: of n paths,
        the share up to any quantile is its level, to within 1 / n. The steps of a path depend on
        each other as the errors of the checkpoint did on training data; see
        `timer_forecaster.inference.sampling`. Series are independent of each other.

        The paths of a series follow from the seed and from the values of the series. They are the
        same alone and in a panel, at any place. Of equal series, the first draws as it does alone,
        and each further one draws anew.

        Parameters
        ----------
        n : int
            Number of paths of every series.
        random_state : int, numpy Generator or None
            Seed or generator. With None, the paths differ each time; no global random state is
            used.

        Returns
        -------
        ndarray, shape (n_series, n, horizon)
            NaN for series without a forecast.

        Examples
        --------
        >>> import numpy as np
        >>> from timer_forecaster import ForecastPipeline
        >>> pipe = ForecastPipeline.from_pretrained("timer-s1-small")
        >>> walk = np.random.default_rng(0).normal(size=300).cumsum()
        >>> forecast = pipe.predict(walk, horizon=24, freq="h")
        >>> totals = forecast.sample_paths(1000, random_state=0).sum(axis=-1)
        >>> marginal = forecast.sample(1000, random_state=0).sum(axis=-1)
        >>> bool(totals.std() > 2 * marginal.std())
        True
        """
        n = check_integer("n", n)
        draw, paths = self._drawing(n, random_state), np.empty((self.n_series, n, self.horizon))
        for number in range(self.n_series):
            paths[number] = draw(number)
        check_range(np.abs(paths).max(axis=1), "paths", self.quantiles)
        return paths

    def _drawing(self, n: int, random_state: Any) -> Callable[[int], FloatArray]:
        """Return a function that draws paths (n, horizon) of a series, by its number."""
        known = self.dependence
        known = Dependence.of_quantiles(self.quantiles) if known is None else known
        weights, sources = known.weights, list(generators(random_state, known.keys))
        floor = self._floor

        def draw(number: int) -> FloatArray:
            own = self.quantiles[number]
            how = weights[number], sources[number], floor[number]
            return draw_paths(own, self.levels, n, *how)

        return draw

    def total(
        self,
        levels: Sequence[float] | None = None,
        *,
        parts: int | slice | Sequence[slice] | None = None,
        group: Sequence[Hashable] | None = None,
        n_paths: int = 1000,
        random_state: int | np.random.Generator | None = 0,
    ) -> FloatArray:
        """Return quantiles of the sum over the horizon, or over parts of it.

        The same as `aggregate` with ``"sum"``.

        Parameters
        ----------
        levels, parts, group, n_paths, random_state
            As in `aggregate`.

        Returns
        -------
        ndarray, shape (n_series, n_levels) or (n_series, n_parts, n_levels)

        Examples
        --------
        >>> import numpy as np
        >>> from timer_forecaster import ForecastPipeline
        >>> sales = np.random.default_rng(0).poisson(20, size=200)
        >>> pipe = ForecastPipeline.from_pretrained("timer-s1-small")
        >>> forecast = pipe.predict(sales, horizon=28, freq="D")
        >>> forecast.total([0.1, 0.5, 0.9]).shape  # of the next four weeks
        (1, 3)
        >>> forecast.total([0.1, 0.5, 0.9], parts=7).shape  # of each week
        (1, 4, 3)
        """
        how: dict[str, Any] = {"parts": parts, "group": group}
        return self.aggregate("sum", levels, **how, n_paths=n_paths, random_state=random_state)

    def aggregate(
        self,
        function: str | Callable[[FloatArray], FloatArray],
        levels: Sequence[float] | None = None,
        *,
        parts: int | slice | Sequence[slice] | None = None,
        group: Sequence[Hashable] | None = None,
        n_paths: int = 1000,
        random_state: int | np.random.Generator | None = 0,
    ) -> FloatArray:
        """Return quantiles of a function of several steps, from joint paths.

        The network is not run. The quantile of a sum is not the sum of quantiles: highs and lows of
        steps partly cancel. `sample_paths` says how the steps of a path depend on each other.

        Parameters
        ----------
        function : {"sum", "mean", "max", "min"} or callable
            A callable takes paths of shape (n_paths, steps) and returns n_paths values, such as
            ``lambda paths: (paths > 100).sum(axis=-1)``.
        levels : sequence of float, optional
            Levels of the quantiles. Default: the predicted ones.
        parts : int, slice or sequence of slice, optional
            An integer cuts the horizon into parts of so many steps, such as 7 for the weeks of
            daily steps; it must divide the horizon. Slices name parts: ``slice(0, 7)`` is the first
            week. Default: the whole horizon.
        group : sequence of hashable, optional
            A label for each series. The paths of the series of a group are added up before the
            function. **The series of a group are taken as independent of each other.** Where they
            rise and fall together, quantiles of their sum are too close to the median.
        n_paths : int
            Number of paths of every series. More make the quantiles smoother.
        random_state : int, numpy Generator or None
            As in `sample_paths`. By default, quantiles are the same each time.

        Returns
        -------
        ndarray, shape (n_series, n_levels) or (n_series, n_parts, n_levels)
            The second shape if ``parts`` is an integer or a sequence. With ``group``, a row for
            each group, in the order of their first series. NaN where there is no forecast.

        Raises
        ------
        ValueError, TypeError
            If an argument cannot be used. The error names it.

        Examples
        --------
        >>> import numpy as np
        >>> from timer_forecaster import ForecastPipeline
        >>> pipe = ForecastPipeline.from_pretrained("timer-s1-small")
        >>> forecast = pipe.predict([np.arange(50.0) % 7, np.arange(50.0) % 5], horizon=14)
        >>> forecast.aggregate("max", [0.5, 0.95]).shape
        (2, 2)
        >>> forecast.aggregate("sum", [0.5, 0.95], group=["all", "all"]).shape
        (1, 2)
        """
        n = check_integer("n_paths", n_paths)
        at = self.levels if levels is None else check_levels("levels", levels)
        of, (slices, alone) = function_of(function), parts_of(parts, self.horizon)
        groups, draw = groups_of(group, self.n_series), self._drawing(n, random_state)
        found = np.full((len(groups), len(slices), len(at)), np.nan)
        for place, numbers in enumerate(groups):
            if np.isfinite(self.quantiles[numbers]).all():
                paths = draw(numbers[0])
                for number in numbers[1:]:
                    paths = paths + draw(number)
                found[place] = summarized(paths, of, slices, at)
        if not np.isfinite(found).all():
            self._check_aggregate(function, found, groups)
        return found[:, 0] if alone else found

    def _check_aggregate(
        self, function: Any, found: FloatArray, groups: Sequence[Sequence[int]]
    ) -> None:
        """Refuse quantiles of a function that are not finite where there is a forecast."""
        for numbers, own in zip(groups, found, strict=True):
            if np.isfinite(self.quantiles[numbers]).all() and not np.isfinite(own).all():
                raise ValueError(
                    f"function={function!r} of series[{numbers[0]}] is not finite; divide the "
                    "series by a power of ten, or give a function of finite values"
                )

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

        Examples
        --------
        >>> import numpy as np
        >>> from timer_forecaster import ForecastPipeline
        >>> forecast = ForecastPipeline.from_pretrained().predict(np.sin(np.arange(200) / 4), 12)
        >>> forecast.to_frame([0.1, 0.9]).columns.tolist()
        ['series', 'step', 'mean', 'q0.1', 'q0.9']
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

    def plot(
        self,
        context: ArrayLike | None = None,
        series: int = 0,
        ax: Any = None,
        *,
        history: int | None = None,
    ) -> Any:
        """Draw the median and the nested bands of one series; needs matplotlib.

        Parameters
        ----------
        context : array of shape (steps,), optional
            History to draw before the forecast. If it is a pandas Series with dates or periods in
            its index, the picture has dates.
        series : int
            Number of the series to draw.
        ax : matplotlib axes, optional
            Axes to draw in. Default: new axes, with a legend above them.
        history : int, optional
            Newest steps of the history to draw. Default: three horizons, and at least 48.

        Returns
        -------
        matplotlib axes

        Examples
        --------
        >>> import numpy as np, pandas as pd
        >>> from timer_forecaster import ForecastPipeline
        >>> y = pd.Series(np.sin(np.arange(200) / 4), pd.date_range("2024-01-01", periods=200))
        >>> axes = ForecastPipeline.from_pretrained().predict(y, 14).plot(y)
        """
        from timer_forecaster.inference.positions import history_of, positions_of
        from timer_forecaster.plotting import newest_steps, plot_quantiles

        values = np.array([]) if context is None else history_of(context)
        x = positions_of(context, len(values), self.horizon)
        shown = newest_steps(self.horizon) if history is None else check_integer("history", history)
        first = max(0, len(values) - shown)
        return plot_quantiles(
            ax,
            x[first : len(values)],
            values[first:],
            x[len(values) :],
            self.levels,
            self.quantiles[series],
        )

    def report(
        self,
        path: str | Path,
        contexts: Any = None,
        *,
        names: Sequence[Hashable] | None = None,
        title: str = "Forecast report",
        **more: Any,
    ) -> None:
        """Write a report that a person can send: one HTML file with interactive pictures.

        Parameters
        ----------
        path : str or Path
            A name that ends in ``.html``.
        contexts : array or sequence of arrays, optional
            The series that were forecast, as they were given to `ForecastPipeline.predict`. Those
            that are pandas Series with dates in their index have dates in the report.
        names : sequence of hashable, optional
            A name for each series. Default: their numbers.
        title : str
            Title of the page.
        **more
            ``summary``, ``settings`` and ``notes``, as in
            `timer_forecaster.report.write_report`.

        Raises
        ------
        ValueError
            If the file cannot be written, its name has another ending, or there are fewer or more
            names or contexts than series.

        Examples
        --------
        >>> import numpy as np
        >>> from timer_forecaster import ForecastPipeline
        >>> y = np.sin(np.arange(200) / 4)
        >>> forecast = ForecastPipeline.from_pretrained().predict(y, 12)
        >>> forecast.report("forecast.html", [y], names=["tide"])
        """
        from timer_forecaster.inference.page import part_of_report
        from timer_forecaster.report import write_report

        part = part_of_report(self, contexts, names)
        write_report(path, [part], title=title, **more)
