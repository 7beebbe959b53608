"""Curation of real series: gaps, outliers, and series without structure.

The Timer-S1 report (arXiv 2603.04791) names the rules: causal mean imputation,
removal of outliers by k-sigma and interquartile range in a shifting window, selection by the
significance of a fitted ARIMA model. The thresholds are our own, cautious choices.
"""

from __future__ import annotations

import math
import warnings
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from timer_forecaster.settings import setting

if TYPE_CHECKING:
    from timer_forecaster.corpus.sources import Array  # needs pyarrow, which the settings do not

__all__ = [
    "MIN_OBSERVED",
    "Curated",
    "Curation",
    "arima_significance",
    "impute_causal_mean",
    "iqr_outliers",
    "k_sigma_outliers",
    "trimmed",
]

MIN_OBSERVED = 12
"""Smallest number of observed values of a series that is kept."""

_SIGNIFICANCE_STEPS = 512


class Curated(NamedTuple):
    """The result of `Curation` for a series.

    Parameters
    ----------
    values : ndarray, or None
        The series, or None if it is left out.
    reason : str
        The reason it is left out; empty if it is kept.
    changed : Counter of str
        Number of changed points by kind of change.

    Examples
    --------
    >>> import numpy as np
    >>> from timer_forecaster.corpus.curation import Curation
    >>> Curation()(np.ones(100)).reason
    'constant'
    """

    values: Array | None
    reason: str
    changed: Counter[str]


