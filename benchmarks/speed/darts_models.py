"""Foundation models through Darts.

Darts' models are built from their published sizes with random weights, so that nothing is
downloaded. Their speed does not depend on the values of the weights.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from typing import Any
from unittest import mock

import numpy as np

from benchmarks.speed.built import Builder, Built, Walks, count_parameters

AT_ONCE = 64
"""Series in a batch."""

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
CHRONOS_2_SMALL = CHRONOS_2 | {"d_model": 512, "d_ff": 2048, "num_layers": 6, "num_heads": 8}

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

LEFT_OUT = {
    "TimesFM3Model": "asks its user to accept the license of weights, before it reads any sizes",
    "TiRexModel, TiRex2Model": "need packages beside Darts, which download the sizes with the "
    "weights",
    "T0Model": "needs a package beside Darts; its sizes lie behind a login",
}
"""Foundation models of Darts 0.48 that cannot be built here, with the reason."""


def darts_model(name: str, config: dict[str, Any] | None = None) -> Builder:
    """Return a builder of a foundation model of Darts: three quantiles from a list of series.

    Parameters
    ----------
    name : str
        Class in ``darts.models``.
    config : dict, optional
        Its sizes. Default: those in Darts' code.
    """

    def build(checkpoint: str, steps: int, horizon: int) -> Built:
        import darts.models

        with _without_files(config or {}):
            return built_with_darts(getattr(darts.models, name), steps, horizon)

    return build


def built_with_darts(model_class: Any, steps: int, horizon: int, **parameters: Any) -> Built:
    """Build a foundation model, and make it load its weights."""
    from darts import TimeSeries
    from darts.utils.likelihood_models import QuantileRegression

    be_quiet()
    model = model_class(
        steps,
        horizon,
        likelihood=QuantileRegression([0.1, 0.5, 0.9]),
        pl_trainer_kwargs={"accelerator": "cpu", "enable_progress_bar": False},
        **parameters,
    )

    def prepare(walks: Walks) -> Any:
        series = [TimeSeries.from_values(row.astype(np.float32)) for row in walks]
        options = {"predict_likelihood_parameters": True, "batch_size": AT_ONCE}
        return lambda: model.predict(horizon, series, **options)

    model.fit(TimeSeries.from_values(np.arange(steps, dtype=np.float32)))
    prepare(np.ones((1, steps)))()
    return Built(prepare, count_parameters(model.model))


@contextlib.contextmanager
def _without_files(config: dict[str, Any]) -> Iterator[None]:
    """Make Darts build a network from given sizes and keep its initial weights."""
    from darts.models.components.huggingface_connector import HuggingFaceConnector as Connector

    with (
        mock.patch.object(Connector, "load_config", lambda self: config),
        mock.patch.object(Connector, "load_model_weights", lambda self, module: None),
    ):
        yield


def be_quiet() -> None:
    """Stop the lines that Lightning and Darts log for each forecast."""
    logging.captureWarnings(True)
    logging.disable(logging.WARNING)
