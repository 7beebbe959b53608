"""Timer-S1: a decoder-only mixture of experts with serial-token prediction (arXiv 2603.04791).

`TimerS1Network` is the network in plain torch. `TimerS1ForPrediction` has the same modules and
parameter names behind transformers' ``PreTrainedModel``. Each class is imported at its first use:
the sizes of a network load no torch, and the network loads no transformers. After an import of this
package, transformers' ``AutoConfig``, ``AutoModel`` and ``AutoModelForCausalLM`` load a checkpoint
too.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from timer_forecaster.models.timer_s1.architecture import (
    ROLLOUTS,
    TimerS1Architecture,
    as_architecture,
)
from timer_forecaster.models.timer_s1.auto_classes import register_auto_classes

if TYPE_CHECKING:
    from timer_forecaster.models.timer_s1.configuration import TimerS1Config
    from timer_forecaster.models.timer_s1.network import TimerS1Network
    from timer_forecaster.models.timer_s1.pretrained import TimerS1ForPrediction, TimerS1Output

_HOMES = {
    "TimerS1Config": "configuration",
    "TimerS1ForPrediction": "pretrained",
    "TimerS1Network": "network",
    "TimerS1Output": "pretrained",
}

__all__ = [
    "ROLLOUTS",
    "TimerS1Architecture",
    "TimerS1Config",
    "TimerS1ForPrediction",
    "TimerS1Network",
    "TimerS1Output",
    "as_architecture",
    "make_network",
    "read_architecture",
]


def read_architecture(path: Path) -> TimerS1Architecture:
    """Return the architecture of a ``config.json``.

    Parameters
    ----------
    path : Path

    Returns
    -------
    TimerS1Architecture

    Examples
    --------
    >>> from timer_forecaster.models.timer_s1 import TimerS1Config, read_architecture
    >>> TimerS1Config(hidden_size=64, num_attention_heads=4).save_pretrained("small")
    >>> read_architecture("small/config.json").hidden_size
    64
    """
    return TimerS1Architecture.from_config_file(path)


def make_network(architecture: TimerS1Architecture) -> TimerS1Network:
    """Return a network of an architecture, with weights as torch draws them.

    Parameters
    ----------
    architecture : TimerS1Architecture

    Returns
    -------
    TimerS1Network

    Examples
    --------
    >>> from timer_forecaster.models.timer_s1 import as_architecture, make_network
    >>> sizes = {"hidden_size": 8, "num_attention_heads": 2, "intermediate_size": 16}
    >>> blocks = {"num_hidden_layers": 1, "num_mtp_tokens": 1, "num_experts": 2}
    >>> make_network(as_architecture(sizes | blocks)).pass_length
    32
    """
    from timer_forecaster.models.timer_s1.network import TimerS1Network

    return TimerS1Network(architecture)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


register_auto_classes()
