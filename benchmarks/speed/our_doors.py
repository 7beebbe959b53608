"""Checkpoints through the doors of this package, and the released code with the same weights."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from benchmarks.speed.balanced_routing import balance
from benchmarks.speed.built import Built, Walks
from benchmarks.speed.implementations import Released
from benchmarks.walks import panel_of


def pipeline(checkpoint: str, steps: int, horizon: int) -> Built:
    """Build `ForecastPipeline`: nine quantiles from an array."""
    pipe = _loaded(checkpoint)
    return Built(lambda walks: lambda: pipe.predict(walks, horizon), _stored(checkpoint))


def sktime_door(checkpoint: str, steps: int, horizon: int) -> Built:
    """Build our class for sktime: the median from a frame."""
    from timer_forecaster.sktime import TimerS1Forecaster

    return _with_sktime(TimerS1Forecaster, checkpoint, horizon)


def darts_door(checkpoint: str, steps: int, horizon: int) -> Built:
    """Build our model for Darts: three quantiles from a list of series."""
    from benchmarks.speed.darts_models import built_with_darts
    from timer_forecaster import darts
    from timer_forecaster.models.ttm import TTMNetwork

    is_ttm = isinstance(_loaded(checkpoint).network, TTMNetwork)
    model = darts.TinyTimeMixerModel if is_ttm else darts.TimerS1Model
    built = built_with_darts(model, steps, horizon, hub_model_name=checkpoint)
    return built._replace(parameters=_stored(checkpoint))


def released_class(checkpoint: str, steps: int, horizon: int) -> Built:
    """Build sktime's own class, which holds the released code: the median from a frame."""
    from sktime.forecasting.timer_s1 import TimerS1Forecaster

    return _with_sktime(TimerS1Forecaster, checkpoint, horizon)


def released_network(checkpoint: str, steps: int, horizon: int) -> Built:
    """Build the network of the released code: nine quantiles from an array, in one batch."""
    released = Released(checkpoint, "float32", "cpu")
    return Built(lambda walks: lambda: released.forecast(walks, horizon), _stored(checkpoint))


def _with_sktime(forecaster: Any, checkpoint: str, horizon: int) -> Built:
    fh = range(1, horizon + 1)

    def prepare(walks: Walks) -> Any:
        y = panel_of(walks)
        return lambda: forecaster(checkpoint).fit(y).predict(fh)

    return Built(prepare, _stored(checkpoint))


def _loaded(checkpoint: str) -> Any:
    """Return the pipeline of a checkpoint; a folder holds random weights."""
    from timer_forecaster import ForecastPipeline
    from timer_forecaster.models.timer_s1 import TimerS1Network

    pipe = ForecastPipeline.from_pretrained(checkpoint, device="cpu")
    if Path(checkpoint).exists() and isinstance(pipe.network, TimerS1Network):
        balance(pipe.network)  # its routers would use few experts
    return pipe


def _stored(checkpoint: str) -> int:
    """Return the number of weights in the files of a checkpoint."""
    from safetensors import safe_open

    from timer_forecaster.checkpoints.registry import find_checkpoint

    count = 0
    for path in find_checkpoint(checkpoint).glob("*.safetensors"):
        with safe_open(path, "pt") as file:
            count += sum(math.prod(file.get_slice(name).get_shape()) for name in file.keys())
    return count
