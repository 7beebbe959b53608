"""Settings of a tuning."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any

from timer_forecaster.checks import check_choice, check_integer, check_number
from timer_forecaster.models.timer_s1.targets import TARGETS

__all__ = ["TARGETS", "FinetuneConfig"]

LEARNING_RATES = {
    "router+head": 4e-3,
    "head": 4e-3,
    "router": 4e-3,
    "norms": 1e-2,
    "lora": 4e-3,
    "full": 1e-3,
}
"""Peak learning rate by target, where none is given."""

TOKENS_PER_STEP = 2048
"""Patches in a step, about, where ``batch_size`` does not say how many windows."""

_INTEGERS = {  # and their least values
    "steps": 1,
    "batch_size": 1,
    "context_length": 2,
    "horizon": 1,
    "patience": 1,
    "lora_rank": 1,
    "seed": 0,
}
_OPTIONAL = ("batch_size", "context_length", "horizon", "learning_rate")


@dataclasses.dataclass(frozen=True, kw_only=True)
class FinetuneConfig:
    """What to tune, on what, and for how long.

    Parameters
    ----------
    target : {"router+head", "head", "router", "norms", "lora", "full"}
        What is trained: the matrices that send tokens to experts and the output embedding, one of
        the two, the weights of all norms, low-rank matrices beside the projections of attention,
        or everything.
    steps : int
        Steps of the optimiser at most.
    learning_rate : float, optional
        Its peak, after a twentieth of the steps; it falls to a tenth by the end. Default: as found
        good for the target (`LEARNING_RATES`).
    batch_size : int, optional
        Windows in a step. Default: those of `TOKENS_PER_STEP` patches, from 4 to 64.
    context_length : int, optional
        Steps that forecasts are made from, at most those that the checkpoint reads, which is the
        default. Every shorter context is trained on too.
    horizon : int, optional
        Steps ahead that matter, at most those of one pass, which is the default. Serial blocks
        beyond it are not run.
    validation : float
        Share of each series, its newest steps, that is not trained on but decides when to stop and
        whether the result is kept.
    patience : int
        Validations without improvement after which to stop; there are ten at most.
    balance_loss : float
        Weight of the load-balancing loss of the report (section 3.3), where routers are trained.
    router_kl : float
        Weight of the divergence of the base's routing from the tuned one, where routers are
        trained.
    weight_decay : float
        Decoupled decay, towards the weights of the base.
    lora_rank : int
        With ``target="lora"``: rank of the matrices.
    hot_experts : float
        With ``target="lora"``: share of the experts in each block, those most used by the series,
        that are widened too.
    seed : int
        Of the windows that are drawn and of low-rank matrices.

    Raises
    ------
    ValueError, TypeError
        Naming the setting that cannot be used.

    Examples
    --------
    >>> from timer_forecaster.finetuning import FinetuneConfig
    >>> FinetuneConfig(target="head", steps=100).target
    'head'
    """

    target: str = "router+head"
    steps: int = 100
    learning_rate: float | None = None
    batch_size: int | None = None
    context_length: int | None = None
    horizon: int | None = None
    validation: float = 0.2
    patience: int = 4
    balance_loss: float = 1e-3
    router_kl: float = 1e-2
    weight_decay: float = 0.01
    lora_rank: int = 8
    hot_experts: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        """Check the settings."""
        check_choice("target", self.target, TARGETS)
        for name, least in _INTEGERS.items():
            self._settle(name, check_integer, least)
        for name in ("balance_loss", "router_kl", "weight_decay"):
            self._settle(name, check_number, 0, math.inf)
        self._settle("learning_rate", check_number, 0, math.inf, above=True)
        self._settle("validation", check_number, 0, 0.9, above=True)
        self._settle("hot_experts", check_number, 0, 1)
        for name in ("lora_rank", "hot_experts"):
            value = getattr(self, name)
            if self.target != "lora" and value != getattr(type(self), name):
                raise ValueError(f"{name}={value} applies to target='lora', not to {self.target!r}")

    def _settle(self, name: str, check: Callable[..., Any], *bounds: float, **how: bool) -> None:
        """Check a setting, and keep numpy's numbers as Python's, which JSON has."""
        value = getattr(self, name)
        if value is not None or name not in _OPTIONAL:
            object.__setattr__(self, name, check(name, value, *bounds, **how))

    @property
    def peak_learning_rate(self) -> float:
        """The learning rate, the target's own if none is given."""
        return self.learning_rate or LEARNING_RATES[self.target]

    def windows_per_step(self, n_tokens: int) -> int:
        """Tell how many windows of so many patches make a step."""
        return self.batch_size or max(4, min(64, TOKENS_PER_STEP // n_tokens))
