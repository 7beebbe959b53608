"""The protocol of GIFT-Eval: windows, horizons, seasonality and the 97 configurations.

Aksu et al. 2024, "GIFT-Eval: A Benchmark for General Time Series Forecasting Model Evaluation"
(arXiv 2410.10393), and ``gift_eval/data.py`` of the benchmark's repository.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from timer_forecaster.arrays import FloatArray
from timer_forecaster.checks import check_integer
from timer_forecaster.evaluation.metrics import seasonal_errors
from timer_forecaster.inference.scaling import check_finite
from timer_forecaster.inference.series import as_series

TERMS: dict[str, int] = {"short": 1, "medium": 10, "long": 15}
"""Each term, and its horizon as a multiple of the frequency's horizon."""

TEST_SHARE = 0.1
MAX_WINDOWS = 20

_HORIZONS = {"M": 12, "W": 8, "D": 30, "H": 48, "T": 48, "S": 60}
_M4_HORIZONS = {"A": 6, "Q": 8, "M": 18, "W": 13, "D": 14, "H": 48}
_SEASONALITIES = {"S": 3600, "T": 1440, "H": 24, "D": 1, "W": 1, "M": 12, "B": 5, "Q": 4, "A": 1}
_SPELLINGS = {"s": "S", "min": "T", "h": "H", "ME": "M", "QE": "Q", "Y": "A", "YE": "A"}
_SPELLINGS |= {"MS": "M", "QS": "Q", "AS": "A", "YS": "A"}
_LONG_TERM_UNITS = frozenset("HTS")
# Sub-daily data sets that the benchmark scores at the short term alone.
_SHORT_TERM_ONLY = frozenset(
    {"m4_hourly/H", "sz_taxi/H", "bitbrains_fast_storage/H", "bitbrains_rnd/H"}
)

N_CONFIGURATIONS = 97
"""Configurations of the benchmark, all terms counted."""

UNKNOWN_DOMAIN = "unknown"
# Domain and variates of the benchmark's data sets (``dataset_properties.json``).
_PROPERTIES = {
    "m4_yearly": ("Econ/Fin", 1),
    "m4_quarterly": ("Econ/Fin", 1),
    "m4_monthly": ("Econ/Fin", 1),
    "m4_weekly": ("Econ/Fin", 1),
    "m4_daily": ("Econ/Fin", 1),
    "m4_hourly": ("Econ/Fin", 1),
    "electricity": ("Energy", 1),
    "ett1": ("Energy", 7),
    "ett2": ("Energy", 7),
    "solar": ("Energy", 1),
    "covid_deaths": ("Healthcare", 1),
    "hospital": ("Healthcare", 1),
    "us_births": ("Healthcare", 1),
    "jena_weather": ("Nature", 21),
    "kdd_cup_2018": ("Nature", 1),
    "saugeen": ("Nature", 1),
    "temperature_rain": ("Nature", 1),
    "car_parts": ("Sales", 1),
    "hierarchical_sales": ("Sales", 1),
    "restaurant": ("Sales", 1),
    "loop_seattle": ("Transport", 1),
    "m_dense": ("Transport", 1),
    "sz_taxi": ("Transport", 1),
    "bitbrains_fast_storage": ("Web/CloudOps", 2),
    "bitbrains_rnd": ("Web/CloudOps", 2),
    "bizitobs_application": ("Web/CloudOps", 2),
    "bizitobs_l2c": ("Web/CloudOps", 7),
    "bizitobs_service": ("Web/CloudOps", 2),
}


def split_frequency(frequency: str) -> tuple[int, str]:
    """Split a pandas offset into multiple and unit: ``"15min"`` → ``(15, "T")``.

    The unit has the benchmark's spelling. Anchors are dropped: ``"W-THU"`` → ``(1, "W")``. Old and
    new pandas spellings are accepted.
    """
    match = re.fullmatch(r"(\d*)([A-Za-z]+)(-\w+)?", frequency)
    unit = _SPELLINGS.get(match[2], match[2]) if match else ""
    if match is None or unit not in _SEASONALITIES:
        raise ValueError(
            f"frequency {frequency!r} is unknown; "
            f"use a multiple of one of {', '.join(_SEASONALITIES)}"
        )
    return int(match[1] or 1), unit


def frequency_label(frequency: str) -> str:
    """Return a pandas offset in the spelling of the benchmark: ``"15min"`` → ``"15T"``."""
    multiple, unit = split_frequency(frequency)
    return f"{multiple if multiple > 1 else ''}{unit}"


def seasonality_of(frequency: str) -> int:
    """Return the number of steps in a season.

    A season is a day for hours and minutes, an hour for seconds, a week for business days, a year
    for months and quarters, and 1 step for every other unit. If the multiple does not divide the
    season, the season is 1 step (``gluonts.time_feature.get_seasonality``).
    """
    multiple, unit = split_frequency(frequency)
    steps, remainder = divmod(_SEASONALITIES[unit], multiple)
    return 1 if remainder else steps


def horizon_of(dataset: str, frequency: str, term: str) -> int:
    """Return the number of steps to forecast.

    The horizon of the frequency, times the multiple of the term. Data sets of the M4 competition
    have the horizons of that competition.
    """
    if term not in TERMS:
        raise ValueError(f"term {term!r} is unknown; use one of {', '.join(TERMS)}")
    unit = split_frequency(frequency)[1]
    horizons = _M4_HORIZONS if "m4" in dataset else _HORIZONS
    if unit not in horizons:
        raise ValueError(f"GIFT-Eval defines no horizon for frequency {frequency!r} of {dataset!r}")
    return horizons[unit] * TERMS[term]


