"""GIFT-Eval's protocol over Parquet files: windows, horizons, seasonality, scores.

One file holds one data set at one frequency, named ``<dataset>__<frequency>.parquet``, one row per
series with the columns ``freq`` (a pandas offset, the same in all rows) and ``target`` (list of
float, NaN = missing); multivariate sets are split into one row per variate. Published rows of other
models are read by :func:`read_published`.

Protocol: Aksu et al. 2024 (arXiv 2410.10393) and ``gift_eval/data.py`` of the benchmark's
repository.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from timer_forecaster.evaluation.metrics import (
    LEVELS,
    FloatArray,
    interval_coverage,
    mase,
    seasonal_error,
    seasonal_naive_quantiles,
    weighted_quantile_loss,
)

Forecaster = Callable[[list[FloatArray], int], npt.NDArray[np.floating[Any]]]
"""From n contexts of any lengths (NaN = missing) and a horizon to quantiles (n, horizon, 9)."""

TERMS: dict[str, int] = {"short": 1, "medium": 10, "long": 15}
"""Terms and the multiple of the frequency's horizon each of them forecasts."""

TEST_SHARE = 0.1
MAX_WINDOWS = 20
MAX_CHUNK_VALUES = 2**24
"""Most values in one call of a forecaster, contexts and quantiles together (128 MiB)."""

MEDIAN = LEVELS.index(0.5)

_HORIZONS = {"M": 12, "W": 8, "D": 30, "H": 48, "T": 48, "S": 60}
_M4_HORIZONS = {"A": 6, "Q": 8, "M": 18, "W": 13, "D": 14, "H": 48}
_SEASONALITIES = {"S": 3600, "T": 1440, "H": 24, "D": 1, "W": 1, "M": 12, "B": 5, "Q": 4, "A": 1}
_SPELLINGS = {"s": "S", "min": "T", "h": "H", "ME": "M", "QE": "Q", "Y": "A", "YE": "A"}
_LONG_TERM_UNITS = frozenset("HTS")
# Sub-daily, but too short for medium and long terms, or left out by the benchmark.
_SHORT_TERM_ONLY = frozenset(
    {"m4_hourly/H", "sz_taxi/H", "bitbrains_fast_storage/H", "bitbrains_rnd/H"}
)


def split_frequency(frequency: str) -> tuple[int, str]:
    """Split a pandas offset into multiple and unit: ``"15min"`` → ``(15, "T")``.

    The unit comes in the benchmark's spelling. Anchors are dropped (``"W-THU"`` → ``(1, "W")``);
    old and new pandas spellings are accepted.
    """
    match = re.fullmatch(r"(\d*)([A-Za-z]+)(-\w+)?", frequency)
    unit = _SPELLINGS.get(match[2], match[2]) if match else ""
    if match is None or unit not in _SEASONALITIES:
        raise ValueError(
            f"frequency {frequency!r} is unknown; "
            f"use a multiple of one of {', '.join(_SEASONALITIES)}"
        )
    return int(match[1] or 1), unit


def seasonality_of(frequency: str) -> int:
    """Return the steps in a season of a frequency.

    A season is a day of hours or minutes, an hour of seconds, a week of business days, a year of
    months or quarters, and 1 step for all else. A multiple that does not divide the season gives 1
    (``gluonts.time_feature.get_seasonality``).
    """
    multiple, unit = split_frequency(frequency)
    steps, remainder = divmod(_SEASONALITIES[unit], multiple)
    return 1 if remainder else steps


def horizon_of(dataset: str, frequency: str, term: str) -> int:
    """Return the steps to forecast.

    They go by frequency (the M4 competition's own for its data sets), times the term's multiple.
    """
    if term not in TERMS:
        raise ValueError(f"term {term!r} is unknown; use one of {', '.join(TERMS)}")
    unit = split_frequency(frequency)[1]
    horizons = _M4_HORIZONS if "m4" in dataset else _HORIZONS
    if unit not in horizons:
        raise ValueError(f"GIFT-Eval defines no horizon for frequency {frequency!r} of {dataset!r}")
    return horizons[unit] * TERMS[term]


def window_count(dataset: str, shortest: int, horizon: int) -> int:
    """Return the windows per series: a tenth of the shortest, 1 to 20 of them; always 1 for M4."""
    if "m4" in dataset:
        return 1
    return min(max(1, math.ceil(TEST_SHARE * shortest / horizon)), MAX_WINDOWS)


def terms_of(dataset: str, frequency: str) -> tuple[str, ...]:
    """Return the terms GIFT-Eval scores: all three for most sub-daily data sets, else ``short``."""
    multiple, unit = split_frequency(frequency)
    label = f"{dataset}/{multiple if multiple > 1 else ''}{unit}"
    all_terms = unit in _LONG_TERM_UNITS and label not in _SHORT_TERM_ONLY
    return tuple(TERMS) if all_terms else ("short",)


