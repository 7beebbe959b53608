"""The tables of the study: by target, and by data set."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from benchmarks.finetuning.data import STUDIED
from timer_forecaster.models.timer_s1.targets import TARGETS


def by_target(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return a row for each target: mean over the data sets, worst data set, and costs."""
    table = []
    for target in _in_order(rows, "target", TARGETS):
        own = [row for row in rows if row["target"] == target]
        seeds = {row["seed"] for row in own}
        means = [
            statistics.geometric_mean(_ratios(row for row in own if row["seed"] == seed))
            for seed in seeds
        ]
        by_data = {name: _mean_ratio(own, name) for name in {row["data"] for row in own}}
        worst = max(by_data, key=by_data.__getitem__)
        parameters = own[0]["parameters"]
        gain = 100 * (1 - statistics.mean(means))
        table.append(
            {
                "target": target,
                "CRPS, zero-shot = 1": _with_spread(means),
                "gain": f"{gain:.1f} %",
                "worst data set": f"{by_data[worst]:.3f} ({worst.partition('__')[0]})",
                "kept": f"{sum(row['status'] == 'improved' for row in own)} of {len(own)}",
                "trained": parameters,
                "gain per 10,000": f"{gain / parameters * 10_000:.2f} %",
                "adapter": f"{statistics.median(row['bytes'] for row in own) / 1000:,.0f} kB",
                "CPU seconds": statistics.median(row["seconds"] for row in own),
            }
        )
    return table


def by_data_set(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return a row for each data set: zero-shot CRPS, and the ratio to it of each target."""
    table = []
    for name in _in_order(rows, "data", STUDIED):
        own = [row for row in rows if row["data"] == name]
        line = {
            "data set": name,
            "series": own[0]["series"],
            "horizon": own[0]["horizon"],
            "windows": own[0]["windows"],
            "zero-shot": own[0]["zero_shot"],
        }
        for target in _in_order(rows, "target", TARGETS):
            ratios = _ratios(row for row in own if row["target"] == target)
            line[target] = _with_spread(ratios) if ratios else None
        table.append(line)
    return table


def _ratios(rows: Iterable[Mapping[str, Any]]) -> list[float]:
    return [row["crps"] / row["zero_shot"] for row in rows]


def _mean_ratio(rows: Sequence[Mapping[str, Any]], name: str) -> float:
    return statistics.mean(_ratios(row for row in rows if row["data"] == name))


def _with_spread(values: Sequence[float]) -> str:
    """Format the mean and the standard deviation over seeds."""
    if len(values) == 1:
        return f"{values[0]:.3f}"
    return f"{statistics.mean(values):.3f} ± {statistics.stdev(values):.3f}"


def _in_order(rows: Iterable[Mapping[str, Any]], key: str, order: Sequence[str]) -> list[str]:
    """Return the values of a key: those in `order` first, then the rest by name."""
    found = {row[key] for row in rows}
    return [name for name in order if name in found] + sorted(found.difference(order))
