"""The windows of a backtest and the levels of its forecasts, as a user asks for them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from timer_forecaster.checks import check_choice, check_flag, check_integer, check_levels
from timer_forecaster.evaluation.metrics import LEVELS
from timer_forecaster.failures import ON_ERROR
from timer_forecaster.frames.long import column_name
from timer_forecaster.inference.options import DEFAULT, ForecastOptions


@dataclasses.dataclass(frozen=True)
class BacktestSettings:
    """Windows, and levels of their forecasts.

    Parameters
    ----------
    horizon : int
        Steps of each window.
    windows : int
        Most windows of each series. The newest one ends with the last observed value.
    step : int, optional
        Steps from one window to the next. Default: ``horizon``.
    min_history : int, optional
        Least steps before a window, from the first observed value on. Default: ``horizon``.
    seasonality : int, optional
        Steps of a season. Default: by the frequency of each series.
    levels : sequence of float
        Quantile levels beside the nine that are scored. All are ascending in the attribute.

    Raises
    ------
    ValueError, TypeError
        If a value cannot be used. The error names it.

    Examples
    --------
    >>> settings = BacktestSettings(24, levels=[0.05, 0.95])
    >>> settings.step, settings.levels[:3]
    (24, (0.05, 0.1, 0.2))
    """

    horizon: int
    windows: int = 5
    step: int | None = None
    min_history: int | None = None
    seasonality: int | None = None
    levels: Sequence[float] = LEVELS

    def __post_init__(self) -> None:
        """Check the values, and settle the defaults that depend on the horizon."""
        for name in ("horizon", "windows"):
            object.__setattr__(self, name, check_integer(name, getattr(self, name)))
        for name in ("step", "min_history"):
            value = getattr(self, name)
            value = self.horizon if value is None else check_integer(name, value)
            object.__setattr__(self, name, value)
        if self.seasonality is not None:
            season = check_integer("seasonality", self.seasonality)
            object.__setattr__(self, "seasonality", season)
        # By their columns: 0.3 and the 0.30000000000000004 of numpy.arange are one level.
        every = *check_levels("levels", self.levels), *LEVELS
        levels = {column_name(level): level for level in every}
        object.__setattr__(self, "levels", tuple(sorted(levels.values())))


@dataclasses.dataclass(frozen=True)
class Way:
    """How a backtest is computed.

    Parameters
    ----------
    options : ForecastOptions
        Of the forecasts of pipelines.
    baselines : str, sequence or mapping
        As in `ForecastPipeline.backtest_frame`.
    on_error : {"raise", "nan"}
        Whether a series or a window without a forecast is an error.
    progress : bool
        Whether to show a progress bar.
    parts : Path, optional
        The folder of finished parts.
    """

    options: ForecastOptions = DEFAULT
    baselines: Any = ()
    on_error: str = "raise"
    progress: bool = False
    parts: str | Path | None = None

    def __post_init__(self) -> None:
        """Check the values."""
        check_choice("on_error", self.on_error, ON_ERROR)
        object.__setattr__(self, "progress", check_flag("progress", self.progress))
