"""Settings that runs of all families of networks have: data, optimizer, stages, validation."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Generic, Self, TypeVar

from timer_forecaster.corpus.synthetic import SyntheticSeries
from timer_forecaster.pretraining.growth import Growth
from timer_forecaster.pretraining.limits import (
    MOST_DECAYED,
    MOST_LEARNING_RATE,
    MOST_SEED,
    settle_integers,
    settle_number,
    settle_shares,
)
from timer_forecaster.pretraining.optimizer import OPTIMIZERS
from timer_forecaster.pretraining.plain_values import build
from timer_forecaster.settings import settle_plain


def check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    """Refuse a value that is none of the choices."""
    if value not in choices:
        raise ValueError(f"{name}={value!r} is unknown; use one of {choices}")


@dataclasses.dataclass(frozen=True, kw_only=True)
class DataMix:
    """The sources of training windows, and their changes.

    Parameters
    ----------
    families : dict of str to float, optional
        Weights of the synthetic families (`timer_forecaster.corpus.synthetic.FAMILIES`).
        Default: all, with their own weights.
    synthetic_augmentation : bool
        Whether synthetic series are mixed, distorted, flipped and slowed down.
    corpus : str, optional
        Folder of shards of real series.
    real_share : float
        Share of windows drawn from the corpus.
    mix_share : float
        Share of real windows that are replaced by a convex mix with another one.
    downsample, flip : float
        Shares of real windows whose steps become means of several steps, and whose sign changes.
    short_share : float
        Share of windows with a short series of 24 to 400 steps; earlier steps are missing. Windows
        of more than 512 steps stay whole, as most of their computation would be wasted.
    map_share : float
        Share of windows that are mapped by a monotone function
        (`timer_forecaster.corpus.augmentation.monotone_maps`).
    gap_share : float
        Share of windows with periodic gaps, such as nights and weekends
        (`timer_forecaster.corpus.augmentation.periodic_gaps`).

    Examples
    --------
    >>> DataMix(real_share=0.0).families is None  # all of them
    True
    """

    families: dict[str, float] | None = None
    synthetic_augmentation: bool = True
    corpus: str | None = None
    real_share: float = 0.0
    mix_share: float = 0.3
    downsample: float = 0.3
    flip: float = 0.5
    short_share: float = 0.0
    map_share: float = 0.0
    gap_share: float = 0.0

    def __post_init__(self) -> None:
        """Check the families and the shares."""
        settle_plain(self)
        SyntheticSeries(self.families)
        settle_shares(self, "real_share", "mix_share", "downsample", "flip")
        settle_shares(self, "short_share", "map_share", "gap_share")
        if self.real_share > 0 and self.corpus is None:
            raise ValueError(f"real_share={self.real_share} needs a corpus; name its folder")


@dataclasses.dataclass(frozen=True, kw_only=True)
class OptimizerSettings:
    """Settings of the optimizer.

    Parameters
    ----------
    name : {"muon", "adamw"}
        See `timer_forecaster.pretraining.optimizer.build_optimizers`.
    weight_decay, clip_norm : float
        Decoupled weight decay; largest norm of the gradients.

    Examples
    --------
    >>> OptimizerSettings(weight_decay=0.05).weight_decay
    0.05
    """

    name: str = "muon"
    weight_decay: float = 0.01
    clip_norm: float = 1.0

    def __post_init__(self) -> None:
        """Check the name and the numbers."""
        settle_plain(self)
        check_choice("name", self.name, OPTIMIZERS)
        settle_number(self, "weight_decay")
        settle_number(self, "clip_norm", positive=True)


@dataclasses.dataclass(frozen=True, kw_only=True)
class StageSchedule:
    """Settings that stages of all families have: a name, steps, learning rates, data.

    Parameters
    ----------
    name, steps, learning_rate, final_learning_rate, warmup_steps, inherited_learning_rate, data, \