@dataclass(frozen=True, eq=False)
class Configuration:
    """One row of the benchmark: a data set at a frequency and a term.

    Attributes
    ----------
    name : str
        ``dataset/frequency/term``, as in the published tables.
    frequency : str
    horizon, windows, seasonality : int
        Steps per window, windows per series, steps per season.
    series : list of 1-D float64 arrays
        Whole series, test part included; NaN = missing.
    """

    name: str
    frequency: str
    horizon: int
    windows: int
    seasonality: int
    series: list[FloatArray]

    def __post_init__(self) -> None:
        """Refuse series without a context before their first window."""
        shortest = min(len(values) for values in self.series)
        if shortest <= self.windows * self.horizon:
            raise ValueError(
                f"{self.name}: the shortest series has {shortest} steps, too few for "
                f"{self.windows} windows of {self.horizon} and a context"
            )

    def __len__(self) -> int:
        """Return the number of windows over all series."""
        return self.windows * len(self.series)

    def contexts(self) -> list[FloatArray]:
        """Return all history before each window, the oldest window of every series first.

        The arrays are views of the series, so 20 windows cost no more memory than one.
        """
        steps_left = self.horizon * np.arange(self.windows, 0, -1)
        return [values[: len(values) - left] for left in steps_left for values in self.series]

    def targets(self) -> FloatArray:
        """Return the windows, (len(self), horizon), in the order of :meth:`contexts`."""
        ends = [values[len(values) - self.windows * self.horizon :] for values in self.series]
        windows = np.stack(ends).reshape(len(self.series), self.windows, self.horizon)
        return windows.swapaxes(0, 1).reshape(len(self), self.horizon)


@dataclass(frozen=True)
class Scores:
    """A forecaster's scores on one configuration.

    Attributes
    ----------
    mase : float
        Of the median.
    weighted_quantile_loss : float
        Mean weighted sum quantile loss, the leaderboard's "CRPS".
    coverage : float
        Share of observed targets between the 0.1 and 0.9 quantiles.
    """

    mase: float
    weighted_quantile_loss: float
    coverage: float


@dataclass(frozen=True)
class EvaluationRow:
    """One configuration's result.

    Attributes
    ----------
    configuration : str
    model, seasonal_naive, seasonal_naive_point : Scores
        Of the forecaster; of Seasonal Naive with Gaussian quantiles, the baseline of the published
        tables; and of Seasonal Naive with all levels at the naive value.
    seconds : float
        Wall-clock time spent in the forecaster.
    """

    configuration: str
    model: Scores
    seasonal_naive: Scores
    seasonal_naive_point: Scores
    seconds: float

    @property
    def relative_mase(self) -> float:
        """MASE over Seasonal Naive's."""
        return self.model.mase / self.seasonal_naive.mase

    @property
    def relative_loss(self) -> float:
        """Quantile loss over Seasonal Naive's Gaussian one: comparable with the leaderboard."""
        return self.model.weighted_quantile_loss / self.seasonal_naive.weighted_quantile_loss

    @property
    def relative_point_loss(self) -> float:
        """Quantile loss over the one of Seasonal Naive's point forecast."""
        return self.model.weighted_quantile_loss / self.seasonal_naive_point.weighted_quantile_loss


def load_configuration(path: str | Path, term: str = "short") -> Configuration:
    """Read ``<dataset>__<frequency>.parquet`` as the benchmark's configuration of that term.

    Any data set with a frequency GIFT-Eval knows can be read; :func:`terms_of` says which terms the
    benchmark scores.

    Raises
    ------
    ValueError
        If the term or frequency is unknown, or a series too short for a window and a context.
    """
    path = Path(path)
    dataset, _, label = path.stem.rpartition("__")
    if not dataset:
        raise ValueError(f"{path.name!r} is not named <dataset>__<frequency>.parquet")
    frame = pd.read_parquet(path, columns=["freq", "target"])
    frequency = str(frame["freq"].iloc[0])
    series = [np.asarray(target, dtype=np.float64) for target in frame["target"]]
    horizon = horizon_of(dataset, frequency, term)
    return Configuration(
        name=f"{dataset}/{label}/{term}",
        frequency=frequency,
        horizon=horizon,
        windows=window_count(dataset, min(len(values) for values in series), horizon),
        seasonality=seasonality_of(frequency),
        series=series,
    )


