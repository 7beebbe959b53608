"""What tells checkpoints of TinyTimeMixer apart."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from timer_forecaster.models.ttm.architecture import COMPUTED_ENTRIES, TTMArchitecture
from timer_forecaster.models.ttm.targets import replaced_by

_OF_TRAINING = {  # fields without effect on forecasts
    "distribution_output",
    "dropout",
    "forecast_loss_type",
    "head_dropout",
    "huber_delta",
    "init_embed",
    "init_linear",
    "init_std",
    "joint_loss_weight",
    "light_mode",
    "loss",
    "mask_value",
    "num_parallel_samples",
    "penalize_large_width_ratio",
    "point_extra_weight",
    "post_init",
    "quantile",
    "residual_loss_weight",
    "trend_loss_weight",
    "width_penalty_mode",
}


def computed_by(config: TTMArchitecture) -> list[Any]:
    """Return the values of an architecture that change the forecasts of the same weights."""
    left_out = {*_OF_TRAINING, *COMPUTED_ENTRIES, *config.extras, "architectures", "scaling"}
    values = {name: value for name, value in config.to_dict().items() if name not in left_out}
    return [*sorted(values.items()), ["scaling", config.scaler]]


def told_apart_by(names: Iterable[str]) -> dict[str, bool]:
    """Return the tensors that tell checkpoints apart, and whether by all values or a sample.

    All values of norms and of the quantile head count, and some of the other tensors.
    """
    names = sorted(names)
    whole = {*replaced_by("quantile-head", names), *replaced_by("norms", names)}
    return {name: name in whole for name in names}
