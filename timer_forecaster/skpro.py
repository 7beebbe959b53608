"""Quantile forecasts as an skpro distribution.

This file alone imports skpro. It translates skpro's frames to arrays and back; the mathematics is
in `timer_forecaster.inference.quantiles`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from timer_forecaster.arrays import FloatArray
from timer_forecaster.extras import missing_extra

try:
    from skpro.distributions.base import BaseDistribution
    from skpro.distributions.empirical import Empirical
except ImportError as error:
    raise ImportError(missing_extra("timer_forecaster.skpro needs skpro", "sktime")) from error

from timer_forecaster.inference import quantiles as functionals

__all__ = ["QuantileFunction", "empirical"]


class QuantileFunction(BaseDistribution):
    """Distribution whose quantile function is linear between given quantiles.

    Beyond them it has exponential tails. All methods are exact, tails included;
    `timer_forecaster.inference.quantiles` documents the rule and the formulas. Entries are
    independent: `sample` draws each by itself, from numpy's global generator, as all of skpro
    does.

    Equal quantiles are a point mass. There ``cdf`` jumps, ``pmf`` is the mass, and ``pdf``,
    ``log_pdf`` and a logarithmic loss are infinite; energies and the CRPS stay finite. Outside the
    support ``pdf`` is 0 and ``log_pdf`` is minus infinity. All functions of NaN are NaN, and so is
    ``ppf`` of a number outside [0, 1].

    Parameters
    ----------
    quantiles : array-like, shape (rows, columns, levels) or (levels,)
        Values at the levels, finite and not decreasing along the last axis. An entry without a
        forecast is NaN at all levels, and every function of it is NaN. One dimension makes a
        scalar distribution, without index and columns.
    levels : sequence of float
        At least two levels, ascending inside (0, 1).
    nonnegative : bool or array-like of shape (rows, columns), default=False
        Whether each entry is never negative. Its lower tail then ends in a point mass at zero.
    index : pandas.Index, optional
        Labels of the rows, with one level or many. Default: 0, 1, …
    columns : pandas.Index, optional
        Labels of the columns. Default: 0, 1, …

    Raises
    ------
    ValueError
        If the shapes do not fit, if levels or quantiles are out of order, or if an entry that is
        never negative has a negative quantile.

    Examples
    --------
    >>> from timer_forecaster.skpro import QuantileFunction
    >>> distribution = QuantileFunction(
    ...     [[[-1.0, 0.0, 1.0]], [[2.0, 3.0, 5.0]]],
    ...     levels=(0.1, 0.5, 0.9),
    ...     index=["monday", "tuesday"],
    ...     columns=["sales"],
    ... )
    >>> distribution.ppf(0.3)
             sales
    monday    -0.5
    tuesday    2.5
    >>> distribution.loc[["tuesday"]].cdf(3.0)
             sales
    tuesday    0.5
    """

    _tags: ClassVar[dict[str, Any]] = {
        "authors": ["timer-forecaster developers"],
        "maintainers": ["timer-forecaster developers"],
        "capabilities:approx": [],
        "capabilities:exact": [
            "mean",
            "var",
            "energy",
            "pdfnorm",
            "pdf",
            "log_pdf",
            "pmf",
            "log_pmf",
            "cdf",
            "ppf",
        ],
        "distr:measuretype": "mixed",
        "distr:paramtype": "nonparametric",
    }

    nonnegative: Any = False  # pickles of version 0.2 have neither of these
    _floor: Any = functionals.NO_FLOOR

    def __init__(
        self,
        quantiles: ArrayLike,
        levels: Sequence[float],
        nonnegative: ArrayLike = False,
        index: Any = None,
        columns: Any = None,
    ) -> None:
        self.quantiles = quantiles
        self.levels = levels
        self.nonnegative = nonnegative
        self._levels = _checked_levels(levels)
        self._quantiles = _checked_quantiles(quantiles, len(self._levels))
        self._floor = _checked_floor(nonnegative, self._quantiles)
        if self._quantiles.ndim > 1:
            index = _checked_axis("index", index, self._quantiles.shape[0])
            columns = _checked_axis("columns", columns, self._quantiles.shape[1])
        elif not (index is None and columns is None):
            raise ValueError(
                "index and columns need quantiles of shape (rows, columns, levels); these have "
                f"shape {self._quantiles.shape}, which makes a scalar distribution"
            )
        super().__init__(index=index, columns=columns)

    def _loc(self, rowidx: Any = None, colidx: Any = None) -> QuantileFunction:
        """Select by labels, as pandas does.

        skpro itself takes the last row for an absent label, and reads the pair ``[:, columns]`` as
        the label of a row with many levels.
        """
        if colidx is None and _is_pair(rowidx, self.index):
            rowidx, colidx = rowidx
        return self._iloc(_positions(self.index, rowidx), _positions(self.columns, colidx))

    def _at(self, rowidx: Any = None, colidx: Any = None) -> QuantileFunction:
        return self._iat(self.index.get_loc(rowidx), self.columns.get_loc(colidx))

    def _iloc(self, rowidx: Any = None, colidx: Any = None) -> QuantileFunction:
        rows, columns = _taken(self.shape[0], rowidx), _taken(self.shape[1], colidx)
        if rows.ndim == columns.ndim == 0:
            return self._iat(rows, columns)
        rows, columns = np.atleast_1d(rows), np.atleast_1d(columns)
        return type(self)(
            self._quantiles[np.ix_(rows, columns)],
            self.levels,
            index=self.index.take(rows),
            columns=self.columns.take(columns),
            nonnegative=self._bounded[np.ix_(rows, columns)],
        )

    def _iat(self, rowidx: Any = None, colidx: Any = None) -> QuantileFunction:
        bounded = bool(self._bounded[rowidx, colidx])
        return type(self)(self._quantiles[rowidx, colidx], self.levels, nonnegative=bounded)

    @property
    def _bounded(self) -> NDArray[np.bool_]:
        """Whether each entry is never negative."""
        return np.broadcast_to(np.isfinite(self._floor), self._quantiles.shape[:-1])

    def _mean(self) -> FloatArray:
        return functionals.mean(self._quantiles, self._levels, self._floor)

    def _var(self) -> FloatArray:
        return functionals.variance(self._quantiles, self._levels, self._floor)

    def _energy_self(self) -> FloatArray:
        given = self._quantiles, self._levels, self._floor
        return self._by_row(functionals.mean_difference(*given))

    def _energy_x(self, x: ArrayLike) -> FloatArray:
        return self._by_row(self._entrywise(functionals.absolute_deviation, x))

    def _by_row(self, energies: FloatArray) -> FloatArray:
        return energies.sum(axis=1) if self.ndim else energies

    def _cdf(self, x: ArrayLike) -> FloatArray:
        return self._entrywise(functionals.cdf, x)

    def _ppf(self, p: ArrayLike) -> FloatArray:
        return self._entrywise(functionals.evaluate, p)

    def _log_pdf(self, x: ArrayLike) -> FloatArray:
        return self._entrywise(functionals.log_density, x)

    def _pdf(self, x: ArrayLike) -> FloatArray:
        return np.exp(self._log_pdf(x))

    def _pmf(self, x: ArrayLike) -> FloatArray:
        return self._entrywise(functionals.point_mass, x)

    def _log_pmf(self, x: ArrayLike) -> FloatArray:
        with np.errstate(divide="ignore"):
            return np.log(self._pmf(x))

    def pdfnorm(self, a: float = 2) -> Any:
        """Return the integral of a power of the density; infinite where there is a point mass.

        Parameters
        ----------
        a : float, default=2
            The power, above 1.

        Returns
        -------
        pandas.DataFrame, or float for a scalar distribution
        """
        given = self._quantiles, self._levels, a, self._floor
        norms = self._where_known(functionals.density_norm(*given))
        return pd.DataFrame(norms, index=self.index, columns=self.columns) if self.ndim else norms

    def _sample(self, n_samples: int | None = None) -> Any:
        size = (1 if n_samples is None else n_samples, *self.shape)
        uniform = np.random.uniform(np.finfo(float).tiny, 1.0, size)
        draws = self._entrywise(functionals.evaluate, uniform)
        if self.ndim == 0:
            return draws[0] if n_samples is None else pd.DataFrame(draws)
        index = self.index if n_samples is None else _stacked(self.index, n_samples)
        return pd.DataFrame(draws.reshape(-1, len(self.columns)), index=index, columns=self.columns)

    def _entrywise(self, function: Callable[..., FloatArray], at: ArrayLike) -> FloatArray:
        """Evaluate a function at one or many values or levels for each entry."""
        values = np.asarray(at, dtype=np.float64)[..., None]
        found = function(self._quantiles, self._levels, values, self._floor)
        return self._where_known(found[..., 0])

    def _where_known(self, values: FloatArray) -> FloatArray:
        return np.where(np.isnan(self._quantiles[..., 0]), np.nan, values)[()]

    @classmethod
    def get_test_params(cls, parameter_set: str = "default") -> list[dict[str, Any]]:
        """Return parameters for skpro's test suite.

        Parameters
        ----------
        parameter_set : str
            There is one set for all purposes.

        Returns
        -------
        list of dict
        """
        levels = (0.1, 0.3, 0.5, 0.8)
        table = [
            [[-2.0, -1.0, 0.5, 2.0], [10.0, 11.0, 11.0, 14.0]],
            [[1e3, 2e3, 2e3, 3e3], [0.0, 1e-3, 2e-3, 5e-3]],
            [[4.0, 4.0, 4.0, 4.0], [4.0, 4.0, 4.0, 5.0]],
        ]
        return [
            {"quantiles": table, "levels": levels},
            {"quantiles": table, "levels": levels, "index": [3, 1, 2], "columns": ["a", "b"]},
            {"quantiles": table[0][0], "levels": levels},
            {"quantiles": table[1:], "levels": levels, "nonnegative": True},
        ]


def empirical(samples: FloatArray, index: pd.Index, columns: pd.Index) -> Empirical:
    """Return the distribution of joint samples.

    Its `sample` draws whole samples, in which rows belong together. Values are sorted when a
    function of single entries is first asked for.

    Parameters
    ----------
    samples : ndarray, shape (n, rows, columns)
    index, columns : pandas.Index
        Labels of the rows and the columns.

    Returns
    -------
    skpro.distributions.empirical.Empirical

    Examples
    --------
    >>> import numpy as np
    >>> days = pd.Index(["monday", "tuesday"])
    >>> joint = empirical(np.array([[[1.0], [2.0]], [[5.0], [6.0]]]), days, pd.Index(["sales"]))
    >>> sales = joint.sample()["sales"]
    >>> float(sales["tuesday"] - sales["monday"])
    1.0
    """
    rows = _stacked(index, len(samples))
    frame = pd.DataFrame(samples.reshape(-1, len(columns)), index=rows, columns=columns)
    lazy = "skip_init_sorted" in inspect.signature(Empirical.__init__).parameters
    more = {"skip_init_sorted": True} if lazy else {}
    return Empirical(frame, time_indep=False, index=index, columns=columns, **more)


def _checked_levels(levels: Sequence[float]) -> tuple[float, ...]:
    array = np.asarray(levels, dtype=np.float64)
    inside = np.all((array > 0) & (array < 1))
    if array.ndim != 1 or len(array) < 2 or not inside or np.any(np.diff(array) <= 0):
        raise ValueError(f"levels={levels!r} must be at least two numbers ascending inside (0, 1)")
    return tuple(array.tolist())


def _checked_quantiles(quantiles: ArrayLike, n_levels: int) -> FloatArray:
    array = np.asarray(quantiles, dtype=np.float64)
    if array.ndim not in (1, 3) or array.shape[-1] != n_levels:
        raise ValueError(
            f"quantiles has shape {array.shape}; with {n_levels} levels it must be "
            f"(rows, columns, {n_levels}), or ({n_levels},) for a scalar distribution"
        )
    missing = np.isnan(array)
    if np.isinf(array).any() or (missing.any(axis=-1) != missing.all(axis=-1)).any():
        raise ValueError("quantiles must be finite, or all NaN in an entry that has no forecast")
    if np.any(np.diff(array, axis=-1) < 0):
        entry = tuple(np.argwhere(np.diff(array, axis=-1) < 0)[0, :-1].tolist())
        raise ValueError(
            f"quantiles decrease along the levels at {entry}; sort them, for example by np.sort"
        )
    return array


def _checked_floor(nonnegative: ArrayLike, quantiles: FloatArray) -> FloatArray:
    """Return the lowest possible values of entries."""
    bounded = np.asarray(nonnegative)
    if bounded.dtype != bool or bounded.shape not in ((), quantiles.shape[:-1]):
        raise ValueError(
            f"nonnegative must be True, False, or an array of them of shape {quantiles.shape[:-1]}"
        )
    if (bounded & (quantiles[..., 0] < 0)).any():
        raise ValueError(
            "nonnegative is True for an entry with a negative quantile; cut the quantiles off, for "
            "example by np.maximum(quantiles, 0)"
        )
    return functionals.floor_of(bounded)


def _checked_axis(name: str, labels: Any, size: int) -> Any:
    """Return the labels of an axis; the default is 0, 1 and so on."""
    if labels is None:
        return pd.RangeIndex(size)
    if len(labels) != size:
        raise ValueError(f"{name} has {len(labels)} labels, quantiles have {size} entries along it")
    return labels


def _is_pair(key: Any, index: pd.Index) -> bool:
    """Whether a key is a pair of rows and columns, and not the label of a row."""
    if not (isinstance(key, tuple) and len(key) == 2):
        return False
    return not (all(pd.api.types.is_scalar(part) for part in key) and key in index)


def _positions(index: pd.Index, labels: Any) -> Any:
    """Return the positions of labels, which may be anything that ``loc`` of pandas takes."""
    if labels is None or (isinstance(labels, pd.Index) and labels.equals(index)):
        return None
    return pd.Series(np.arange(len(index)), index=index).loc[labels]


def _taken(size: int, positions: Any) -> NDArray[np.intp]:
    """Return positions as an array; they may be anything that ``iloc`` of pandas takes."""
    places = pd.Series(np.arange(size))
    return np.asarray(places if positions is None else places.iloc[positions])


def _stacked(index: pd.Index, times: int) -> pd.MultiIndex:
    """Return copies of an index one below the other, numbered by a new first level."""
    number, place = np.divmod(np.arange(times * len(index)), len(index))
    copies = index.take(place)
    levels = [copies.get_level_values(level) for level in range(copies.nlevels)]
    return pd.MultiIndex.from_arrays([number, *levels], names=[None, *index.names])
