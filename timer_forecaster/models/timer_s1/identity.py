"""What tells checkpoints of Timer-S1 apart."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

from timer_forecaster.models.timer_s1.architecture import TimerS1Architecture
from timer_forecaster.models.timer_s1.targets import replaced_by

_FIELDS = (  # that change the forecasts of the same weights
    "input_token_len",
    "hidden_size",
    "intermediate_size",
    "num_hidden_layers",
    "num_mtp_tokens",
    "num_attention_heads",
    "num_experts",
    "num_experts_per_token",
    "hidden_act",
    "rope_theta",
    "quantiles",
    "interior_masks",
)


def computed_by(config: TimerS1Architecture) -> list[Any]:
    """Return the values of an architecture that change the forecasts of the same weights."""
    values = dataclasses.asdict(config)
    values["rope_theta"] = float(values["rope_theta"])
    return [values[name] for name in _FIELDS]


def told_apart_by(names: Iterable[str]) -> dict[str, bool]:
    """Return the tensors that tell checkpoints apart, and whether by all values or a sample.

    All values of routers, head and norms count, and some of the other tensors. Experts are left
    out, so that copies with experts in 8 bits are the same checkpoint.
    """
    names = sorted(name for name in names if ".experts." not in name)
    whole = {*replaced_by("router+head", names), *replaced_by("norms", names)}
    return {name: name in whole for name in names}
