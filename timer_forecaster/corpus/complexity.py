"""The complexity of the data sets of a corpus: stationarity and forecastability."""

from __future__ import annotations

import warnings
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from timer_forecaster.corpus.curation import impute_causal_mean, trimmed
from timer_forecaster.corpus.manifest import Manifest
from timer_forecaster.corpus.sources import series_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["adf_statistic", "describe", "forecastability", "plot_complexity"]

_LONGEST = 1024
_LABEL_SIZE = (0.17, 0.025)


def adf_statistic(values: npt.ArrayLike, max_length: int = _LONGEST) -> float:
    """Return the statistic of the augmented Dickey-Fuller test: the smaller, the more stationary.

    Statsmodels' `adfuller` with a constant and its default choice of lags (AIC). The statistic of
    a stationary series grows with the root of its length: compare equal `max_length` only.

    Parameters
    ----------
    values : array-like of shape (steps,)
        NaN where missing; gaps are filled by `impute_causal_mean` first.
    max_length : int
        The number of newest steps to use.

    Returns
    -------
    float
        NaN where the statistic has no meaning: the steps are constant, or the regression of the
        test fits them nearly without error, so that the statistic exceeds the number of steps.

    Examples
    --------
    >>> import numpy as np
    >>> steps = np.random.default_rng(0).normal(size=500)
    >>> adf_statistic(steps) < adf_statistic(steps.cumsum())  # noise is stationary, a walk is not
    True
    """
    from statsmodels.tsa.stattools import adfuller

    newest = _newest(values, max_length)
    if newest is None:
        return float("nan")
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        statistic = float(adfuller(newest)[0])
    return statistic if abs(statistic) <= len(newest) else float("nan")


def forecastability(values: npt.ArrayLike, max_length: int = _LONGEST) -> float:
    """Return one minus the spectral entropy: 0 for white noise, 1 for a single wave.

    The periodogram (scipy), without its mean, is taken as a distribution over the frequencies. Its
    entropy is divided by the entropy of a flat spectrum (Goerg, Forecastable Component Analysis,
    2013). A periodogram is noisy itself: white noise comes out near 0.06.

    Parameters
    ----------
    values : array-like of shape (steps,)
        NaN where missing; gaps are filled by `impute_causal_mean` first.
    max_length : int
        The number of newest steps to use.

    Returns
    -------
    float
        In [0, 1]; NaN where the steps are constant.

    Examples
    --------
    >>> import numpy as np
    >>> round(forecastability(np.sin(2 * np.pi * np.arange(240) / 12)), 6)
    1.0
    """
    from scipy.signal import periodogram
    from scipy.stats import entropy

    newest = _newest(values, max_length)
    if newest is None:
        return float("nan")
    _, power = periodogram(newest)
    return float(1.0 - entropy(power[1:]) / np.log(len(power) - 1))


def _newest(values: npt.ArrayLike, max_length: int) -> npt.NDArray[np.float64] | None:
    kept, _ = trimmed(values)
    if kept is None:
        return None
    newest = impute_causal_mean(kept)[-max_length:].astype(np.float64)
    return newest if np.ptp(newest) > 0 else None


