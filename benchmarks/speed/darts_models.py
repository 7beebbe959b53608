"""Darts' foundation models, and ours through Darts, on the same walks.

Darts' models are built from their published sizes with random weights, so that nothing is
downloaded. Their speed does not depend on the values of the weights.
"""

from __future__ import annotations

import contextlib
import logging
import math
import statistics
import time
from collections.abc import Iterator
from typing import Any
from unittest import mock

import numpy as np

from benchmarks.random_checkpoints import parameter_shapes
from benchmarks.speed.balanced_routing import balance

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
"""Sizes of a Timer-S1 with about as many parameters as Chronos-2; a token uses a third of them."""

DARTS_MODELS: dict[str, dict[str, Any]] = {
    "Chronos2Model": CHRONOS_2,
    "Chronos2Model, small": CHRONOS_2
    | {"d_model": 512, "d_ff": 2048, "num_layers": 6, "num_heads": 8},
    "TimesFM2p5Model": {},  # Darts' code holds its sizes
    "PatchTSTFMModel": PATCHTST_FM,
}

LEFT_OUT = {
    "TimesFM3Model": "asks its user to accept the license of weights, before it reads any sizes",
    "TiRexModel, TiRex2Model": "need packages beside Darts, which download the sizes with the "
    "weights",
    "T0Model": "needs a package beside Darts; its sizes lie behind a login",
}
"""Foundation models of Darts 0.48 that cannot be built here, with the reason."""


def time_darts_model(
    name: str, n: int, steps: int, horizon: int, repeats: int, checkpoint: str = ""
) -> dict[str, float]:
    """Forecast panels of walks through Darts: three quantiles of each step.

    Parameters
    ----------
    name : str
        A key of `DARTS_MODELS`, or ``"TimerS1Model"``.
    n, steps, horizon, repeats : int
        Number of series, their length, the steps to forecast, and the number of panels.
    checkpoint : str
        Folder of weights for our model. Default: the embedded checkpoint.

    Returns
    -------
    dict
        Median of the CPU seconds of a panel, and number of parameters of the network.
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
    from timer_forecaster import ForecastPipeline
    from timer_forecaster.darts import TimerS1Model

    if checkpoint:  # random weights, whose routers would use few experts
        options["local_dir"] = checkpoint
        balance(ForecastPipeline.from_pretrained(checkpoint, device="cpu").network)
    return TimerS1Model(steps, horizon, **options)


def _darts_panel(series: Any, n: int, steps: int, seed: int) -> list[Any]:
    values = np.random.default_rng(seed).normal(size=(n, steps)).cumsum(axis=1)
    return [series.from_values(row.astype(np.float32)) for row in values]


@contextlib.contextmanager
def _without_files(config: dict[str, Any]) -> Iterator[None]:
    """Make Darts build a network from given sizes and keep its initial weights."""
    from darts.models.components.huggingface_connector import HuggingFaceConnector as Connector

    with (
        mock.patch.object(Connector, "load_config", lambda self: config),
        mock.patch.object(Connector, "load_model_weights", lambda self, module: None),
    ):
        yield


def _parameters(model: Any) -> int:
    if hasattr(model.model, "checkpoint"):  # our network lies in the cache of networks
        from timer_forecaster import ForecastPipeline

        pipeline = ForecastPipeline.from_pretrained(model.model.checkpoint, device="cpu")
        shapes = parameter_shapes(vars(pipeline.network.config))
        return sum(math.prod(shape) for shape in shapes.values())
    return sum(parameter.numel() for parameter in model.model.parameters())


def _be_quiet() -> None:
    logging.captureWarnings(True)
    logging.disable(logging.WARNING)  # Lightning and Darts log several lines for each forecast
