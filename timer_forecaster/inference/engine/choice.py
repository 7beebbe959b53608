"""The engine of a network: the functions that its family computes rows with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, cast

from timer_forecaster.arrays import FloatArray
from timer_forecaster.models.families import family_of
from timer_forecaster.models.network import Network


class Engine(Protocol):
    """The functions of an engine. All rows are standardized, NaN where missing."""

    forecast_rows: Callable[..., FloatArray]
    """Quantiles (rows, horizon, Q), not decreasing along the levels, of (network, rows, horizon,
    rollout, batch_size, on_batch)."""
    forecast_origins: Callable[..., list[FloatArray]]
    """Quantiles (origins, horizon, Q) of each row, of (network, rows, steps_back, horizon)."""
    embed_rows: Callable[..., FloatArray]
    """A representation (rows, features), of (network, rows)."""
    route_rows: Callable[..., FloatArray]
    """Shares (rows, blocks, experts) of the routing, of (network, rows)."""


def engine_of(network: Network) -> Engine:
    """Return the engine of the family of a network, which is imported at its first use."""
    return cast(Engine, family_of(network.config).in_room("timer_forecaster.inference.engine"))
