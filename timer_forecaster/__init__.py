"""Timer-S1 forecasts, with honest uncertainty, for arrays, pandas, sktime, Darts and scikit-learn.

The names below are imported when they are first used, so that `import timer_forecaster` loads
neither torch nor pandas. The frameworks' classes live in `timer_forecaster.sktime`,
`timer_forecaster.darts` and `timer_forecaster.sklearn`.

Examples
--------
>>> from timer_forecaster import ForecastPipeline
>>> pipe = ForecastPipeline.from_pretrained("timer-s1-small")
>>> forecast = pipe.predict([112.0, 118.0, 132.0, 129.0, 121.0, 135.0], horizon=3)
>>> forecast.median.shape
(1, 3)
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from timer_forecaster.checkpoints.registry import list_checkpoints
    from timer_forecaster.inference import Forecast, ForecastPipeline, release

__version__ = "0.2.0"

__all__ = ["Forecast", "ForecastPipeline", "__version__", "list_checkpoints", "release"]

_HOMES = {
    "Forecast": "timer_forecaster.inference",
    "ForecastPipeline": "timer_forecaster.inference",
    "list_checkpoints": "timer_forecaster.checkpoints.registry",
    "release": "timer_forecaster.inference",
}


def __getattr__(name: str) -> object:
    """Import a public name from its home module when it is first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List what the module holds and the names that it would import."""
    return sorted({*globals(), *__all__})