def describe(folder: str | Path, sample: int = 50) -> pd.DataFrame:
    """Return a table of the data sets of a corpus.

    The ADF statistic and the forecastability of a data set are means over its series, weighted by
    length, as in equation (14) of the report (arXiv 2603.04791).

    Parameters
    ----------
    folder : path
        A corpus written by `build`.
    sample : int
        The largest number of random series of a data set to measure.

    Returns
    -------
    pandas.DataFrame
        One row per data set, in the order of the manifest, with the columns ``dataset``,
        ``series``, ``points``, ``frequency``, ``missing`` (share of the points), ``adf`` and
        ``forecastability``.

    Raises
    ------
    ValueError
        If the folder is not a corpus, or one of its shards cannot be read.

    Examples
    --------
    >>> from pathlib import Path
    >>> import numpy as np
    >>> import pandas as pd
    >>> from timer_forecaster.corpus.complexity import describe
    >>> from timer_forecaster.corpus.shards import build
    >>> Path("source").mkdir()
    >>> waves = [np.sin(np.arange(200.0) / period) for period in (3, 4, 5)]
    >>> table = pd.DataFrame({"item_id": ["a", "b", "c"], "target": waves})
    >>> table.to_parquet("source/waves__D.parquet")
    >>> _ = build("source", "corpus")
    >>> describe("corpus")[["dataset", "series", "points"]]
        dataset  series  points
    0  waves__D       3     600
    """
    if sample < 1:
        raise ValueError(f"sample={sample!r} must be at least 1")
    entries = [entry for entry in Manifest.read(folder).datasets if entry.series]
    wanted = {entry.name: min(sample, entry.series) for entry in entries}
    measured: dict[str, list[tuple[int, float, float]]] = defaultdict(list)
    # Rows are shuffled, so the first rows of a data set are a random sample of it.
    for row in series_of(folder):
        if wanted[row.dataset] > 0:
            wanted[row.dataset] -= 1
            values = row.values
            measured[row.dataset].append(
                (len(values), adf_statistic(values), forecastability(values))
            )
        if not any(wanted.values()):
            break
    means = {name: _weighted_means(rows) for name, rows in measured.items()}
    return pd.DataFrame(
        {
            "dataset": entry.name,
            "series": entry.series,
            "points": entry.points,
            "frequency": entry.frequency,
            "missing": entry.missing / entry.points,
            "adf": means[entry.name][0],
            "forecastability": means[entry.name][1],
        }
        for entry in entries
    )


def _weighted_means(rows: list[tuple[int, float, float]]) -> npt.NDArray[np.float64]:
    """Return the means weighted by length; a series without a measure does not count."""
    table = np.array(rows)
    length, measures = table[:, :1], table[:, 1:]
    weights = np.where(np.isnan(measures), 0.0, length)
    with np.errstate(invalid="ignore"):  # 0 / 0: no series has the measure
        return np.nansum(weights * measures, axis=0) / weights.sum(axis=0)


def plot_complexity(table: pd.DataFrame) -> Figure:
    """Draw the complexity plane: forecastability against ADF statistic, a point per data set.

    Areas grow with the logarithm of the number of points. The largest data sets have labels, as far
    as there is room.

    Parameters
    ----------
    table : pandas.DataFrame
        From `describe`.

    Returns
    -------
    matplotlib figure

    Examples
    --------
    >>> import pandas as pd
    >>> from timer_forecaster.corpus.complexity import plot_complexity
    >>> table = pd.DataFrame(
    ...     {"dataset": ["waves", "walks"], "points": [600, 9000], "adf": [-9.0, -1.5],
    ...      "forecastability": [0.9, 0.6]}
    ... )
    >>> plot_complexity(table).savefig("complexity.png")
    """
    from matplotlib.figure import Figure

    from timer_forecaster.plotting import verbatim

    figure = Figure(figsize=(9, 6), layout="constrained")
    axes = figure.subplots()
    sizes = 12 * np.log10(table["points"]) ** 1.5
    axes.scatter(table["adf"], table["forecastability"], s=sizes, alpha=0.55, color="#1f6fb4")
    named = _labeled(table.dropna(subset=["adf", "forecastability"]))
    for name, x, y in zip(named["dataset"], named["adf"], named["forecastability"], strict=True):
        axes.annotate(verbatim(name), (x, y), (4, 3), textcoords="offset points", fontsize=7)
    axes.set_xlabel("ADF statistic (left: more stationary)")
    axes.set_ylabel("forecastability, 1 − spectral entropy")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    return figure


def _labeled(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows whose labels do not overlap the labels of larger data sets."""
    table = table.sort_values("points", ascending=False)
    plane = table[["adf", "forecastability"]].to_numpy()
    plane = (plane - plane.min(axis=0)) / np.maximum(np.ptp(plane, axis=0), 1e-12) / _LABEL_SIZE
    chosen: list[int] = []
    for row, place in enumerate(plane):
        if all(np.abs(place - plane[other]).max() > 1 for other in chosen):
            chosen.append(row)
    return table.iloc[chosen]
