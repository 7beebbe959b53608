"""Other forecasters on the same walks: classical ones, and Darts' foundation models.

Darts' models are built from their published sizes with random weights, as nothing is downloaded:
speed does not depend on what they have learnt.
"""

from __future__ import annotations

import contextlib
import logging
import math
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

import numpy as np
from measuring import measure_cpu

SEASON = 24

CHRONOS_2 = {
    "d_model": 768,
    "d_kv": 64,
    "d_ff": 3072,
    "num_layers": 12,
    "num_heads": 12,
    "feed_forward_proj": "relu",
    "chronos_config": {
        "context_length": 8192,
        "input_patch_size": 16,
        "input_patch_stride": 16,
        "output_patch_size": 16,
        "max_output_patches": 64,
        "time_encoding_scale": 8192,
        "use_reg_token": True,
        "use_arcsinh": True,
        "quantiles": [0.01, *(round(0.05 * i, 2) for i in range(1, 20)), 0.99],
    },
}
"""amazon/chronos-2, 120 M parameters."""

PATCHTST_FM = {
    "context_length": 8192,
    "d_patch": 16,
    "d_model": 1024,
    "n_head": 16,
    "n_layer": 20,
    "num_quantile": 99,
    "quantile_levels": [round(0.01 * i, 2) for i in range(1, 100)],
}
"""ibm-granite/granite-timeseries-patchtst-fm-r1: the defaults of Darts' port."""

SIMILAR = {
    "hidden_size": 512,
    "intermediate_size": 2048,
    "num_hidden_layers": 4,
    "num_mtp_tokens": 5,
    "num_attention_heads": 8,
    "num_experts": 8,
}
"""Sizes of ours with about as many parameters as Chronos-2; a token meets a third of them."""

DARTS_MODELS: dict[str, dict[str, Any]] = {
    "Chronos2Model": CHRONOS_2,
    "Chronos2Model, small": CHRONOS_2
    | {"d_model": 512, "d_ff": 2048, "num_layers": 6, "num_heads": 8},
    "TimesFM2p5Model": {},  # Darts' code holds its sizes
    "PatchTSTFMModel": PATCHTST_FM,
}

LEFT_OUT = {
    "TimesFM3Model": "asks its user to accept the licence of weights, before it reads any sizes",
    "TiRexModel, TiRex2Model": "need packages beside Darts, which download the sizes with the "
    "weights",
    "T0Model": "needs a package beside Darts; its sizes lie behind a login",
}
"""Darts 0.48's foundation models that cannot be built here, and why."""


def classical(name: str, steps: int, horizon: int, budget: float) -> dict[str, float]:
    """Fit and forecast walks with a classical forecaster, one after the other.

    Parameters
    ----------
    name : str
        A key of `CLASSICAL`.
    steps, horizon : int
        Length of a series, and steps to forecast.
    budget : float
        CPU seconds after which no series is begun. One before them is not counted: some
        libraries compile.

    Returns
    -------
    dict
        Median of the CPU seconds of a series, and how many series there were.
    """
    make = CLASSICAL[name]
    random = np.random.default_rng(0)
    found: list[float] = []
    while len(found) < 2 or sum(found[1:]) < budget:
        values = random.normal(size=steps).cumsum()
        found.append(measure_cpu(make(values, horizon)))
    return {"seconds": statistics.median(found[1:]), "series": len(found) - 1}


def _with_sktime(name: str, **parameters: Any) -> Callable[..., Callable[[], object]]:
    def make(values: Any, horizon: int) -> Callable[[], object]:
        import pandas as pd
        from sktime.forecasting.ets import AutoETS
        from sktime.forecasting.theta import ThetaForecaster

        times = pd.date_range("2024-01-01", periods=len(values), freq="h")
        y = pd.Series(values + 1000.0, times)  # above zero, as multiplicative parts want it
        forecaster = {"AutoETS": AutoETS, "Theta": ThetaForecaster}[name](**parameters)
        return lambda: forecaster.fit(y, fh=range(1, horizon + 1)).predict()

    return make


def _with_statsforecast(name: str, **parameters: Any) -> Callable[..., Callable[[], object]]:
    def make(values: Any, horizon: int) -> Callable[[], object]:
        from statsforecast import models

        model = getattr(models, name)(**parameters)
        return lambda: model.forecast(y=values + 1000.0, h=horizon)

    return make


