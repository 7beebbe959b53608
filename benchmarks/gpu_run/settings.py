"""The settings of the training: a recipe with the stages and the batch of a GPU."""

from __future__ import annotations

import argparse
import dataclasses
from typing import Any

from timer_forecaster.pretraining import PretrainingConfig, Stage, read_config
from timer_forecaster.pretraining.growth import Growth

UNBOUNDED = 10_000_000
"""Steps of a stage that ends by time."""
FINAL_SHARE = 0.02
"""Share of the learning rate at the end of the decay."""


def settings_of(arguments: argparse.Namespace) -> PretrainingConfig:
    """Return the settings of the run until its decay; its last stage ends by time.

    The data, the masks and the network are those of the recipe, and so are the windows and the
    weights of serial blocks of its last stage. Another seed draws other data than the recipe.
    """
    recipe = read_config(arguments.settings)
    if not isinstance(recipe, PretrainingConfig):
        raise ValueError(f"--settings {arguments.settings} trains another family than Timer-S1")
    initial = arguments.start or recipe.initial_checkpoint
    steady = dataclasses.replace(
        recipe.stages[-1],
        name="constant",
        steps=UNBOUNDED,
        tokens_per_step=arguments.tokens_per_step,
        learning_rate=arguments.learning_rate,
        final_learning_rate=None,
        inherited_learning_rate=1.0,
        warmup_steps=arguments.warmup_steps,
    )
    stages = [steady]
    if isinstance(initial, Growth):
        stages = [
            dataclasses.replace(
                steady,
                name="growth",
                steps=arguments.growth_steps,
                inherited_learning_rate=recipe.stages[0].inherited_learning_rate,
            ),
            dataclasses.replace(steady, warmup_steps=0),
        ]
    return _changed(
        recipe,
        stages,
        initial_checkpoint=initial,
        gradient_accumulation=arguments.parts,
        checkpoint_every=recipe.log_every * UNBOUNDED,  # by time
        bfloat16=arguments.device == "cuda",
        seed=recipe.seed + 1,
    )


def probe_settings(config: PretrainingConfig, steps: int) -> PretrainingConfig:
    """Return settings of a few steps that hardly move the weights, on the first window length."""
    stage = dataclasses.replace(
        config.stages[-1],
        name="probe",
        steps=steps,
        window_patches=config.stages[-1].window_patches[:1],
        learning_rate=1e-12,
        warmup_steps=0,
    )
    return _changed(config, [stage], log_every=1, checkpoint_every=UNBOUNDED, pool_steps=steps)


def with_decay(config: PretrainingConfig, done: int, steps: int) -> PretrainingConfig:
    """Return the settings of a run whose constant stage ends now, and then decays.

    Parameters
    ----------
    config : PretrainingConfig
        Settings of `settings_of`.
    done : int
        Steps done. A stage before the constant one, if any, keeps its length.
    steps : int
        Steps of the decay.
    """
    *first, steady = config.stages
    spent = done - sum(stage.steps for stage in first)
    # In a rehearsal the time may end before the warm-up.
    ended = dataclasses.replace(steady, steps=max(1, steady.warmup_steps, spent))
    decay = dataclasses.replace(
        steady,
        name="decay",
        steps=steps,
        warmup_steps=0,
        final_learning_rate=FINAL_SHARE * steady.learning_rate,
    )
    return _changed(config, [*first, ended, decay])


def _changed(config: PretrainingConfig, stages: list[Stage], **changes: Any) -> PretrainingConfig:
    return dataclasses.replace(config, stages=tuple(stages), **changes)