revisit_share
        As in `timer_forecaster.pretraining.Stage`.
    """

    name: str
    steps: int
    learning_rate: float
    final_learning_rate: float | None = None
    warmup_steps: int = 0
    inherited_learning_rate: float = 1.0
    data: DataMix | None = None
    revisit_share: float = 0.0

    def __post_init__(self) -> None:
        """Check each field."""
        settle_plain(self)
        if not self.name or Path(self.name).name != self.name:
            raise ValueError(f"name={self.name!r} of a stage must be the name of a folder")
        of = f" of stage {self.name!r}"
        settle_integers(self, 1, "steps", of=of)
        settle_integers(self, 0, "warmup_steps", of=of)
        settle_number(self, "learning_rate", of=of, positive=True, most=MOST_LEARNING_RATE)
        settle_number(self, "final_learning_rate", of=of, most=MOST_LEARNING_RATE)
        where = f" in stage {self.name!r}"
        settle_shares(self, "revisit_share", "inherited_learning_rate", where=where)
        if self.warmup_steps > self.steps:
            raise ValueError(
                f"warmup_steps={self.warmup_steps}{of} must not be more than its steps="
                f"{self.steps}: it would never reach its learning rate"
            )
        if self.revisit_share > 0 and self.data is None:
            raise ValueError(
                f"revisit_share={self.revisit_share} of stage {self.name!r} needs data of the "
                "stage's own; without, all windows are drawn from those of the run"
            )

    def learning_rate_at(self, step: int) -> float:
        """Return the learning rate of a step of the stage, counted from 0."""
        final = self.learning_rate if self.final_learning_rate is None else self.final_learning_rate
        warm = min(1.0, (step + 1) / self.warmup_steps) if self.warmup_steps else 1.0
        return warm * (self.learning_rate + (final - self.learning_rate) * step / self.steps)

    def inherited_factor_at(self, step: int) -> float:
        """Return the factor of the learning rate of inherited weights in a step, counted from 0."""
        first = self.inherited_learning_rate
        return first + (1.0 - first) * step / self.steps


StageT = TypeVar("StageT", bound=StageSchedule)


@dataclasses.dataclass(frozen=True, kw_only=True)
class RunSettings(Generic[StageT]):
    """Settings that runs of all families have.

    Parameters
    ----------
    architecture : object
        Sizes of the network, in the class of its family.
    stages, data, optimizer, initial_checkpoint, validation_corpus, validation_rows, ema_decay, \
gradient_accumulation, pool_steps, log_every, checkpoint_every, bfloat16, seed
        As in `timer_forecaster.pretraining.PretrainingConfig`.
    """

    architecture: Any
    stages: tuple[StageT, ...]
    data: DataMix = dataclasses.field(default_factory=DataMix)
    optimizer: OptimizerSettings = dataclasses.field(default_factory=OptimizerSettings)
    initial_checkpoint: str | Growth | None = None
    validation_corpus: str | dict[str, str] | None = None
    validation_rows: int = 256
    ema_decay: float | None = None
    gradient_accumulation: int = 1
    pool_steps: int = 32
    log_every: int = 100
    checkpoint_every: int = 500
    bfloat16: bool = True
    seed: int = 0

    def __post_init__(self) -> None:
        """Check the combination of the fields."""
        settle_plain(self)
        names = [stage.name for stage in self.stages]
        if not names or len(set(names)) < len(names):
            raise ValueError(f"stages are named {names}; give at least one, each another name")
        settle_integers(self, 1, "gradient_accumulation", "pool_steps", "log_every")
        settle_integers(self, 1, "checkpoint_every", "validation_rows")
        settle_integers(self, 0, "seed", most=MOST_SEED)
        settle_number(self, "ema_decay")
        if self.ema_decay is not None and not 0 < self.ema_decay < 1:
            raise ValueError(f"ema_decay={self.ema_decay} must lie between 0 and 1")
        if self.checkpoint_every % self.log_every:
            raise ValueError(
                f"checkpoint_every={self.checkpoint_every} must be a multiple of "
                f"log_every={self.log_every}, so that no log record spans a checkpoint"
            )
        for stage in self.stages:
            self._check_rates(stage)

    def _check_rates(self, stage: StageT) -> None:
        decayed = stage.learning_rate * self.optimizer.weight_decay
        if decayed > MOST_DECAYED:
            raise ValueError(
                f"weight_decay={self.optimizer.weight_decay} of the optimizer times learning_rate="
                f"{stage.learning_rate} of stage {stage.name!r} takes {decayed:.3g} of the weights "
                f"in each step; at most {MOST_DECAYED} can be meant"
            )
        if stage.inherited_learning_rate < 1 and self.initial_checkpoint is None:
            raise ValueError(
                f"inherited_learning_rate={stage.inherited_learning_rate} of stage "
                f"{stage.name!r} needs an initial_checkpoint to inherit from"
            )

    @property
    def steps(self) -> int:
        """Number of steps of all stages."""
        return sum(stage.steps for stage in self.stages)

    def corpora(self, step: int) -> list[str]:
        """Return the folders of real series that the first ``step`` steps may draw from."""
        first, mixes = 0, [self.data]
        for stage in self.stages:
            if first < step and stage.data is not None:
                mixes.append(stage.data)
            first += stage.steps
        return sorted({m.corpus for m in mixes if m.corpus is not None and m.real_share > 0})

    def locate(self, step: int) -> tuple[StageT, int]:
        """Return the stage of a step, and the number of the step within it."""
        for stage in self.stages:
            if step < stage.steps:
                return stage, step
            step -= stage.steps
        raise ValueError(f"step lies {step} steps after the last of {self.steps}")

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """Make a configuration of plain values; see `timer_forecaster.pretraining.read_config`."""
        values = dict(values)
        stages = values.get("stages")
        if isinstance(stages, list) and isinstance(values.get("data", {}), dict):
            values["stages"] = [_inherit_data(stage, values.get("data", {})) for stage in stages]
        settings: Self = build(cls, values, "")
        return settings


def _inherit_data(stage: Any, data: dict[str, Any]) -> Any:
    if not isinstance(stage, dict) or not isinstance(stage.get("data"), dict):
        return stage
    return stage | {"data": data | stage["data"]}
