"""Settings that decide how a network is read; a run takes them over from its initial checkpoint.

They are no weights: a run could start from all weights of a checkpoint, and forecast otherwise.
"""

from __future__ import annotations

import dataclasses
import warnings
from pathlib import Path

from timer_forecaster.models.timer_s1 import TimerS1Architecture
from timer_forecaster.pretraining.variants import load_architecture

_READ_BY = ("interior_masks", "max_context_length", "preferred_rollout", "transforms_series")


def check_continuity(checkpoint: str | Path, architecture: TimerS1Architecture) -> None:
    """Check that a run goes on as the checkpoint forecasts; a longer context is no change.

    Parameters
    ----------
    checkpoint : str or Path
        Folder, registry name or hub id of the checkpoint that the run starts from.
    architecture : TimerS1Architecture
        Architecture of the run.

    Raises
    ------
    ValueError
        If a field has its default, perhaps because it was left out, and the checkpoint has another
        value. The error names both.

    Warns
    -----
    UserWarning
        If a field has another value, which somebody has chosen.
    """
    before = load_architecture(checkpoint)
    defaults = {field.name: field.default for field in dataclasses.fields(architecture)}
    for name in _READ_BY:
        old, new = getattr(before, name), getattr(architecture, name)
        if old == new or (name == "max_context_length" and old < new):
            continue
        written = str(old).lower() if isinstance(old, bool) else old
        change = (
            f"{name}={new!r} of the architecture changes the forecasts of the initial checkpoint "
            f"{str(checkpoint)!r}, which has {old!r}"
        )
        if new == defaults[name]:
            raise ValueError(f"{change}; write {name}: {written} in the architecture")
        warnings.warn(change, UserWarning, stacklevel=2)
