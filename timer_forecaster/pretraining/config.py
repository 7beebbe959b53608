"""Typed settings of a pre-training run, read from YAML."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from timer_forecaster.corpus.synthetic import SyntheticSeries
from timer_forecaster.models.timer_s1 import TimerS1Architecture
from timer_forecaster.models.timer_s1.architecture import SERIAL_WEIGHTINGS
from timer_forecaster.models.timer_s1.batches import MaskShares
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
from timer_forecaster.pretraining.yaml_file import read_yaml
from timer_forecaster.settings import settle_plain

OBJECTIVES = ("stp", "ntp", "mtp")


def _check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
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
    """

    name: str = "muon"
    weight_decay: float = 0.01
    clip_norm: float = 1.0

    def __post_init__(self) -> None:
        """Check the name and the numbers."""
        settle_plain(self)
        _check_choice("name", self.name, OPTIMIZERS)
        settle_number(self, "weight_decay")
        settle_number(self, "clip_norm", positive=True)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Stage:
    """One stage of training: a number of steps with the same settings.

    Parameters
    ----------
    name : str
        Name of the stage, and of the folder with its final weights.
    steps : int
        Optimizer steps, at least one.
    tokens_per_step : int
        Patches in one step of one process.
    window_patches : tuple of int
        Patches in a training window. Several lengths alternate, by pools of steps.
    learning_rate : float
        Rate at the beginning, after the warm-up; at most 1.
    final_learning_rate : float, optional
        Rate at the end of the stage, reached linearly. Default: the rate is constant.
    warmup_steps : int
        Steps of linear growth at the beginning; not more than ``steps``.
    inherited_learning_rate : float
        Factor of the learning rate for weights of the initial checkpoint, at the beginning of the
        stage. It rises linearly to 1 at the end. So new blocks and channels can adapt to a trained
        network before it changes.
    serial_weighting : {"equal", "inverse_sqrt"}
        Weights of the serial blocks' losses: 1, or 1 / sqrt(j) as in the report's continued
        pre-training.
    full_depth_share : float
        Share of steps that run all serial blocks. Other steps run a random number of them, which
        costs less and trains the first blocks more.
    data : DataMix, optional
        Data of the stage. Default: the data of the run.
    revisit_share : float
        Share of windows from the data of the run in a stage with other data (the continued
        pre-training of the report revisits the pre-training corpus).
    """

    name: str
    steps: int
    tokens_per_step: int
    window_patches: tuple[int, ...]
    learning_rate: float
    final_learning_rate: float | None = None
    warmup_steps: int = 0
    inherited_learning_rate: float = 1.0
    serial_weighting: str = "equal"
    full_depth_share: float = 1.0
    data: DataMix | None = None
    revisit_share: float = 0.0

    def __post_init__(self) -> None:
        """Check each field."""
        settle_plain(self)
        if not self.name or Path(self.name).name != self.name:
            raise ValueError(f"name={self.name!r} of a stage must be the name of a folder")
        of = f" of stage {self.name!r}"
        settle_integers(self, 1, "steps", "tokens_per_step", of=of)
        settle_integers(self, 0, "warmup_steps", of=of)
        settle_number(self, "learning_rate", of=of, positive=True, most=MOST_LEARNING_RATE)
        settle_number(self, "final_learning_rate", of=of, most=MOST_LEARNING_RATE)
        shares = ("full_depth_share", "revisit_share", "inherited_learning_rate")
        settle_shares(self, *shares, where=f" in stage {self.name!r}")
        if self.warmup_steps > self.steps:
            raise ValueError(
                f"warmup_steps={self.warmup_steps}{of} must not be more than its steps="
                f"{self.steps}: it would never reach its learning rate"
            )
        if not self.window_patches or min(self.window_patches) < 2:
            raise ValueError(
                f"window_patches={self.window_patches} of stage {self.name!r} must be one or "
                "several lengths of at least 2"
            )
        _check_choice("serial_weighting", self.serial_weighting, SERIAL_WEIGHTINGS)
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