def window_count(dataset: str, shortest: int, horizon: int) -> int:
    """Return the windows per series: a tenth of the shortest series, from 1 to 20. M4 has 1."""
    if "m4" in dataset:
        return 1
    return min(max(1, math.ceil(TEST_SHARE * shortest / horizon)), MAX_WINDOWS)


def terms_of(dataset: str, frequency: str) -> tuple[str, ...]:
    """Return the terms that GIFT-Eval scores: most sub-daily data sets have all three."""
    name = f"{dataset}/{frequency_label(frequency)}"
    sub_daily = split_frequency(frequency)[1] in _LONG_TERM_UNITS
    return tuple(TERMS) if sub_daily and name not in _SHORT_TERM_ONLY else ("short",)


def domain_of(dataset: str) -> str:
    """Return the domain of one of the benchmark's data sets, ``"unknown"`` for any other."""
    return _PROPERTIES.get(dataset, (UNKNOWN_DOMAIN, 1))[0]


def variates_of(dataset: str) -> int:
    """Return the variates of one of the benchmark's data sets, 1 for any other."""
    return _PROPERTIES.get(dataset, (UNKNOWN_DOMAIN, 1))[1]


@dataclass(frozen=True, eq=False)
class Configuration:
    """One row of the benchmark: a data set at a frequency and a term.

    Attributes
    ----------
    name : str
        ``dataset/frequency/term``, as in the published tables.
    frequency : str
        A pandas offset, as the data state it.
    horizon, windows, seasonality : int
        Steps per window, windows per series, steps per season.
    series : list of 1-D float64 arrays
        Whole series, including the test part; NaN means missing. Each variate is a separate series.
    domain : str
    num_variates : int
        Number of variates that were measured together.

    Raises
    ------
    ValueError
        If there is no series, a value is infinite, or a series has no context before its first
        window.

    Examples
    --------
    >>> import numpy as np
    >>> from timer_forecaster.evaluation import Configuration
    >>> series = [np.arange(30.0), np.arange(40.0)]
    >>> sales = Configuration("sales/D/short", "D", 5, windows=2, seasonality=7, series=series)
    >>> len(sales)  # windows of all series
    4
    """

    name: str
    frequency: str
    horizon: int
    windows: int
    seasonality: int
    series: list[FloatArray]
    domain: str = UNKNOWN_DOMAIN
    num_variates: int = 1

    def __post_init__(self) -> None:
        """Check the fields; refuse series without a context before their first window."""
        for name in ("horizon", "windows", "seasonality", "num_variates"):
            object.__setattr__(self, name, check_integer(name, getattr(self, name)))
        if len(self.series):
            object.__setattr__(self, "series", as_series(self.series))
        for i, values in enumerate(self.series):
            check_finite(values, f"{self.name}: series[{i}]")
        lengths = [len(values) for values in self.series] or [0]
        shortest = min(lengths)
        if shortest <= self.windows * self.horizon:
            raise ValueError(
                f"{self.name}: the shortest series has {shortest} steps, too few for "
                f"{self.windows} windows of {self.horizon} and a context; leave the term out, or "
                f"series[{lengths.index(shortest)}]"
            )

    def __len__(self) -> int:
        """Return the number of windows over all series."""
        return self.windows * len(self.series)

    def contexts(self) -> list[FloatArray]:
        """Return the history before each window; the oldest windows of all series come first.

        The arrays are views of the series, so 20 windows take no more memory than one.

        Returns
        -------
        list of ndarray, each of shape (steps,)

        Examples
        --------
        >>> import numpy as np
        >>> from timer_forecaster.evaluation import Configuration
        >>> series = [np.arange(30.0), np.arange(40.0)]
        >>> sales = Configuration("sales/D/short", "D", 5, windows=2, seasonality=7, series=series)
        >>> [len(context) for context in sales.contexts()]
        [20, 30, 25, 35]
        """
        left = self._steps_left
        return [values[: len(values) - steps] for steps in left for values in self.series]

    def targets(self) -> FloatArray:
        """Return the windows, (len(self), horizon), in the order of :meth:`contexts`.

        Returns
        -------
        ndarray, shape (windows of all series, horizon)

        Examples
        --------
        >>> import numpy as np
        >>> from timer_forecaster.evaluation import Configuration
        >>> series = [np.arange(30.0), np.arange(40.0)]
        >>> sales = Configuration("sales/D/short", "D", 5, windows=2, seasonality=7, series=series)
        >>> sales.targets()[0]
        array([20., 21., 22., 23., 24.])
        """
        ends = [values[len(values) - self.windows * self.horizon :] for values in self.series]
        windows = np.stack(ends).reshape(len(self.series), self.windows, self.horizon)
        return windows.swapaxes(0, 1).reshape(len(self), self.horizon)

    @cached_property
    def scales(self) -> FloatArray:
        """The seasonal error of each context, (len(self),), in the order of :meth:`contexts`."""
        errors = [
            seasonal_errors(values, len(values) - self._steps_left, self.seasonality)
            for values in self.series
        ]
        return np.stack(errors, axis=1).ravel()

    @property
    def _steps_left(self) -> npt.NDArray[np.int64]:
        """Steps from the start of each window to the end of its series."""
        return self.horizon * np.arange(self.windows, 0, -1)
