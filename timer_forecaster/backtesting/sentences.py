"""The sentence that says whether forecasts beat the naive ones, and where not."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from timer_forecaster.arrays import FloatArray
from timer_forecaster.backtesting.notes import counted, listed

_TITLE = "Seasonal Naive"


def sentence(
    model: str,
    ratios: tuple[float, float],
    n_windows: int,
    by_series: tuple[Sequence[str], FloatArray],
    by_step: FloatArray,
) -> str:
    """Return whether a model beats Seasonal Naive, and where not.

    Parameters
    ----------
    model : str
    ratios : tuple of float
        Weighted quantile loss and MASE of the model over those of Seasonal Naive.
    n_windows : int
    by_series : tuple of (names, ndarray)
        The series, and the ratio of the loss of each.
    by_step : ndarray, shape (horizon,)
        The ratio of the loss of each step.

    Examples
    --------
    >>> by_series = ["a", "b"], np.array([0.5, 1.1])
    >>> print(sentence("mini", (0.8, 0.9), 10, by_series, np.array([1.2, 0.7, 0.6])))
    mini beats Seasonal Naive on these data: over 10 windows of 2 series, its weighted quantile \
loss is 20 % lower, and its MASE is 10 % lower; it is not better on 1 of 2 series (b) and at \
step 1 of 3.
    """
    names, losses = by_series
    known = [ratio for ratio in ratios if math.isfinite(ratio)]
    scope = f"over {counted(n_windows, 'window')} of {counted(len(names), 'series')}"
    if not known:
        reason = "it failed in every window"
        if n_windows:
            reason = (
                f"{scope}, its losses have no ratio, because the values or the errors of the naive "
                "forecasts are all zero"
            )
        return f"These data do not tell whether {model} beats {_TITLE}: {reason}."
    better = [ratio < 1 for ratio in known]
    start = f"{model} {'beats' if any(better) else 'does not beat'} {_TITLE} on these data"
    if any(better) and not all(better):
        start += " in one score, and not in the other"
    words = [
        f"its {name} is {_change(ratio)}"
        for name, ratio in zip(("weighted quantile loss", "MASE"), ratios, strict=True)
        if math.isfinite(ratio)
    ]
    return f"{start}: {scope}, {', and '.join(words)}; {_exceptions(names, losses, by_step)}."


def _change(ratio: float) -> str:
    """Return a ratio as a change in percent."""
    percent = 100 * abs(ratio - 1)
    if ratio == 1:
        return "the same"
    text = f"{percent:.0f}" if percent >= 1 else f"{percent:.1g}"
    return f"{text} % {'lower' if ratio < 1 else 'higher'}"


def _exceptions(names: Sequence[str], losses: FloatArray, by_step: FloatArray) -> str:
    """Return the series and steps where a model is not better."""
    worse = [name for name, ratio in zip(names, losses, strict=True) if ratio >= 1]
    steps = (np.flatnonzero(by_step >= 1) + 1).tolist()
    parts = []
    if worse:
        shown = "" if len(names) == 1 else f" ({listed(worse)})"
        parts.append(f"on {len(worse):,} of {counted(len(names), 'series')}{shown}")
    if steps:
        noun = "step" if len(steps) == 1 else "steps"
        parts.append(f"at {noun} {_runs(steps)} of {len(by_step)}")
    if not parts:
        every = "" if len(names) == 1 else "on every series and "
        return f"it is better {every}at every step"
    return f"it is not better {' and '.join(parts)}"


def _runs(numbers: Sequence[int]) -> str:
    """Return numbers with runs in short.

    Examples
    --------
    >>> _runs([1, 2, 3, 7])
    '1 to 3, 7'
    """
    runs: list[list[int]] = []
    for number in numbers:
        if runs and runs[-1][-1] == number - 1:
            runs[-1][1:] = [number]
        else:
            runs.append([number])
    return listed(" to ".join(map(str, run)) for run in runs)
