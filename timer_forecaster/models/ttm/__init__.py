"""TinyTimeMixer: small mixers of patches, features and channels (arXiv 2401.03955).

`TTMNetwork` and `TTMDecomposedNetwork` are the network in plain torch.
`TinyTimeMixerForPrediction` and `TinyTimeMixerForDecomposedPrediction` have the same modules and
parameter names behind transformers' ``PreTrainedModel``. Each class is imported at its first use:
the sizes of a network load no torch, and the network loads no transformers. After an import of this
package, transformers' ``AutoConfig`` and ``AutoModel`` load a checkpoint too.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from timer_forecaster.models.ttm.architecture import TTMArchitecture, as_architecture
from timer_forecaster.models.ttm.auto_classes import register_auto_classes

if TYPE_CHECKING:
    from timer_forecaster.models.ttm.configuration import TinyTimeMixerConfig
    from timer_forecaster.models.ttm.decomposition import (
        TTMDecomposedNetwork,
        TTMDecomposedOutput,
        make_network,
    )
    from timer_forecaster.models.ttm.network import TTMNetwork, TTMOutput
    from timer_forecaster.models.ttm.pretrained import (
        TinyTimeMixerForDecomposedPrediction,
        TinyTimeMixerForDecomposedPredictionOutput,
        TinyTimeMixerForPrediction,
        TinyTimeMixerForPredictionOutput,
    )

_HOMES = {
    "TTMDecomposedNetwork": "decomposition",
    "TTMDecomposedOutput": "decomposition",
    "TTMNetwork": "network",
    "TTMOutput": "network",
    "TinyTimeMixerConfig": "configuration",
    "TinyTimeMixerForDecomposedPrediction": "pretrained",
    "TinyTimeMixerForDecomposedPredictionOutput": "pretrained",
    "TinyTimeMixerForPrediction": "pretrained",
    "TinyTimeMixerForPredictionOutput": "pretrained",
    "make_network": "decomposition",
}

__all__ = [
    "TTMArchitecture",
    "TTMDecomposedNetwork",
    "TTMDecomposedOutput",
    "TTMNetwork",
    "TTMOutput",
    "TinyTimeMixerConfig",
    "TinyTimeMixerForDecomposedPrediction",
    "TinyTimeMixerForDecomposedPredictionOutput",
    "TinyTimeMixerForPrediction",
    "TinyTimeMixerForPredictionOutput",
    "as_architecture",
    "make_network",
    "read_architecture",
]


def read_architecture(path: Path) -> TTMArchitecture:
    """Return the architecture of a ``config.json``.

    Parameters
    ----------
    path : Path

    Returns
    -------
    TTMArchitecture

    Examples
    --------
    >>> from timer_forecaster.models.ttm import TinyTimeMixerConfig, read_architecture
    >>> TinyTimeMixerConfig(patch_length=16, patch_stride=16).save_pretrained("tiny")
    >>> read_architecture("tiny/config.json").num_patches
    4
    """
    return TTMArchitecture.from_config_file(path)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


register_auto_classes()
