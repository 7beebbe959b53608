"""Means over data sets and seeds, and changes between arms with their uncertainty."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from timer_forecaster.evaluation import geometric_mean

ArmScores = Mapping[int, Any]
"""Scores of an arm by seed, as `benchmarks.report_claims.scores.score` returns them."""


class Change(NamedTuple):
    """Change of the loss from one arm to another.

    Attributes
    ----------
    mean, error : float
        Mean over the seeds and its standard error, in percent.
    worse, total : int
        Data sets on which the mean over the seeds is worse, and all data sets.
    """

    mean: float
    error: float
    worse: int
    total: int


def overall(parts: Mapping[str, Mapping[str, float]], part: str = "all") -> float:
    """Return the geometric mean over the data sets for a part of the horizon."""
    return geometric_mean(parts[part].values())


def mean_and_error(values: Iterable[float]) -> tuple[float, float]:
    """Return the mean over seeds and its standard error, which is NaN for a single seed."""
    array = np.array(list(values))
    error = array.std(ddof=1) / np.sqrt(len(array)) if len(array) > 1 else np.nan
    return float(array.mean()), float(error)


def paired_change(
    scores: Mapping[str, ArmScores],
    name: str,
    reference: str,
    context: str = "short",
    part: str = "all",
    reference_context: str = "short",
) -> Change:
    """Return the change of the loss from a reference to an arm, between runs of the same seed.

    Parameters
    ----------
    scores : mapping
        Scores by arm and seed.
    name, reference : str
        Arms.
    context, reference_context : {"short", "long"}
        Context length of each arm.
    part : str
        Part of the horizon.
    """
    seeds = sorted(scores[name].keys() & scores[reference].keys())
    ours = [pd.Series(scores[name][s][context]["loss"][part]) for s in seeds]
    theirs = [pd.Series(scores[reference][s][reference_context]["loss"][part]) for s in seeds]
    logs = pd.DataFrame([np.log(a / b) for a, b in zip(ours, theirs, strict=True)])
    mean, error = mean_and_error(100 * np.expm1(logs.mean(axis=1)))
    return Change(mean, error, int((logs.mean() > 0).sum()), logs.shape[1])


def interval(mean: float, error: float, seeds: int) -> tuple[float, float]:
    """Return the 95 % interval of a mean over seeds by Student's t; NaN for a single seed."""
    from scipy.stats import t

    half = error * t.ppf(0.975, seeds - 1) if seeds > 1 else np.nan
    return float(mean - half), float(mean + half)
