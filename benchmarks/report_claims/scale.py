"""How much the program computes: sizes of the networks, steps of training, and windows."""

from __future__ import annotations

import dataclasses

from timer_forecaster.models.timer_s1 import TimerS1Architecture


@dataclasses.dataclass(frozen=True, kw_only=True)
class Scale:
    """Sizes of everything that is trained and scored.

    Attributes
    ----------
    architecture : TimerS1Architecture
        The network of most arms.
    steps, tokens_per_step : int
        Training steps of an arm, and tokens of a step.
    window, long_window : int
        Patches of a training window, and of a window of the long-context stage.
    windows_per_dataset : int
        Windows that are scored of each data set.
    n_periods : int
        Number of periods of sinusoids, apart from those close to a patch.
    synthetic_families : tuple of str
        Families of synthetic series that are scored without data. Default: all families.
    """

    architecture: TimerS1Architecture
    steps: int
    tokens_per_step: int
    window: int
    long_window: int
    windows_per_dataset: int
    n_periods: int
    synthetic_families: tuple[str, ...] = ()

    @property
    def horizon(self) -> int:
        """Steps that one pass of the network with serial blocks forecasts."""
        return self.architecture.input_token_len * (self.architecture.num_mtp_tokens + 1)

    def context(self, window: int) -> int:
        """Return the longest context whose roll-out still fits into a training window."""
        ahead = self.architecture.num_mtp_tokens + 2
        return self.architecture.input_token_len * (window - ahead)


def _architecture(size: int, n_main: int, n_serial: int) -> TimerS1Architecture:
    return TimerS1Architecture(
        hidden_size=size,
        intermediate_size=2 * size,
        num_hidden_layers=n_main,
        num_mtp_tokens=n_serial,
        num_attention_heads=4,
        num_experts=4,
        dropout_rate=0.0,
        max_context_length=2304,
        interior_masks=True,
        training_loss="pinball",
    )


FULL = Scale(
    architecture=_architecture(64, 2, 6),
    steps=450,
    tokens_per_step=2048,
    window=48,
    long_window=144,
    windows_per_dataset=24,
    n_periods=61,
)
QUICK = Scale(
    architecture=_architecture(16, 1, 2),
    steps=6,
    tokens_per_step=64,
    window=8,
    long_window=16,
    windows_per_dataset=2,
    n_periods=7,
    synthetic_families=("clean_periodic", "integrated"),
)