@dataclasses.dataclass(frozen=True, kw_only=True)
class PretrainingConfig:
    """All settings that affect the result of a run.

    Parameters
    ----------
    architecture : TimerS1Architecture
        Sizes of the network; its blocks are the block budget of every objective.
    stages : tuple of Stage
        Stages in order.
    objective : {"stp", "ntp", "mtp"}
        Serial-token prediction, next-token prediction or multi-token prediction; see
        `timer_forecaster.pretraining.variants.build_network`.
    data : DataMix
        Data of every stage without ``data``.
    masks : MaskShares
        Shares of rows with hidden values.
    optimizer : OptimizerSettings
        Settings of the optimizer.
    initial_checkpoint : str or Growth, optional
        Folder, registry name or hub id to start from; or ``{grow: NAME}``, a smaller checkpoint
        that is grown to the architecture (`timer_forecaster.pretraining.growth.grown_weights`).
        Default: random weights.
    validation_corpus : str or dict of str to str, optional
        Folder of shards of held-out series, or several folders by names for the log. Default:
        synthetic series that training never draws.
    validation_rows : int
        Number of windows of each validation corpus.
    validation_patches : int, optional
        Patches of context in a validation window. Default: those of the longest windows of the
        first stage.
    ema_decay : float, optional
        Decay of an exponential moving average of the weights, which is validated and exported
        beside the weights. Default: no average.
    gradient_accumulation : int
        Number of parts of the batch of a step; more parts need less memory.
    pool_steps : int
        Number of steps whose windows are drawn together: a few cost as much as many.
    log_every, checkpoint_every : int
        Steps between log records, and between checkpoints; the latter a multiple of the former.
    bfloat16 : bool
        Compute matrix products in bfloat16 (autocast).
    seed : int
        Seed of weights, data, masks and dropout.
    """

    architecture: TimerS1Architecture
    stages: tuple[Stage, ...]
    objective: str = "stp"
    data: DataMix = dataclasses.field(default_factory=DataMix)
    masks: MaskShares = dataclasses.field(default_factory=MaskShares)
    optimizer: OptimizerSettings = dataclasses.field(default_factory=OptimizerSettings)
    initial_checkpoint: str | Growth | None = None
    validation_corpus: str | dict[str, str] | None = None
    validation_rows: int = 256
    validation_patches: int | None = None
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
        _check_choice("objective", self.objective, OBJECTIVES)
        names = [stage.name for stage in self.stages]
        if not names or len(set(names)) < len(names):
            raise ValueError(f"stages are named {names}; give at least one, each another name")
        settle_integers(self, 1, "gradient_accumulation", "pool_steps", "log_every")
        settle_integers(self, 1, "checkpoint_every", "validation_rows", "validation_patches")
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
            self._check_stage(stage)
            if stage.inherited_learning_rate < 1 and self.initial_checkpoint is None:
                raise ValueError(
                    f"inherited_learning_rate={stage.inherited_learning_rate} of stage "
                    f"{stage.name!r} needs an initial_checkpoint to inherit from"
                )
        self._check_context()

    def _check_context(self) -> None:
        """Check the steps of a context, which are whole patches."""
        length, longest = self.architecture.input_token_len, self.architecture.max_context_length
        if longest % length:
            raise ValueError(
                f"max_context_length={longest} of the architecture must be a multiple of "
                f"input_token_len={length}, such as {longest // length * length}"
            )
        if self.validation_patches is not None and self.validation_patches * length > longest:
            raise ValueError(
                f"validation_patches={self.validation_patches} are "
                f"{self.validation_patches * length} steps, more than max_context_length={longest} "
                "of the architecture"
            )

    def _check_stage(self, stage: Stage) -> None:
        decayed = stage.learning_rate * self.optimizer.weight_decay
        if decayed > MOST_DECAYED:
            raise ValueError(
                f"weight_decay={self.optimizer.weight_decay} of the optimizer times learning_rate="
                f"{stage.learning_rate} of stage {stage.name!r} takes {decayed:.3g} of the weights "
                f"in each step; at most {MOST_DECAYED} can be meant"
            )
        ahead = self.architecture.num_mtp_tokens + 1
        length, longest = self.architecture.input_token_len, self.architecture.max_context_length
        for window in stage.window_patches:
            if window * length > longest:
                raise ValueError(
                    f"window_patches={window} of stage {stage.name!r} are {window * length} steps, "
                    f"more than max_context_length={longest} of the architecture"
                )
            if window <= ahead and self.objective != "ntp":
                raise ValueError(
                    f"window_patches={window} of stage {stage.name!r} must be more than the "
                    f"{ahead} patches of one pass"
                )
            rows = stage.tokens_per_step // window
            if rows < 1 or rows % self.gradient_accumulation:
                raise ValueError(
                    f"tokens_per_step={stage.tokens_per_step} of stage {stage.name!r} makes "
                    f"{rows} windows of {window} patches, which gradient_accumulation="
                    f"{self.gradient_accumulation} does not divide into equal parts"
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

    def locate(self, step: int) -> tuple[Stage, int]:
        """Return the stage of a step, and the number of the step within it."""
        for stage in self.stages:
            if step < stage.steps:
                return stage, step
            step -= stage.steps
        raise ValueError(f"step lies {step} steps after the last of {self.steps}")

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """Make a configuration of plain values; see `read_config`."""
        values = dict(values)
        stages = values.get("stages")
        if isinstance(stages, list) and isinstance(values.get("data", {}), dict):
            values["stages"] = [_inherit_data(stage, values.get("data", {})) for stage in stages]
        return _build(cls, values, "")


def read_config(path: str | Path) -> PretrainingConfig:
    """Read the settings of a run.

    Every key is a field of `PretrainingConfig`, or of the class of one of its fields. The ``data``
    of a stage may leave out the keys that equal the ``data`` of the run.

    Parameters
    ----------
    path : str or Path
        A YAML file.

    Raises
    ------
    ValueError
        If a key is unknown, missing or there twice, or if its value cannot be meant. The error
        names it.
    """
    values = read_yaml(path)
    try:
        return PretrainingConfig.from_mapping(_as_mapping(values, "the file"))
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def _inherit_data(stage: Any, data: dict[str, Any]) -> Any:
    if not isinstance(stage, dict) or not isinstance(stage.get("data"), dict):
        return stage
    return stage | {"data": data | stage["data"]}


def _as_mapping(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise ValueError(f"{where} is {value!r}; expected keys and values")
    return {str(key): part for key, part in value.items()}


def _build(cls: type[Any], values: Any, where: str) -> Any:
    """Make a dataclass of plain values; `where` is the path to them."""
    values = _as_mapping(values, where)
    kinds = typing.get_type_hints(cls)
    fields = {field.name: field for field in dataclasses.fields(cls)}
    inside = f" in {where}" if where else ""
    unknown = sorted(set(values) - set(fields))
    if unknown:
        raise ValueError(f"unknown keys {unknown}{inside}; known are {sorted(fields)}")
    missing = dataclasses.MISSING
    needed = [f.name for f in fields.values() if f.default is f.default_factory is missing]
    absent = [name for name in needed if name not in values]
    if absent:
        raise ValueError(f"keys {absent} are missing{inside}")
    prefix = f"{where}." if where else ""
    converted = {k: _convert(kinds[k], value, prefix + k) for k, value in values.items()}
    try:
        return cls(**converted)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{where}: {error}" if where else str(error)) from error


def _convert(kind: Any, value: Any, where: str) -> Any:
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):
        return None if value is None else _convert(_choose(arguments, value), value, where)
    if dataclasses.is_dataclass(kind):
        return _build(typing.cast("type[Any]", kind), value, where)
    if origin is tuple:
        values = value if isinstance(value, list | tuple) else [value]
        return tuple(_convert(arguments[0], v, f"{where}[{i}]") for i, v in enumerate(values))
    if origin is dict:
        parts = _as_mapping(value, where).items()
        return {k: _convert(arguments[1], v, f"{where}.{k}") for k, v in parts}
    return _scalar(kind, value, where)


def _choose(kinds: tuple[Any, ...], value: Any) -> Any:
    """Return the type of a union for keys and values, or for other values."""
    kinds = tuple(kind for kind in kinds if kind is not types.NoneType)
    nested = [k for k in kinds if dataclasses.is_dataclass(k) or typing.get_origin(k) is dict]
    plain = [kind for kind in kinds if kind not in nested]
    return (nested or plain)[0] if isinstance(value, Mapping) else (plain or nested)[0]


def _scalar(kind: type, value: Any, where: str) -> Any:
    if kind is float and isinstance(value, int | str) and not isinstance(value, bool):
        try:
            value = float(value)  # YAML reads 2e-3 as a text
        except ValueError:
            pass
    if type(value) is not kind:
        raise ValueError(f"{where} is {value!r}; expected {kind.__name__}")
    return value
