"""Typed settings of a pre-training run, read from YAML."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from timer_forecaster.models.timer_s1 import TimerS1Architecture
from timer_forecaster.models.timer_s1.architecture import SERIAL_WEIGHTINGS
from timer_forecaster.models.timer_s1.batches import MaskShares
from timer_forecaster.pretraining.limits import settle_integers, settle_shares
from timer_forecaster.pretraining.plain_values import as_mapping
from timer_forecaster.pretraining.recipe_names import settings_file
from timer_forecaster.pretraining.run_settings import (
    DataMix,
    OptimizerSettings,
    RunSettings,
    StageSchedule,
    check_choice,
)
from timer_forecaster.pretraining.ttm_config import TTM, TTMPretrainingConfig
from timer_forecaster.pretraining.yaml_file import read_yaml

OBJECTIVES = ("stp", "ntp", "mtp")
TIMER_S1 = "timer-s1"

__all__ = [
    "DataMix",
    "OptimizerSettings",
    "PretrainingConfig",
    "Stage",
    "TTMPretrainingConfig",
    "read_config",
]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Stage(StageSchedule):
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

    Examples
    --------
    >>> from timer_forecaster.pretraining import Stage
    >>> stage = Stage(name="all", steps=100, tokens_per_step=512, window_patches=(32,),
    ...               learning_rate=1e-3, final_learning_rate=1e-4)
    >>> round(stage.learning_rate_at(99), 6)
    0.000109
    """

    tokens_per_step: int
    window_patches: tuple[int, ...]
    serial_weighting: str = "equal"
    full_depth_share: float = 1.0

    def __post_init__(self) -> None:
        """Check each field."""
        super().__post_init__()
        of = f" of stage {self.name!r}"
        settle_integers(self, 1, "tokens_per_step", of=of)
        settle_shares(self, "full_depth_share", where=f" in stage {self.name!r}")
        if not self.window_patches or min(self.window_patches) < 2:
            raise ValueError(
                f"window_patches={self.window_patches} of stage {self.name!r} must be one or "
                "several lengths of at least 2"
            )
        check_choice("serial_weighting", self.serial_weighting, SERIAL_WEIGHTINGS)


@dataclasses.dataclass(frozen=True, kw_only=True)
class PretrainingConfig(RunSettings[Stage]):
    """All settings that affect the result of a run of Timer-S1.

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
    model : {"timer-s1"}
        The family of the network; see `timer_forecaster.pretraining.TTMPretrainingConfig` for
        the other one.
    seed : int
        Seed of weights, data, masks and dropout.

    Examples
    --------
    >>> read_config("tiny").objective
    'stp'
    """

    architecture: TimerS1Architecture
    stages: tuple[Stage, ...]
    objective: str = "stp"
    masks: MaskShares = dataclasses.field(default_factory=MaskShares)
    validation_patches: int | None = None
    model: str = TIMER_S1

    def __post_init__(self) -> None:
        """Check the combination of the fields."""
        super().__post_init__()
        check_choice("model", self.model, (TIMER_S1,))
        check_choice("objective", self.objective, OBJECTIVES)
        settle_integers(self, 1, "validation_patches")
        for stage in self.stages:
            self._check_stage(stage)
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


def read_config(path: str | Path) -> PretrainingConfig | TTMPretrainingConfig:
    """Read the settings of a run.

    Every key is a field of `PretrainingConfig`, or, with ``model: ttm``, of `TTMPretrainingConfig`,
    or of the class of one of their fields. The ``data`` of a stage may leave out the keys that
    equal the ``data`` of the run.

    Parameters
    ----------
    path : str or Path
        A YAML file, or the name of a recipe of the package (`recipe_names`).

    Returns
    -------
    PretrainingConfig or TTMPretrainingConfig

    Raises
    ------
    ValueError
        If a key is unknown, missing or there twice, or if its value cannot be meant. The error
        names it.

    Examples
    --------
    >>> [stage.name for stage in read_config("tiny").stages]
    ['pre-training', 'continued-pre-training', 'long-context-extension']
    """
    values = read_yaml(settings_file(path))
    try:
        return config_of(as_mapping(values, "the file"))
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path}: {error}") from error


def config_of(values: Mapping[str, Any]) -> PretrainingConfig | TTMPretrainingConfig:
    """Make the configuration of the family that the key ``model`` names; default: Timer-S1."""
    model = values.get("model", TIMER_S1)
    check_choice("model", model, (TIMER_S1, TTM))
    kind = TTMPretrainingConfig if model == TTM else PretrainingConfig
    return kind.from_mapping(values)
