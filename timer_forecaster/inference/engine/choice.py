"""The engine of a network: the functions that its family computes rows with."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from timer_forecaster.arrays import FloatArray
from timer_forecaster.models.families import TIMER_S1, TTM
from timer_forecaster.models.network import Network


class Engine(NamedTuple):
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
    return _ENGINES[network.config.model_type]()


def _timer_s1() -> Engine:
    from timer_forecaster.inference.engine import origins, timer_s1

    return Engine(
        timer_s1.forecast_rows, origins.forecast_origins, timer_s1.embed_rows, timer_s1.route_rows
    )


def _ttm() -> Engine:
    from timer_forecaster.inference.engine import ttm

    return Engine(ttm.forecast_rows, ttm.forecast_origins, ttm.embed_rows, ttm.route_rows)


_ENGINES = {TIMER_S1: _timer_s1, TTM: _ttm}
