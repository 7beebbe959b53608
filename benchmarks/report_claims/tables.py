"""The tables of the page ``docs/report_claims.md``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from benchmarks.report_claims.arms import LABELS, REMOVED, STAGED
from benchmarks.report_claims.claims import claim_changes, published_change
from benchmarks.report_claims.comparisons import (
    ArmScores,
    Change,
    interval,
    mean_and_error,
    overall,
    paired_change,
)
from benchmarks.report_claims.scale import Scale
from benchmarks.report_claims.scores import PARTS
from benchmarks.report_claims.sinusoids import NEAR_PATCH
from timer_forecaster.arrays import FloatArray


def make_tables(
    scores: Mapping[str, ArmScores],
    costs: Mapping[str, Mapping[str, float]],
    curves: Mapping[str, Mapping[str, FloatArray]],
    scale: Scale,
) -> dict[str, str]:
    """Return all tables in Markdown, by the names of their markers on the page."""
    tables = {"sinusoids": sinusoid_table(curves)}
    if "stp" in scores:
        tables["claims"] = claim_table(scores)
        tables["arms"] = arm_table(scores)
        tables["stages"] = stage_table(scores, scale)
        tables["costs"] = cost_table(scores, costs)
    return tables


def claim_table(scores: Mapping[str, ArmScores]) -> str:
    """Return the report's changes of the loss beside ours, and whether ours are resolved."""
    rows = []
    for claim, change in claim_changes(scores):
        low, high = interval(change.mean, change.error, len(scores[claim.arm]))
        published = published_change(claim)
        found = "not resolved"
        if low > 0 or high < 0:
            found = "yes" if change.mean * published > 0 else "the opposite"
        between = "" if np.isnan(low) else f"{low:+.1f} to {high:+.1f} %"
        rows.append([claim.text, f"{published:+.1f} %", *_change_cells(change), between, found])
    header = ["change", "report", "here", "data sets worse", "95 % interval", "shown here"]
    return _markdown(header, rows)


def arm_table(scores: Mapping[str, ArmScores]) -> str:
    """Return the losses of every arm by part of the horizon."""
    rows = []
    for name in ("stp", "stp-deep", REMOVED, "ntp", "mtp", "plain"):
        if name not in scores:
            continue
        found = [result["short"] for result in scores[name].values()]
        losses = [mean_and_error(overall(one["loss"], part) for one in found) for part in PARTS]
        mase = mean_and_error(overall(one["mase"]) for one in found)
        rows.append([LABELS[name], str(len(found)), *map(_with_error, [*losses, mase])])
    return _markdown(["arm", "seeds", *PARTS, "MASE, all"], rows)


def stage_table(scores: Mapping[str, ArmScores], scale: Scale) -> str:
    """Return the losses of the staged arms with both context lengths, and their changes.

    The changes are from pre-training alone with the short context.
    """
    header = ["stages", "context", *PARTS, "loss against the first row", "data sets worse"]
    labels = ("pre-training alone", "+ continued pre-training", "+ long-context extension")
    rows = []
    for name, label in zip(STAGED, labels, strict=True):
        for context, window in (("short", scale.window), ("long", scale.long_window)):
            if name not in scores:
                continue
            found = [result[context]["loss"] for result in scores[name].values()]
            losses = [mean_and_error(overall(one, part) for one in found) for part in PARTS]
            first = (name, context) == ("stp", "short")
            change = paired_change(scores, name, "stp", context)
            against = ["", ""] if first else _change_cells(change)
            cells = [label, str(scale.context(window)), *map(_with_error, losses)]
            rows.append(cells + against)
    return _markdown(header, rows)


def cost_table(scores: Mapping[str, ArmScores], costs: Mapping[str, Mapping[str, float]]) -> str:
    """Return the parameters and the CPU time of the objectives.

    Arms with equal blocks do not have equal costs.
    """
    rows = []
    for name, cost in costs.items():
        found = [result["short"]["seconds"] for result in scores.get(name, {}).values()]
        seconds = f"{np.mean(found):.1f}" if found else ""
        rows.append(
            [
                LABELS[name],
                f"{cost['parameters']:,.0f}",
                f"{cost['seconds_per_step']:.2f}",
                seconds,
            ]
        )
    header = ["arm", "parameters", "CPU s per training step", "CPU s to forecast all windows"]
    return _markdown(header, rows)


def sinusoid_table(curves: Mapping[str, Mapping[str, FloatArray]]) -> str:
    """Return the median error over bands of periods, and the errors close to the patch length."""
    bands = [(4.0, 13.0), *((period, period) for period in NEAR_PATCH), (20.0, 100.0)]
    bands.append((100.0, 256.0))
    rows = []
    for name, curve in curves.items():
        period = curve["period"]
        for kind in ("clean", "noisy"):
            inside = [curve[kind][(period >= low) & (period <= high)] for low, high in bands]
            values = [f"{np.median(errors):.3f}" for errors in inside]
            largest = f"{curve[kind].max():.3f} at {period[np.argmax(curve[kind])]:.1f}"
            rows.append([name, kind, *values, largest])
    names = [f"{low:g}" if low == high else f"{low:g} to {high:g}" for low, high in bands]
    return _markdown(["network", "context", *names, "largest"], rows)


def _markdown(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table whose columns but the first are aligned to the right."""
    rule = ["---"] + ["---:"] * (len(header) - 1)
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (header, rule, *rows))


def _with_error(values: tuple[float, float], digits: int = 3, sign: str = "") -> str:
    """Format a mean with its standard error."""
    mean, error = values
    shown = f"{mean:{sign}.{digits}f}"
    return shown if np.isnan(error) else f"{shown} ± {error:.{digits}f}"


def _change_cells(change: Change) -> list[str]:
    shown = _with_error((change.mean, change.error), 1, "+")
    return [f"{shown} %", f"{change.worse} of {change.total}"]
