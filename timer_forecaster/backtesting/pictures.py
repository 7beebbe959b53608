"""Pictures of a backtest: its best, median and worst window, and the coverage at each step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from timer_forecaster.backtesting.scores import nominal_of
from timer_forecaster.plotting import (
    drawable,
    new_figure,
    newest_steps,
    plot_quantiles,
    titled,
    verbatim,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from timer_forecaster.backtesting.result import BacktestResult

_OBSERVED_COLOR = "#c2410c"
_COLORS = ("#1f6fb4", "#3b3b3b", "#7a5195", "#2f7d4f", "#9a6a00")
_SHOWN = ("coverage_90", "coverage_80", "coverage_60", "coverage_40")


def plot_backtest(result: BacktestResult, model: str) -> Figure:
    """Draw the best, the median and the worst window of a model, and its coverage by step.

    Parameters
    ----------
    result : BacktestResult
    model : str

    Returns
    -------
    matplotlib Figure
    """
    figure = new_figure((12, 7))
    axes = figure.subplots(2, 2).ravel()
    for ax, (name, row) in zip(axes, chosen_windows(result, model).items(), strict=False):
        plot_window(result, model, row, ax)
        titled(ax, f"{name.capitalize()} window: {result.window_name(row)}", size=9)
    handles, labels = axes[0].get_legend_handles_labels()
    plot_coverage(result, model, axes[3])
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), frameon=False)
    figure.suptitle(f"Backtest of {verbatim(model)}", fontsize=11)
    return figure


def chosen_windows(result: BacktestResult, model: str) -> dict[str, int]:
    """Return the places of the best, the median and the worst window of a model.

    They are ordered by their loss over the seasonal error, or by their loss over the size of their
    values if no window has a seasonal error.

    Raises
    ------
    ValueError
        If the model forecast no window.
    """
    points = result.points(model)
    losses = points.scaled_losses(result.scales)
    if not np.isfinite(losses).any():
        losses = points.scores(np.arange(len(losses))[:, None], len(losses))["WQL"]
    if not np.isfinite(losses).any():
        losses = points.scaled_losses(np.ones(len(losses)))
    rows = np.flatnonzero(np.isfinite(losses))
    if not len(rows):
        raise ValueError(f"{model} forecast no window; there is nothing to draw")
    order = rows[np.argsort(losses[rows], kind="stable")]
    return {
        "best": int(order[0]),
        "median": int(order[(len(order) - 1) // 2]),
        "worst": int(order[-1]),
    }


def plot_window(result: BacktestResult, model: str, row: int, ax: Axes | None = None) -> Axes:
    """Draw the forecast of a window by a model, its history, and the values that came.

    Parameters
    ----------
    result : BacktestResult
    model : str
    row : int
        Number of the window.
    ax : matplotlib axes, optional
        Default: axes of a new figure.

    Returns
    -------
    matplotlib axes
    """
    if ax is None:
        ax = new_figure((9, 3.6)).subplots()
    number, origin = int(result.windows.number[row]), int(result.windows.origin[row])
    horizon, values = result.windows.horizon, result.data.series[number]
    start = max(0, origin - newest_steps(horizon))
    x = drawable(result.data.labels.times_of(number)[start : origin + horizon])
    levels = result.settings.levels if result.has_quantiles[model] else (0.5,)
    places = [list(result.settings.levels).index(level) for level in levels]
    plot_quantiles(
        ax,
        x[: origin - start],
        values[start:origin],
        x[origin - start :],
        levels,
        result.answers[model].quantiles[row][:, places],
    )
    ax.plot(
        x[origin - start :],
        values[origin : origin + horizon],
        color=_OBSERVED_COLOR,
        linewidth=1.1,
        marker="." if horizon == 1 else "",
        label="observed",
    )
    return ax


def plot_coverage(result: BacktestResult, model: str, ax: Axes | None = None) -> Axes:
    """Draw the share of values inside the intervals of a model at each step.

    Parameters
    ----------
    result : BacktestResult
    model : str
    ax : matplotlib axes, optional
        Default: axes of a new figure.

    Returns
    -------
    matplotlib axes
    """
    if ax is None:
        ax = new_figure((6, 3.6)).subplots()
    from matplotlib.ticker import MaxNLocator, PercentFormatter

    own = result.by_step[result.by_step["model"] == model]
    names = [name for name in _SHOWN if name in result.points(model).inside]
    for color, name in zip(_COLORS, names, strict=False):
        nominal = nominal_of(name)
        ax.plot(own["step"], own[name], color=color, marker=".", label=f"{100 * nominal:g} %")
        ax.axhline(nominal, color=color, linestyle=":", linewidth=0.9)
    ax.set_ylim(0, 1.02)
    ax.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set_xlabel("step")
    ax.set_title("Values inside the intervals (dotted: as it should be)", loc="left", size=9)
    ax.spines[["top", "right"]].set_visible(False)
    if names:
        ax.legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    else:
        ax.text(0.5, 0.5, "it forecasts points alone", ha="center", transform=ax.transAxes)
    return ax
