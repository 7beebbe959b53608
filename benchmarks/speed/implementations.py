"""The released implementation and ours, behind the same two methods."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class Released:
    """The released implementation, as sktime 1.2 ships it; it needs transformers 4.

    Beyond one pass it continues the context in float32, which a network in bfloat16 does not
    accept. A hook casts the tokens to the type of the network.

    Parameters
    ----------
    folder : str
        Checkpoint.
    dtype, device : str
        Type and device of the network.
    """

    def __init__(self, folder: str, dtype: str, device: str) -> None:
        import torch
        from sktime.libs.timer_s1 import TimerS1ForPrediction

        self.dtype, self.device = getattr(torch, dtype), device
        loaded = TimerS1ForPrediction.from_pretrained(folder, dtype=self.dtype)
        self.network = loaded.to(device).eval()
        self.network.model.embed_layer.register_forward_pre_hook(
            lambda _, inputs: (inputs[0].to(self.dtype),)
        )

    @staticmethod
    def import_libraries() -> None:
        """Import everything that a first forecast would import."""
        import sktime.libs.timer_s1  # noqa: F401

    def forecast(self, values: Array, horizon: int) -> Array:
        """Return the quantiles (rows, levels, horizon) of rows of equal length."""
        import torch

        inputs = torch.from_numpy(values).to(self.device, self.dtype)
        return self.network.generate(inputs, max_new_tokens=horizon).float().cpu().numpy()

    def forecast_ragged(self, rows: list[Array], horizon: int) -> object:
        """Forecast rows of any lengths, one after the other: there is no other way."""
        return [self.forecast(row[None], horizon) for row in rows]


class Ours:
    """The pipeline, with the released roll-out by default.

    Parameters
    ----------
    folder : str
        Checkpoint.
    dtype, device, quantization : str
        Type, device and quantization of the network.
    """

    def __init__(
        self, folder: str, dtype: str, device: str, quantization: str | None = None
    ) -> None:
        from timer_forecaster import ForecastPipeline

        self.pipeline = ForecastPipeline.from_pretrained(
            folder, device=device, dtype=dtype, quantization=quantization
        )
        self.network = self.pipeline.network

    @staticmethod
    def import_libraries() -> None:
        """Import everything that a first forecast would import."""
        import timer_forecaster.inference  # noqa: F401

    def forecast(self, values: Array, horizon: int, rollout: str = "median") -> Array:
        """Return the quantiles (rows, levels, horizon) of rows of equal length."""
        forecast = self.pipeline.predict(values, horizon, rollout=rollout)
        return forecast.quantiles.transpose(0, 2, 1)

    def forecast_ragged(self, rows: list[Array], horizon: int) -> object:
        """Forecast rows of any lengths in one call."""
        return self.pipeline.predict(rows, horizon, rollout="median")


IMPLEMENTATIONS: dict[str, type[Released] | type[Ours]] = {"released": Released, "ours": Ours}