@dataclass(frozen=True)
class Curation:
    """Rules for the series of a corpus; None or False turns a rule off.

    The rules run in this order: outliers become missing, gaps are filled, series without
    significant dependence on their past are left out. Every series is trimmed (`trimmed`), and left
    out if it is constant or hardly observed.

    Parameters
    ----------
    k_sigma : float, optional
        A value is an outlier beyond this many standard deviations, see `k_sigma_outliers`.
    iqr : float, optional
        A value is an outlier beyond this many interquartile ranges, see `iqr_outliers`. With both
        rules on, a value is removed only if both reject it: the first alone would remove every sale
        of an intermittent series, the second alone would cut off a long tail.
    window : int
        Steps of the shifting window of both rules.
    impute : bool
        Whether to fill gaps by `impute_causal_mean`. The network needs no filling: it reads which
        values are observed.
    significance : float, optional
        Largest p-value of `arima_significance` that keeps a series.

    Raises
    ------
    ValueError
        If a number is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> wave = np.sin(np.arange(200) / 5)
    >>> wave[50] = 40.0
    >>> values, reason, changed = Curation()(wave)
    >>> np.flatnonzero(np.isnan(values)), changed["outliers"]
    (array([50]), 1)
    """

    k_sigma: float | None = setting(
        5.0, "standard deviations beyond which a value is an outlier", "K"
    )
    iqr: float | None = setting(
        3.0, "interquartile ranges beyond which a value is an outlier", "FACTOR"
    )
    window: int = setting(128, "steps of the window around a value", "STEPS")
    impute: bool = setting(False, "fill gaps with the mean of the values before them")
    significance: float | None = setting(0.01, "largest p-value of a series that is kept", "P")

    def __post_init__(self) -> None:
        """Check the numbers."""
        for name in ("k_sigma", "iqr"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise ValueError(f"{name}={value!r} must be positive, or None for no such rule")
        if self.window < MIN_OBSERVED:
            raise ValueError(f"window={self.window!r} must be at least {MIN_OBSERVED} steps")
        if self.significance is not None and not 0 < self.significance < 1:
            raise ValueError(f"significance={self.significance!r} must lie in (0, 1), or be None")

    def __call__(self, values: npt.ArrayLike) -> Curated:
        """Curate one series (steps,), NaN where missing."""
        kept, reason = trimmed(values)
        changed: Counter[str] = Counter()
        if kept is None:
            return Curated(None, reason, changed)
        outliers = self._outliers(kept)
        if outliers.any():
            changed["outliers"] = int(outliers.sum())
            kept, reason = trimmed(np.where(outliers, np.nan, kept))
            if kept is None:
                return Curated(None, f"{reason} without its outliers", changed)
        if self.significance is not None and arima_significance(kept) > self.significance:
            return Curated(None, "not significant", changed)
        if self.impute:
            changed["imputed"] = int(np.isnan(kept).sum())
            kept = impute_causal_mean(kept)
        return Curated(kept, "", changed)

    def _outliers(self, values: Array) -> npt.NDArray[np.bool_]:
        votes = []
        if self.k_sigma is not None:
            votes.append(k_sigma_outliers(values, self.k_sigma, self.window))
        if self.iqr is not None:
            votes.append(iqr_outliers(values, self.iqr, self.window))
        return np.logical_and.reduce(votes) if votes else np.zeros(len(values), dtype=bool)


def trimmed(values: npt.ArrayLike) -> tuple[Array | None, str]:
    """Cut gaps off both ends; infinities become NaN.

    Parameters
    ----------
    values : array-like of shape (steps,)
        A series; NaN means missing.

    Returns
    -------
    values : ndarray of float32, or None if the series is constant or has fewer than `MIN_OBSERVED`
        observed values.
    reason : str
        The reason, if the series is left out; else empty.

    Examples
    --------
    >>> import numpy as np
    >>> values, why = trimmed([np.nan, *range(20), np.nan])
    >>> why, None if values is None else len(values)
    ('', 20)
    """
    series = np.asarray(values, dtype=np.float32)
    finite = np.isfinite(series)
    observed = np.flatnonzero(finite)
    if len(observed) < MIN_OBSERVED:
        return None, "hardly observed"
    if np.ptp(series[observed]) == 0:
        return None, "constant"
    return np.where(finite, series, np.float32(np.nan))[observed[0] : observed[-1] + 1], ""


def impute_causal_mean(values: npt.ArrayLike) -> Array:
    """Fill each missing value with the mean of the observed values before it.

    No later value is used. Values before the first observed one stay missing.

    Parameters
    ----------
    values : array-like of shape (steps,)
        NaN where missing.

    Returns
    -------
    ndarray of float32, shape (steps,)

    Examples
    --------
    >>> impute_causal_mean([1.0, 3.0, float("nan"), 8.0, float("nan")]).tolist()
    [1.0, 3.0, 2.0, 8.0, 4.0]
    """
    series = pd.Series(np.asarray(values, dtype=np.float64))
    return series.fillna(series.expanding().mean()).to_numpy(np.float32)


def k_sigma_outliers(
    values: npt.ArrayLike, k: float = 5.0, window: int = 128
) -> npt.NDArray[np.bool_]:
    """Find values more than `k` standard deviations from the mean of the window around them.

    The window is centered, so a change of level is no outlier on either side. Among n values at
    most n / (k² + 1) can be so far out: a longer excursion counts as a level.

    Parameters
    ----------
    values : array-like of shape (steps,)
        NaN where missing.
    k : float
    window : int
        Steps of the shifting window.

    Returns
    -------
    ndarray of bool, shape (steps,)

    Examples
    --------
    >>> import numpy as np
    >>> values = np.sin(np.arange(200.0))
    >>> values[100] = 50
    >>> k_sigma_outliers(values, 5.0, 128).nonzero()[0]
    array([100])
    """
    series = pd.Series(np.asarray(values, dtype=np.float64))
    around = series.rolling(window, min_periods=MIN_OBSERVED, center=True)
    distance = (series - around.mean()).abs()
    return (distance > k * around.std()).to_numpy()


def iqr_outliers(
    values: npt.ArrayLike, factor: float = 3.0, window: int = 128
) -> npt.NDArray[np.bool_]:
    """Find values more than `factor` interquartile ranges beyond the quartiles around them.

    A factor of 3 is Tukey's "far out" (Exploratory Data Analysis, 1977, section 2D). Where more
    than half of the window has one value, the range is zero and shows no scale: nothing is an
    outlier there.

    Parameters
    ----------
    values : array-like of shape (steps,)
        NaN where missing.
    factor : float
    window : int
        Steps of the shifting window, centered.

    Returns
    -------
    ndarray of bool, shape (steps,)

    Examples
    --------
    >>> import numpy as np
    >>> values = np.sin(np.arange(200.0))
    >>> values[100] = 50
    >>> iqr_outliers(values, 3.0, 128).nonzero()[0]
    array([100])
    """
    series = pd.Series(np.asarray(values, dtype=np.float64))
    around = series.rolling(window, min_periods=MIN_OBSERVED, center=True)
    low, high = around.quantile(0.25), around.quantile(0.75)
    reach = factor * (high - low)
    outside = (series < low - reach) | (series > high + reach)
    return (outside & (reach > 0)).to_numpy()


def arima_significance(
    values: npt.ArrayLike, lags: int = 24, max_length: int = _SIGNIFICANCE_STEPS
) -> float:
    """Return the p-value of the hypothesis that a series is white noise around a constant.

    An ARIMA(lags, 0, 0) model is fitted (statsmodels, Burg's method) and compared with
    ARIMA(0, 0, 0) by the likelihood ratio, whose distribution under the hypothesis is chi-squared
    with `lags` degrees of freedom. Moving-average terms are left out: under the hypothesis they
    cancel the autoregressive ones, and the ratio has no such distribution. The model is not
    differenced: a random walk depends on its past, and is significant. 24
    lags cover the seasons of hourly, daily and monthly series.

    Parameters
    ----------
    values : array-like of shape (steps,)
        NaN where missing; gaps are filled by `impute_causal_mean` first.
    lags : int
        Order; a quarter of the length at most.
    max_length : int
        Only the newest so many steps are used.

    Returns
    -------
    float
        In [0, 1]; small where the series depends on its past.

    Raises
    ------
    ValueError
        If the series is constant or hardly observed.

    Examples
    --------
    >>> import numpy as np
    >>> noise = np.random.default_rng(0).normal(size=400)
    >>> arima_significance(noise) > 0.01, arima_significance(noise.cumsum()) < 1e-6
    (True, True)
    """
    from scipy.stats import chi2, norm
    from statsmodels.tsa.arima.model import ARIMA

    kept, reason = trimmed(values)
    if kept is None:
        raise ValueError(f"values are {reason}: no model can be fitted to them")
    newest = impute_causal_mean(kept)[-max_length:].astype(np.float64)
    if np.ptp(newest) == 0:
        return 0.0  # A series that varies and has a long constant end is not white noise.
    standard = (newest - newest.mean()) / newest.std()
    order = min(lags, len(standard) // 4)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fitted = ARIMA(standard, order=(order, 0, 0)).fit(method="burg", cov_type="none")
    except ValueError:
        return (
            0.0  # The fit has no error, as for a line: Burg's model is on the edge of stationarity.
        )
    ratio = 2 * (float(fitted.llf) - float(norm.logpdf(standard).sum()))
    return float(chi2.sf(ratio, order)) if math.isfinite(ratio) else 0.0
