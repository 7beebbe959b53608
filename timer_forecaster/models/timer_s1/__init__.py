"""Timer-S1: a decoder-only mixture of experts with serial-token prediction (arXiv 2603.04791).

`TimerS1Network` is the network in plain torch; `TimerS1ForPrediction` is the same modules, with
the same parameter names, behind transformers' ``PreTrainedModel``. transformers is imported only
when one of its classes is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from timer_forecaster.models.timer_s1.architecture import (
    ROLLOUTS,
    TimerS1Architecture,
    as_architecture,
)
from timer_forecaster.models.timer_s1.network import TimerS1Network

if TYPE_CHECKING:
    from timer_forecaster.models.timer_s1.pretrained import (
        TimerS1Config,
        TimerS1ForPrediction,
        TimerS1Output,
    )

_NEED_TRANSFORMERS = ("TimerS1Config", "TimerS1ForPrediction", "TimerS1Output")

__all__ = [
    "ROLLOUTS",
    "TimerS1Architecture",
    "TimerS1Config",
    "TimerS1ForPrediction",
    "TimerS1Network",
    "TimerS1Output",
    "as_architecture",
]


def __getattr__(name: str) -> Any:
    if name in _NEED_TRANSFORMERS:
        from timer_forecaster.models.timer_s1 import pretrained

        return getattr(pretrained, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
