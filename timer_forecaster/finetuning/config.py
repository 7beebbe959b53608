"""Settings of finetuning."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any

from timer_forecaster.checks import check_choice, check_integer, check_number
from timer_forecaster.models.timer_s1.architecture import QUALITIES
from timer_forecaster.models.tuning import TARGETS
from timer_forecaster.settings import setting

__all__ = ["TARGETS", "FinetuneConfig"]

_USUAL_RATE = 4e-3

LEARNING_RATES: dict[str | None, float] = {
    "router+head": _USUAL_RATE,
    "decoder+head": _USUAL_RATE,
    "head": _USUAL_RATE,
    "quantile-head": _USUAL_RATE,
    "channels": 1e-2,
    "router": _USUAL_RATE,
    "norms": 1e-2,
    "lora": _USUAL_RATE,
    "full": 1e-3,
}
"""Default of the peak learning rate, by target."""

LORA_SETTINGS = ("lora_rank", "hot_experts")
"""Settings that apply to the target ``"lora"`` alone."""

TOKENS_PER_STEP = 2048
"""Approximate number of patches in a step, where ``batch_size`` is not given."""

MOST_SEED = 2**63 - 1
"""Largest seed of torch's generators."""

_INTEGERS = {  # and their smallest values
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
    """Settings of finetuning: the weights to train, the windows, and the length of the training.

    Parameters
    ----------
    target : str, optional
        Weights to train. Default, and ``"auto"``: ``"router+head"`` for Timer-S1, and
        ``"decoder+head"`` for TinyTimeMixer. Each family refuses the targets that it does not have.
        Timer-S1: ``"router"`` are the matrices that send tokens to experts, ``"head"`` is the
        output embedding, and ``"router+head"`` both. ``"norms"`` are the weights of all norms,
        ``"lora"`` low-rank matrices beside the projections of attention, and ``"full"`` all
        weights.
        TinyTimeMixer: ``"head"`` is the last layer with the quantile head, if there is one, and
        ``"decoder+head"`` the decoder too. ``"quantile-head"`` is the quantile head alone; a
        checkpoint of point forecasts gets one. ``"channels"`` adds mixers of channels, which read
        known columns beside a series, and trains them with decoder and head. ``"norms"`` and
        ``"full"`` are as above, and ``"lora"`` are low-rank matrices beside the layers along the
        features.
    steps : int
        Largest number of optimizer steps.
    learning_rate : float, optional
        Peak learning rate. It is reached after 5 % of the steps, and falls to 10 % of the peak by
        the end. Default: a good value for the target (`LEARNING_RATES`).
    batch_size : int, optional
        Windows in a step. Default: as many as hold `TOKENS_PER_STEP` patches, between 4 and 64.
    context_length : int, optional
        Steps of the contexts. Default and maximum: as many as the checkpoint reads. All shorter
        contexts are trained at the same time.
    horizon : int, optional
        Steps to forecast. Default and maximum: the steps of one pass. Serial blocks beyond the
        horizon are not run.
    quality : {"fast", "best", "plain"}, optional
        Of the forecasts that the adapter is for, as in `timer_forecaster.ForecastPipeline.predict`:
        series are trained on as such a forecast reads them, and with "plain" as they are. The
        default is "fast" or, in an estimator, its own.
    validation : float
        Share of each series, its newest steps, that is kept out of the training. These steps
        decide when the training stops and whether its result is kept.
    patience : int
        Number of validations without improvement after which the training stops. There are at
        most ten validations.
    balance_loss : float
        Weight of the load-balancing loss of the report (section 3.3). It applies to targets that
        contain the routers.
    router_kl : float
        Weight of the Kullback-Leibler divergence between the routing of the checkpoint and the
        finetuned routing. It applies to targets that contain the routers.
    weight_decay : float
        Decoupled weight decay, towards the weights of the checkpoint.
    lora_rank : int
        Rank of the low-rank matrices, with ``target="lora"``.
    hot_experts : float
        Share of the experts in each block of a Timer-S1 that get low-rank matrices too, with
        ``target="lora"``. The experts that the series use most are chosen.
    seed : int
        Seed of the windows and of the initial low-rank matrices.

    Raises
    ------
    ValueError, TypeError
        If a setting cannot be used. The message names the setting.

    Examples
    --------
    >>> from timer_forecaster.finetuning import FinetuneConfig
    >>> FinetuneConfig(target="head", steps=100).target
    'head'
    """

    target: str | None = setting(None, "weights to train; default: by family", choices=TARGETS)
    steps: int = setting(100, "largest number of optimizer steps", "STEPS")
    learning_rate: float | None = setting(
        None, "peak of the learning rate; default: by target", "RATE"
    )
    batch_size: int | None = setting(None, "windows in a step; default: by length", "WINDOWS")
    context_length: int | None = setting(
        None, "steps of the contexts; default: all that the checkpoint reads", "STEPS"
    )
    horizon: int | None = setting(None, "steps to forecast; default: one pass", "STEPS")
    quality: str | None = setting(
        None, "of the forecasts that the adapter is for; default: fast", choices=QUALITIES
    )
    validation: float = setting(0.2, "newest share of each series, which validates", "SHARE")
    patience: int = setting(4, "stop after so many validations without improvement", "TIMES")
    balance_loss: float = setting(1e-3, "weight of the load-balancing loss", "WEIGHT")
    router_kl: float = setting(1e-2, "weight of the divergence of the routing", "WEIGHT")
    weight_decay: float = setting(0.01, "decay towards the checkpoint's weights", "RATE")
    lora_rank: int = setting(8, "rank of low-rank matrices, with target lora", "RANK")
    hot_experts: float = setting(
        0.0, "share of the experts, the most used, to train too, with target lora", "SHARE"
    )
    seed: int = setting(0, "seed of the windows and of low-rank matrices", "SEED")

    def __post_init__(self) -> None:
        """Check the settings."""
        if isinstance(self.target, str) and self.target == "auto":
            object.__setattr__(self, "target", None)
        if self.target is not None:
            check_choice("target", self.target, TARGETS)
        if self.quality is not None:
            check_choice("quality", self.quality, QUALITIES)
        for name, least in _INTEGERS.items():
            self._settle(name, check_integer, least)
        if self.seed > MOST_SEED:
            raise ValueError(f"seed={self.seed} must be at most {MOST_SEED}")
        for name in ("balance_loss", "router_kl", "weight_decay"):
            self._settle(name, check_number, 0, math.inf)
        self._settle("learning_rate", check_number, 0, math.inf, above=True)
        self._settle("validation", check_number, 0, 0.9, above=True)
        self._settle("hot_experts", check_number, 0, 1)
        for name in LORA_SETTINGS:
            value = getattr(self, name)
            if self.target != "lora" and value != getattr(type(self), name):
                raise ValueError(f"{name}={value} applies to target='lora', not to {self.target!r}")

    def _settle(self, name: str, check: Callable[..., Any], *bounds: float, **how: bool) -> None:
        """Check a setting and store it as a Python number, because JSON knows none of numpy's."""
        value = getattr(self, name)
        if value is not None or name not in _OPTIONAL:
            object.__setattr__(self, name, check(name, value, *bounds, **how))

    @property
    def forecast_quality(self) -> str:
        """The quality of the forecasts that the adapter is for, or its default."""
        return self.quality or "fast"

    @property
    def peak_learning_rate(self) -> float:
        """The learning rate, or the default of the target."""
        return self.learning_rate or LEARNING_RATES.get(self.target, _USUAL_RATE)

    def windows_per_step(self, n_tokens: int) -> int:
        """Return the number of windows in a step, for windows of ``n_tokens`` patches.

        :meta private:
        """
        return self.batch_size or max(4, min(64, TOKENS_PER_STEP // n_tokens))