CLASSICAL: dict[str, Callable[..., Callable[[], object]]] = {
    "AutoETS of sktime": _with_sktime("AutoETS", auto=True),
    f"AutoETS of sktime, season {SEASON}": _with_sktime("AutoETS", auto=True, sp=SEASON),
    f"Theta of sktime, season {SEASON}": _with_sktime("Theta", sp=SEASON),
    "AutoETS of statsforecast": _with_statsforecast("AutoETS", season_length=1),
    f"AutoETS of statsforecast, season {SEASON}": _with_statsforecast(
        "AutoETS", season_length=SEASON
    ),
    f"AutoTheta of statsforecast, season {SEASON}": _with_statsforecast(
        "AutoTheta", season_length=SEASON
    ),
}


def darts_model(
    name: str, n: int, steps: int, horizon: int, repeats: int, checkpoint: str = ""
) -> dict[str, float]:
    """Forecast a panel of walks through Darts: three quantiles of each step.

    Parameters
    ----------
    name : str
        A key of `DARTS_MODELS`, or ``"TimerS1Model"``.
    n, steps, horizon, repeats : int
        Series, their length, steps to forecast, panels.
    checkpoint : str
        For our model: folder with its weights.

    Returns
    -------
    dict
        Median of the CPU seconds of a panel, and parameters of the network.
    """
    from darts import TimeSeries

    _be_quiet()
    with _without_files(DARTS_MODELS.get(name, {})):
        model = _make_darts_model(name, steps, horizon, checkpoint)
        model.fit(_darts_panel(TimeSeries, 1, steps, seed=0)[0])
        found = []
        for seed in range(repeats + 1):
            series = _darts_panel(TimeSeries, n, steps, seed)
            start = time.process_time()
            model.predict(horizon, series, predict_likelihood_parameters=True, batch_size=64)
            found.append(time.process_time() - start)
        return {"seconds": statistics.median(found[1:]), "parameters": _parameters(model)}


def _make_darts_model(name: str, steps: int, horizon: int, checkpoint: str) -> Any:
    from darts.utils.likelihood_models import QuantileRegression

    options: dict[str, Any] = {
        "likelihood": QuantileRegression([0.1, 0.5, 0.9]),
        "pl_trainer_kwargs": {"accelerator": "cpu", "enable_progress_bar": False},
    }
    if name != "TimerS1Model":
        import darts.models

        return getattr(darts.models, name.partition(",")[0])(steps, horizon, **options)
    from speed_parts.networks import balance
    from timer_forecaster import ForecastPipeline
    from timer_forecaster.darts import TimerS1Model

    if checkpoint:  # random weights, which must not be routed to few experts
        options["local_dir"] = checkpoint
        balance(ForecastPipeline.from_pretrained(checkpoint, device="cpu").network)
    return TimerS1Model(steps, horizon, **options)


def _darts_panel(series: Any, n: int, steps: int, seed: int) -> list[Any]:
    values = np.random.default_rng(seed).normal(size=(n, steps)).cumsum(axis=1)
    return [series.from_values(row.astype(np.float32)) for row in values]


@contextlib.contextmanager
def _without_files(config: dict[str, Any]) -> Iterator[None]:
    """Let Darts build a network from given sizes and leave its first weights in it."""
    from darts.models.components.huggingface_connector import HuggingFaceConnector as Connector

    with (
        mock.patch.object(Connector, "load_config", lambda self: config),
        mock.patch.object(Connector, "load_model_weights", lambda self, module: None),
    ):
        yield


def _parameters(model: Any) -> int:
    if hasattr(model.model, "checkpoint"):  # ours, which lies in the cache
        from speed_parts.networks import parameter_shapes
        from timer_forecaster import ForecastPipeline

        pipeline = ForecastPipeline.from_pretrained(model.model.checkpoint, device="cpu")
        shapes = parameter_shapes(vars(pipeline.network.config))
        return sum(math.prod(shape) for shape in shapes.values())
    return sum(parameter.numel() for parameter in model.model.parameters())


def _be_quiet() -> None:
    logging.captureWarnings(True)
    logging.disable(logging.WARNING)  # Lightning and Darts log several lines for each forecast
