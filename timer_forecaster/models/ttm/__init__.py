"""TinyTimeMixer: small mixers of patches, channels and features (arXiv 2401.03955)."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from timer_forecaster.models.ttm.architecture import TTMArchitecture, as_architecture

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
    "as_architecture",
    "make_network",
    "read_architecture",
]


def read_architecture(path: Path) -> TTMArchitecture:
    """Return the architecture of a ``config.json``."""
    return TTMArchitecture.from_config_file(path)


def make_network(architecture: TTMArchitecture) -> TTMNetwork | TTMDecomposedNetwork:
    """Return a network of an architecture, with weights as torch draws them."""
    if architecture.decompose:
        from timer_forecaster.models.ttm.decomposition import TTMDecomposedNetwork

        return TTMDecomposedNetwork(architecture)
    from timer_forecaster.models.ttm.network import TTMNetwork

    return TTMNetwork(architecture)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
