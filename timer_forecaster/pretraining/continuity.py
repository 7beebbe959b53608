"""Settings that decide how a network is read; a run takes them over from its initial checkpoint.

They are no weights: a run could start from all weights of a checkpoint, and forecast otherwise.
"""

from __future__ import annotations

import json
import math
import warnings
from pathlib import Path
from typing import Any

import yaml

from timer_forecaster.checkpoints.registry import find_checkpoint
from timer_forecaster.models.families import read_architecture
from timer_forecaster.models.network import Architecture
from timer_forecaster.models.timer_s1 import TimerS1Architecture
from timer_forecaster.models.ttm.architecture import TTMArchitecture
from timer_forecaster.pretraining.ttm_config import READ_BY
from timer_forecaster.pretraining.variants import load_architecture

# Fields that change forecasts and leave the shapes of weights as they are. Weights of other shapes
# do not fit, which is an error in any case.
_READ_BY_TIMER_S1 = ("interior_masks", "max_context_length", "quantiles", "rope_theta", *READ_BY)
_READ_BY_TTM = (
    "default_scale",
    "fft_ignore_dc",
    "gate_groups",
    "gate_mode",
    "minimum_scale",
    "mq_eps",
    "mq_q50_type",
    "norm_eps",
    "prediction_filter_length",
    "quantile_levels",
    "scaling",
    "self_attn_heads",
    *READ_BY,
)


def check_continuity(
    checkpoint: str | Path, architecture: TimerS1Architecture | TTMArchitecture
) -> None:
    """Check that a run goes on as the checkpoint forecasts; a longer context is no change.

    Parameters
    ----------
    checkpoint : str or Path
        Folder, registry name or hub id of the checkpoint that the run starts from.
    architecture : TimerS1Architecture or TTMArchitecture
        Architecture of the run. A checkpoint of another family is not checked: its weights do not
        fit.

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
    names, before = _before(checkpoint, architecture)
    if before.model_type != architecture.model_type:
        return
    defaults = type(architecture)()
    for name in names:
        old, new = getattr(before, name), getattr(architecture, name)
        if old == new or (name == "max_context_length" and old < new):
            continue
        change = (
            f"{name}={new!r} of the architecture changes the forecasts of the initial checkpoint "
            f"{str(checkpoint)!r}, which has {old!r}"
        )
        if new == getattr(defaults, name):
            raise ValueError(f"{change}; write {_in_yaml(name, old)} in the architecture")
        warnings.warn(change, UserWarning, stacklevel=2)


def _before(
    checkpoint: str | Path, architecture: TimerS1Architecture | TTMArchitecture
) -> tuple[tuple[str, ...], Architecture]:
    """Return the names of the fields to compare, and the architecture of the checkpoint."""
    if isinstance(architecture, TimerS1Architecture):  # also of another objective
        return _READ_BY_TIMER_S1, load_architecture(checkpoint)
    folder = find_checkpoint(str(checkpoint), weights=False)
    return _READ_BY_TTM, read_architecture(folder / "config.json")


def _in_yaml(name: str, value: Any) -> str:
    """Return a field as a line of a file of settings, where 1e-06 would be a text."""
    plain = json.loads(json.dumps({name: value}))
    line: str = yaml.safe_dump(plain, default_flow_style=True, width=math.inf)
    return line.strip()[1:-1]  # without braces
