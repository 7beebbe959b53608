"""The pictures of the page ``docs/report_claims.md``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.report_claims.arms import LABELS, REMOVED
from benchmarks.report_claims.claims import Claim, claim_changes, published_change
from benchmarks.report_claims.comparisons import ArmScores, Change, mean_and_error, overall
from benchmarks.report_claims.scores import PARTS
from timer_forecaster.arrays import FloatArray

COLORS = ("#1f6fb4", "#c8553d", "#3a7d44", "#8e6c8a", "#b8860b")


def draw_arms(scores: Mapping[str, ArmScores], file: Path) -> None:
    """Draw the losses by part of the horizon, and the changes of the claims."""
    from matplotlib.figure import Figure

    if "stp" not in scores:
        return
    figure = Figure(figsize=(11, 4.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    shown = [name for name in ("stp", "stp-deep", REMOVED, "ntp", "mtp") if name in scores]
    for number, name in enumerate(shown):
        _draw_parts(left, scores[name], 0.12 * (number - 2), COLORS[number], LABELS[name])
    left.set_xticks(range(4), [f"{part}\nsteps" for part in PARTS])
    left.set_ylabel("quantile loss, Seasonal Naive = 1")
    left.legend(frameon=False, fontsize=8, ncols=2, loc="upper center", bbox_to_anchor=(0.5, -0.14))
    _draw_changes(right, claim_changes(scores))
    figure.savefig(file, dpi=120)


def _draw_parts(axes: Any, found: ArmScores, shift: float, color: str, label: str) -> None:
    """Draw one arm: its seeds as small dots, and their mean with its standard error."""
    for x, part in enumerate(PARTS):
        values = [overall(result["short"]["loss"], part) for result in found.values()]
        mean, error = mean_and_error(values)
        axes.plot([x + shift + 0.04] * len(values), values, ".", color=color, markersize=3)
        axes.errorbar(
            x + shift, mean, error, fmt="o", color=color, capsize=3, label=None if x else label
        )


def _draw_changes(axes: Any, changes: Sequence[tuple[Claim, Change]]) -> None:
    """Draw the changes with their standard errors, beside the report's changes."""
    rows = range(len(changes))[::-1]
    means = [change.mean for _, change in changes]
    errors = [change.error for _, change in changes]
    published = [published_change(claim) for claim, _ in changes]
    axes.axvline(0, color="grey", linewidth=0.8)
    axes.errorbar(means, rows, xerr=errors, fmt="o", color=COLORS[0], capsize=3, label="here")
    axes.plot(published, rows, "D", color="grey", fillstyle="none", label="report")
    axes.set_yticks(rows, [claim.text for claim, _ in changes])
    axes.set_xlabel("change of the loss, %")
    axes.legend(frameon=False, fontsize=8)


def draw_sinusoids(curves: Mapping[str, Mapping[str, FloatArray]], file: Path) -> None:
    """Draw the errors of sinusoids by period, with the lengths of a patch and of a pass."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 3.8), layout="constrained")
    panels = figure.subplots(1, len(curves), sharey=True, squeeze=False)[0]
    for axes, (name, curve) in zip(panels, curves.items(), strict=True):
        for number, kind in enumerate(("clean", "noisy")):
            axes.loglog(
                curve["period"], curve[kind], ".-", color=COLORS[number], label=f"{kind} context"
            )
        for step in (16, curve["pass"][0]):
            axes.axvline(step, color="grey", linewidth=0.8, linestyle=":")
        axes.axhline(2 / np.pi, color="grey", linewidth=0.8)
        axes.set_xticks([4, 8, 16, 32, 64, 128, 256], ["4", "8", "16", "32", "64", "128", "256"])
        axes.minorticks_off()
        axes.set_title(name)
        axes.set_xlabel("period, steps (dotted: one patch, one pass)")
    panels[0].set_ylabel("mean absolute error / amplitude")
    panels[0].legend(frameon=False)
    figure.savefig(file, dpi=120)
