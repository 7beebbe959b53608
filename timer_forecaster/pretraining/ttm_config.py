"""Settings of a pre-training run of a TinyTimeMixer."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Self

from timer_forecaster.models.ttm.architecture import TTMArchitecture
from timer_forecaster.models.ttm.batches import ContextSettings
from timer_forecaster.models.ttm.presets import preset
from timer_forecaster.pretraining.limits import settle_integers
from timer_forecaster.pretraining.run_settings import RunSettings, StageSchedule, check_choice
from timer_forecaster.pretraining.teacher import TeacherSettings

TTM = "ttm"
READ_BY = ("preferred_rollout", "transforms_series")
"""Entries of ``config.json`` that decide how forecasts are made from a network."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class TTMStage(StageSchedule):
    """One stage of training: a number of steps with the same settings.

    Parameters
    ----------
    name, steps, learning_rate, final_learning_rate, warmup_steps, inherited_learning_rate, data, \
revisit_share
        As in `timer_forecaster.pretraining.Stage`.
    windows_per_step : int
        Windows in one step of one process.

    Examples
    --------
    >>> from timer_forecaster.pretraining import TTMStage
    >>> TTMStage(name="all", steps=100, windows_per_step=64, learning_rate=1e-3).warmup_steps
    0
    """

    windows_per_step: int

    def __post_init__(self) -> None:
        """Check each field."""
        super().__post_init__()
        settle_integers(self, 1, "windows_per_step", of=f" of stage {self.name!r}")


@dataclasses.dataclass(frozen=True, kw_only=True)
class TTMPretrainingConfig(RunSettings[TTMStage]):
    """All settings that affect the result of a run of a TinyTimeMixer.

    Parameters
    ----------
    architecture : TTMArchitecture
        Sizes of the network. In YAML, ``size: tiny`` (or small, base) among its keys starts from a
        preset, which the other keys change (`timer_forecaster.models.ttm.presets.preset`);
        ``preferred_rollout`` and ``transforms_series`` say how its forecasts are made.
    stages : tuple of TTMStage
        Stages in order.
    contexts : ContextSettings
        Lengths of contexts, and values that are hidden in them.
    passes : int
        Number of times that windows are used before others are drawn, each time cut at another
        place. Drawing takes a tenth of the time of training a small network. With a teacher, the
        cuts stay, so that its quantiles serve all passes, and every second pass changes the sign.
    teacher : TeacherSettings, optional
        A checkpoint whose quantiles are targets beside the true values. Default: none.
    initial_checkpoint : str, optional
        Folder, registry name or hub id to start from. Default: random weights.
    data, optimizer, validation_corpus, validation_rows, ema_decay, gradient_accumulation, \
pool_steps, log_every, checkpoint_every, bfloat16, seed
        As in `timer_forecaster.pretraining.PretrainingConfig`.
    model : {"ttm"}
        The family of the network.

    Examples
    --------
    >>> from timer_forecaster.pretraining import TTMPretrainingConfig
    >>> stage = {"name": "all", "steps": 2, "windows_per_step": 8, "learning_rate": 1e-3}
    >>> config = TTMPretrainingConfig.from_mapping(
    ...     {"model": "ttm", "architecture": {"size": "tiny"}, "stages": [stage]})
    >>> config.architecture.d_model
    192
    """

    architecture: TTMArchitecture
    stages: tuple[TTMStage, ...]
    contexts: ContextSettings = dataclasses.field(default_factory=ContextSettings)
    passes: int = 1
    teacher: TeacherSettings | None = None
    initial_checkpoint: str | None = None
    model: str = TTM

    def __post_init__(self) -> None:
        """Check the combination of the fields."""
        super().__post_init__()
        check_choice("model", self.model, (TTM,))
        settle_integers(self, 1, "passes")
        if self.pool_steps % self.passes:
            raise ValueError(
                f"pool_steps={self.pool_steps} must be a multiple of passes={self.passes}"
            )
        _check_trainable(self.architecture)
        if self.teacher is not None:
            _check_symmetric(self.architecture.quantile_levels)
        longest, shortest = self.architecture.context_length, self.contexts.shortest
        if shortest > longest:
            raise ValueError(
                f"shortest={shortest} of contexts must be at most context_length={longest} of the "
                "architecture"
            )
        for stage in self.stages:
            if stage.windows_per_step % self.gradient_accumulation:
                raise ValueError(
                    f"windows_per_step={stage.windows_per_step} of stage {stage.name!r} must be a "
                    f"multiple of gradient_accumulation={self.gradient_accumulation}"
                )

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """Make a configuration of plain values; see `timer_forecaster.pretraining.read_config`.

        :meta private:
        """
        values = dict(values)
        if "architecture" in values:
            values["architecture"] = _architecture(values["architecture"])
        return super().from_mapping(values)


def _architecture(values: Any) -> Any:
    """Return the architecture of plain values, which may name a size."""
    if not isinstance(values, Mapping):
        return values
    values = dict(values)
    size, extras = values.pop("size", None), dict(values.pop("extras", {}))
    extras |= {name: values.pop(name) for name in READ_BY if name in values}
    known = {field.name for field in dataclasses.fields(TTMArchitecture)} - {"extras"}
    unknown = sorted(map(str, (set(values) - known) | (set(extras) - set(READ_BY))))
    if unknown:
        names = sorted(known | {"size", *READ_BY})
        raise ValueError(f"unknown keys {unknown} in architecture; known are {names}")
    try:
        values["extras"] = extras
        return TTMArchitecture(**values) if size is None else preset(size, **values)
    except (TypeError, ValueError) as error:
        raise type(error)(f"architecture: {error}") from error


def _check_symmetric(levels: tuple[float, ...]) -> None:
    """Refuse levels that a change of sign does not map onto themselves."""
    if any(abs(low + high - 1) > 1e-9 for low, high in zip(levels, levels[::-1], strict=True)):
        raise ValueError(
            f"architecture: quantile_levels={levels} with a teacher must be symmetric about 0.5, "
            "as 0.1, 0.5, 0.9 are: passes change the sign of the series"
        )


def _check_trainable(architecture: TTMArchitecture) -> None:
    """Refuse architectures that a window of one series cannot train."""
    if not architecture.multi_quantile_head:
        raise ValueError(
            "architecture: multi_quantile_head=False cannot be pre-trained: the objective is the "
            "loss of quantiles; set it to True"
        )
    refused = {
        "decompose": architecture.decompose,
        "resolution_prefix_tuning": architecture.resolution_prefix_tuning,
        "mode, decoder_mode or enable_forecast_channel_mixing": architecture.fixed_channels,
    }
    for name, present in refused.items():
        if present:
            raise ValueError(
                f"architecture: {name} cannot be pre-trained: windows are single series without a "
                "frequency; leave it out"
            )