def load_configurations(
    folder: str | Path,
    names: Iterable[str] | None = None,
    terms: Sequence[str] = tuple(TERMS),
) -> Iterator[Configuration]:
    """Read the configurations of a folder one at a time.

    Parameters
    ----------
    folder : path
        Holds ``<dataset>__<frequency>.parquet`` files.
    names : iterable of str, optional
        File names without their suffix, such as ``"ett1__H"``; default all files, sorted.
    terms : sequence of str
        Wanted terms; of each file come those of them that the benchmark scores (:func:`terms_of`).
    """
    unknown = set(terms) - set(TERMS)
    if unknown:
        raise ValueError(f"terms {sorted(unknown)} are unknown; use some of {', '.join(TERMS)}")
    if names is None:
        names = sorted(path.stem for path in Path(folder).glob("*__*.parquet"))
    for name in names:
        dataset, _, frequency = name.rpartition("__")
        for term in terms_of(dataset, frequency):
            if term in terms:
                yield load_configuration(Path(folder) / f"{name}.parquet", term)


def seasonal_naive_forecaster(seasonality: int) -> Forecaster:
    """Return the published baseline, :func:`seasonal_naive_quantiles`, as a forecaster."""

    def forecast(contexts: list[FloatArray], horizon: int) -> FloatArray:
        return np.stack([seasonal_naive_quantiles(c, horizon, seasonality) for c in contexts])

    return forecast


def forecast_windows(forecaster: Forecaster, configuration: Configuration) -> FloatArray:
    """Forecast the quantiles of every window, (len(configuration), horizon, 9).

    The forecaster is called as rarely as ``MAX_CHUNK_VALUES`` allows. A context without any
    observed value tells a forecaster nothing and is not handed to it: its forecast is zero, as the
    benchmark's imputation makes Seasonal Naive's.

    Raises
    ------
    ValueError
        If the forecaster returns another shape, or values that are not finite.
    """
    contexts = configuration.contexts()
    quantiles = np.zeros((len(contexts), configuration.horizon, len(LEVELS)))
    for rows in _chunks(contexts, configuration.horizon):
        forecast = np.asarray(forecaster([contexts[row] for row in rows], configuration.horizon))
        if forecast.shape != (len(rows), *quantiles.shape[1:]):
            raise ValueError(
                f"{configuration.name}: the forecaster must return (n, horizon, n_levels) = "
                f"{(len(rows), *quantiles.shape[1:])}, but the shape is {forecast.shape}"
            )
        if not np.isfinite(forecast).all():
            raise ValueError(
                f"{configuration.name}: the forecaster returned values that are not finite"
            )
        quantiles[rows] = forecast
    return quantiles


def _chunks(contexts: Sequence[FloatArray], horizon: int) -> Iterator[list[int]]:
    """Group the indices of the contexts with an observed value into calls of bounded size."""
    rows: list[int] = []
    size = 0
    for row, context in enumerate(contexts):
        if np.isnan(context).all():
            continue
        cost = len(context) + horizon * len(LEVELS)
        if rows and size + cost > MAX_CHUNK_VALUES:
            yield rows
            rows, size = [], 0
        rows.append(row)
        size += cost
    if rows:
        yield rows


def evaluate(forecaster: Forecaster, configuration: Configuration) -> EvaluationRow:
    """Score a forecaster, and Seasonal Naive beside it, on one configuration.

    Parameters
    ----------
    forecaster : callable (contexts, horizon) -> quantiles (n, horizon, 9)
        Gets the windows of all series in as few calls as memory allows; see :data:`Forecaster`.
    configuration : Configuration

    Raises
    ------
    ValueError
        If the forecaster returns another shape, or values that are not finite.
    """
    targets = configuration.targets()
    seasonality = configuration.seasonality
    scales = np.array([seasonal_error(c, seasonality) for c in configuration.contexts()])

    def score(quantiles: FloatArray) -> Scores:
        return Scores(
            mase=mase(targets, quantiles[..., MEDIAN], scales),
            weighted_quantile_loss=weighted_quantile_loss(targets, quantiles),
            coverage=interval_coverage(targets, quantiles[..., 0], quantiles[..., -1]),
        )

    start = time.perf_counter()
    quantiles = forecast_windows(forecaster, configuration)
    seconds = time.perf_counter() - start
    naive = forecast_windows(seasonal_naive_forecaster(seasonality), configuration)
    point = np.broadcast_to(naive[..., [MEDIAN]], naive.shape)
    return EvaluationRow(configuration.name, score(quantiles), score(naive), score(point), seconds)


def read_published(path: str | Path) -> pd.DataFrame:
    """Read published scores, a CSV with the columns config, model, MASE and CRPS.

    Returns
    -------
    DataFrame
        Columns MASE and CRPS, indexed by (config, model).
    """
    return pd.read_csv(path).set_index(["config", "model"])[["MASE", "CRPS"]].sort_index()
