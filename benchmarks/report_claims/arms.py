"""The arms of the comparison: ways to train a network with the same number of steps and tokens."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import NamedTuple

from benchmarks.report_claims.scale import Scale
from timer_forecaster.models.timer_s1 import TimerS1Architecture
from timer_forecaster.pretraining import DataMix, PretrainingConfig, Stage

LEARNING_RATE, LAST_RATE = 2e-3, 1e-4
REAL_SHARE = 0.75
"""Share of real series among the training windows, if there is a corpus."""


class Arm(NamedTuple):
    """One way to train.

    Attributes
    ----------
    label : str
        Name in tables and pictures.
    objective : {"stp", "ntp", "mtp"}
    augmented : bool
        Whether training windows are augmented.
    ending : {"equal", "continued", "long"}
        The last third of the steps, see `make_stages`.
    main_share : float, optional
        Share of the main blocks among all. Default: as in the architecture of the scale.
    """

    label: str
    objective: str = "stp"
    augmented: bool = True
    ending: str = "equal"
    main_share: float | None = None


ARMS = {
    "stp": Arm("STP: 2 main + 6 serial blocks"),
    "ntp": Arm("NTP: 8 main blocks", objective="ntp"),
    "mtp": Arm("MTP: 8 main blocks, 6 heads", objective="mtp"),
    "stp-deep": Arm("STP: 5 main + 3 serial blocks", main_share=0.6),
    "plain": Arm("STP without augmentation", augmented=False),
    "continued": Arm("STP, last third weighted 1/√j", ending="continued"),
    "long": Arm("… and long windows in the last sixth", ending="long"),
}
REMOVED = "stp-removed"
"""The networks of the arm ``"stp"`` without their serial blocks, which are scored as an arm."""
LABELS = {name: arm.label for name, arm in ARMS.items()} | {REMOVED: "STP, serial blocks removed"}
STAGED = ("stp", "continued", "long")
"""Arms that end with the successive stages of the report's training."""


def configure(arm: Arm, seed: int, scale: Scale, corpus: Path | None) -> PretrainingConfig:
    """Return the configuration of a run: a trunk, which some arms share, and the arm's ending."""
    augmented = arm.augmented
    if corpus is None:
        data = DataMix(synthetic_augmentation=augmented)
    else:
        data = DataMix(
            synthetic_augmentation=False,
            corpus=str(corpus),
            real_share=REAL_SHARE,
            mix_share=0.0,
            downsample=0.3 if augmented else 0.0,
            flip=0.5 if augmented else 0.0,
        )
    return PretrainingConfig(
        architecture=divide_blocks(scale.architecture, arm.main_share),
        stages=make_stages(arm.ending, scale),
        objective=arm.objective,
        data=data,
        log_every=scale.steps // 6,
        checkpoint_every=scale.steps // 6,
        seed=seed,
    )


def divide_blocks(
    architecture: TimerS1Architecture, main_share: float | None
) -> TimerS1Architecture:
    """Return the architecture with the same number of blocks and another share of main blocks."""
    if main_share is None:
        return architecture
    blocks = architecture.num_hidden_layers + architecture.num_mtp_tokens
    main = round(main_share * blocks)
    return dataclasses.replace(architecture, num_hidden_layers=main, num_mtp_tokens=blocks - main)


def make_stages(ending: str, scale: Scale) -> tuple[Stage, ...]:
    """Return the stages of a run.

    The learning rate is constant for two thirds of the steps, and falls to `LAST_RATE` in the last
    third.

    Parameters
    ----------
    ending : {"equal", "continued", "long"}
        The last third: as before; with the serial blocks weighted by 1/√j; and the same with long
        windows in the last sixth.
    scale : Scale
    """
    sixth = scale.steps // 6
    trunk = Stage(
        name="pre-training",
        steps=scale.steps - 2 * sixth,
        tokens_per_step=scale.tokens_per_step,
        window_patches=(scale.window,),
        learning_rate=LEARNING_RATE,
        warmup_steps=sixth // 2,
    )
    end = dataclasses.replace(
        trunk,
        name=ending,
        steps=2 * sixth,
        warmup_steps=0,
        final_learning_rate=LAST_RATE,
        serial_weighting="equal" if ending == "equal" else "inverse_sqrt",
    )
    if ending != "long":
        return trunk, end
    middle = (LEARNING_RATE + LAST_RATE) / 2
    return (
        trunk,
        dataclasses.replace(end, name="continued", steps=sixth, final_learning_rate=middle),
        dataclasses.replace(
            end, steps=sixth, learning_rate=middle, window_patches=(scale.long_window,)
        ),
    )
