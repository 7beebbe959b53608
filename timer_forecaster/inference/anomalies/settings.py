"""What a user asks of a search for anomalies, checked in one place for every door."""

from __future__ import annotations

from dataclasses import dataclass, field

from timer_forecaster.checks import check_choice, check_flag, check_integer, check_level
from timer_forecaster.failures import ON_ERROR
from timer_forecaster.inference.options import DEFAULT, ForecastOptions

CALIBRATIONS = ("auto", "table", "off")

MIN_HISTORY = 32
"""Observed values that a step needs before it by default."""


@dataclass(frozen=True)
class AnomalySettings:
    """How to search for anomalies, as in `ForecastPipeline.detect_anomalies`.

    Parameters
    ----------
    level : float
    horizon : int
    min_history : int
    calibrate : {"auto", "table", "off"}
    repair : bool
    exact : bool
    options : ForecastOptions
    on_error : {"raise", "nan"}
    progress : bool

    Raises
    ------
    ValueError, TypeError
        If a setting cannot be used. The error names it.
    """

    level: float = 0.99
    horizon: int = 1
    min_history: int = MIN_HISTORY
    calibrate: str = "auto"
    repair: bool = True
    exact: bool = True
    options: ForecastOptions = field(default=DEFAULT)
    on_error: str = "raise"
    progress: bool = False

    def __post_init__(self) -> None:
        """Check the values."""
        check_choice("calibrate", self.calibrate, CALIBRATIONS)
        check_choice("on_error", self.on_error, ON_ERROR)
        settled = {"level": check_level("level", self.level)}
        settled |= {n: check_integer(n, getattr(self, n)) for n in ("horizon", "min_history")}
        flags = ("repair", "exact", "progress")
        settled |= {name: check_flag(name, getattr(self, name)) for name in flags}
        for name, value in settled.items():
            object.__setattr__(self, name, value)

    @property
    def chance(self) -> float:
        """Tail probability up to which a step is an anomaly."""
        return 1 - self.level
