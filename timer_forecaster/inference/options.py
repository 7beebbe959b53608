"""Options of a forecast, checked in one place for every door."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from timer_forecaster.checks import check_choice, check_flag, check_integer
from timer_forecaster.inference import multiscale
from timer_forecaster.models.timer_s1 import ROLLOUTS, TimerS1Architecture

ROLLOUT_CHOICES = ("auto", *ROLLOUTS)


OPTIONS = ("context_length", "rollout", "flip", "batch_size")


def check_options(*, context_length: Any, rollout: Any, flip: Any, batch_size: Any) -> None:
    """Check options of `ForecastPipeline.predict`, as far as that needs no network."""
    check_choice("rollout", rollout, ROLLOUT_CHOICES)
    check_flag("flip", flip)
    for name, value in (("context_length", context_length), ("batch_size", batch_size)):
        if value is not None:
            check_integer(name, value)


def resolve_rollout(rollout: str, config: TimerS1Architecture) -> str:
    """Check the name of a roll-out; ``"auto"`` becomes the one that the checkpoint prefers."""
    check_choice("rollout", rollout, ROLLOUT_CHOICES)
    return config.preferred_rollout if rollout == "auto" else rollout


def longest_history(rollout: str, config: TimerS1Architecture) -> int:
    """Newest steps that a forecast of any horizon can read."""
    multiscale_reads = resolve_rollout(rollout, config) == "multiscale"
    return multiscale.LOOK_BACK if multiscale_reads else config.max_context_length


def check_symmetric(levels: Sequence[float]) -> None:
    """Refuse levels without mirror images, which ``flip=True`` needs."""
    if not np.allclose(np.add(levels, levels[::-1]), 1.0):
        raise ValueError(
            f"flip=True needs levels symmetric about 0.5; the checkpoint's are {tuple(levels)}"
        )
