"""TinyTimeMixer: small mixers of patches, channels and features (arXiv 2401.03955)."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from timer_forecaster.models.ttm.architecture import TTMArchitecture

if TYPE_CHECKING:
    from timer_forecaster.models.ttm.decomposition import (
        TTMDecomposedNetwork,
        TTMDecomposedOutput,
    )
    from timer_forecaster.models.ttm.network import TTMNetwork, TTMOutput

_HOMES = {
    "TTMDecomposedNetwork": "decomposition",
    "TTMDecomposedOutput": "decomposition",
    "TTMNetwork": "network",
    "TTMOutput": "network",
}

__all__ = [
    "TTMArchitecture",
    "TTMDecomposedNetwork",
    "TTMDecomposedOutput",
    "TTMNetwork",
    "TTMOutput",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
