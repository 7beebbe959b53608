"""Pictures of forecasts: history, median and nested quantile bands. Needs matplotlib."""

from __future__ import annotations

import warnings
from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from timer_forecaster.extras import missing_extra

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MAX_PANELS = 12
_HISTORY_COLOR = "#3b3b3b"
_FORECAST_COLOR = "#1f6fb4"
_ODD_COLOR = "#c22f2f"
_BEYOND = 0.35  # of the range of a series, that bounds are drawn beyond it
_HORIZONS_OF_HISTORY = 3
_LEAST_HISTORY = 48
_SHORT_LEGEND, _SHORT_TITLE = 4, 40  # entries and letters that fit beside each other
_RATIO_TICKS = (0.1, 0.2, 0.3, 0.4, 0.6, 0.8, 1, 1.5, 2, 3, 5, 10)


def plot_effects(ax: Axes | None, columns: Sequence[Hashable], effects: ArrayLike) -> Axes:
    """Draw the effects of covariates on a forecast, one line for each column.

    Parameters
    ----------
    ax : matplotlib axes or None
        Where to draw. None makes a new figure with pyplot.
    columns : sequence of hashable
    effects : array of shape (columns, horizon)

    Returns
    -------
    matplotlib axes
    """
    axes = _new_axes() if ax is None else ax
    values = np.asarray(effects, dtype=np.float64)
    for column, own in zip(columns, values, strict=True):
        axes.plot(np.arange(1, len(own) + 1), own, linewidth=1.4, label=_entry(column))
    axes.axhline(0, color=_HISTORY_COLOR, linewidth=0.8)
    axes.set_xlabel("step")
    axes.set_ylabel("effect on the median")
    _tidy(axes, dates=False)
    _whole(axes.xaxis)
    titled(axes, "Effect of each covariate")
    if len(values):
        _legend_beside(axes)
    return axes


def new_figure(size: tuple[float, float]) -> Figure:
    """Return a figure of a size in inches, made without pyplot: it needs no display.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    """
    _require_matplotlib()
    from matplotlib.figure import Figure

    return Figure(figsize=size, layout="constrained")


def drawable(times: pd.Index) -> Any:
    """Return times that matplotlib can draw: clock times without zone, starts of periods."""
    if isinstance(times, pd.PeriodIndex):
        times = times.to_timestamp()
    if isinstance(times, pd.DatetimeIndex) and times.tz is not None:
        times = times.tz_localize(None)
    return times.to_numpy()


def newest_steps(horizon: int) -> int:
    """Return how many steps of a history a picture shows: three horizons, and at least 48.

    Examples
    --------
    >>> newest_steps(12), newest_steps(168)
    (48, 504)
    """
    return max(_HORIZONS_OF_HISTORY * horizon, _LEAST_HISTORY)


def plot_quantiles(
    ax: Axes | None,
    x_history: ArrayLike,
    y_history: ArrayLike,
    x_future: ArrayLike,
    levels: Sequence[float],
    quantiles: ArrayLike,
) -> Axes:
    """Draw one series: its history, the median, and a band for each pair of levels.

    The lowest level is paired with the highest, the second lowest with the second highest, and
    so on inwards; a level left without a partner is drawn as a thin line.

    Parameters
    ----------
    ax : matplotlib axes or None
        Where to draw. None makes a new figure with pyplot.
    x_history, y_history : array of shape (steps,)
        May be empty. NaN values leave a gap in the line.
    x_future : array of shape (horizon,)
        Positions of the forecast steps: numbers or dates.
    levels : sequence of float
        Levels of the quantiles, in any order.
    quantiles : array of shape (horizon, n_levels)
        Values at the levels.

    Returns
    -------
    matplotlib axes

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    """
    axes = _new_axes() if ax is None else ax
    x_history, y_history = np.asarray(x_history), np.asarray(y_history, dtype=np.float64)
    values = np.asarray(quantiles, dtype=np.float64)
    x_future = np.asarray(x_future)
    dates = x_future.dtype.kind == "M"
    axes.plot(x_history, y_history, color=_HISTORY_COLOR, linewidth=1.1, label="history")
    if len(y_history) and np.isfinite(y_history[-1]):
        # The bands open at the last observation, so that a forecast of one step is seen as well.
        x_future = np.concatenate([x_history[-1:], x_future])
        values = np.concatenate([np.full((1, values.shape[1]), y_history[-1]), values])
    _draw_levels(axes, x_future, {level: values[:, i] for i, level in enumerate(levels)})
    _tidy(axes, dates)
    if not dates:
        _whole(axes.xaxis)
    if ax is None:
        axes.set_xlabel("" if dates else "step")
        _legend_above(axes)
    return axes


def plot_expected(
    ax: Axes | None,
    times: pd.Index,
    values: ArrayLike,
    median: ArrayLike,
    bounds: tuple[ArrayLike, ArrayLike],
    odd: ArrayLike,
) -> Axes:
    """Draw one series with what was expected of each step, and mark the odd steps.

    Parameters
    ----------
    ax : matplotlib axes or None
        Where to draw. None makes a new figure with pyplot.
    times : pandas.Index
        Dates, periods or numbers.
    values, median : array of shape (steps,)
        NaN leaves a gap in the line.
    bounds : tuple of two arrays of shape (steps,)
        Bounds far beyond the series are cut, so that the series is no flat line.
    odd : array of bool, shape (steps,)

    Returns
    -------
    matplotlib axes

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    """
    _require_matplotlib()
    axes = _new_axes() if ax is None else ax
    x, y, marked = drawable(times), np.asarray(values), np.asarray(odd, dtype=bool)
    low, high = np.nanmin(y, initial=np.inf), np.nanmax(y, initial=-np.inf)
    room = _BEYOND * (high - low or abs(high) or 1.0)
    lower, upper = np.maximum(bounds[0], low - room), np.minimum(bounds[1], high + room)
    color, label = _FORECAST_COLOR, "expected"
    axes.fill_between(x, lower, upper, color=color, alpha=0.25, linewidth=0, label=label)
    axes.plot(x, np.asarray(median), color=color, linewidth=1.0, label="median")
    axes.plot(x, y, color=_HISTORY_COLOR, linewidth=1.0, label="observed")
    axes.plot(x[marked], y[marked], "o", color=_ODD_COLOR, markersize=5, label="anomaly")
    _tidy(axes, np.asarray(x).dtype.kind == "M")
    if ax is None:
        axes.legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return axes


def _draw_levels(ax: Axes, x: np.ndarray, curves: dict[float, np.ndarray]) -> None:
    below = sorted(level for level in curves if level < 0.5)
    above = sorted((level for level in curves if level > 0.5), reverse=True)
    # Inner bands are darker. Plain colors, so that the legend has them too.
    shades = _shades(min(len(below), len(above)))
    for lower, upper, color in zip(below, above, shades, strict=False):
        ax.fill_between(
            x,
            curves[lower],
            curves[upper],
            color=color,
            linewidth=0,
            label=_band_label(lower, upper),
        )
    paired = min(len(below), len(above))
    for level in below[paired:] + above[paired:]:
        ax.plot(x, curves[level], color=_FORECAST_COLOR, linewidth=0.8, label=f"{level:g}")
    if 0.5 in curves:
        ax.plot(x, curves[0.5], color=_FORECAST_COLOR, linewidth=1.6, label="median")


def _shades(bands: int) -> list[tuple[float, ...]]:
    """Return the colors of nested bands, the outermost first."""
    if not bands:
        return []
    from matplotlib.colors import to_rgb

    strengths = [0.3] if bands == 1 else np.linspace(0.2, 0.55, bands).tolist()
    return [tuple(1 - s * (1 - part) for part in to_rgb(_FORECAST_COLOR)) for s in strengths]


def plot_forecast(
    history: pd.DataFrame,
    forecast: pd.DataFrame,
    *,
    time_column: Hashable,
    id_column: Hashable | None = None,
    max_panels: int = MAX_PANELS,
) -> Figure:
    """Draw the forecasts of a frame: a panel for each series, in a grid that fits a slide.

    Parameters
    ----------
    history : pandas.DataFrame
        The frame that was forecast. Its time column holds dates, periods or integers. The plot
        shows the newest three horizons of each series, and at least 48 steps.
    forecast : pandas.DataFrame
        The result of `ForecastPipeline.predict_frame`.
    time_column, id_column : hashable
        The same as in `predict_frame`.
    max_panels : int
        Largest number of series to draw. If there are more, the title gives their number.

    Returns
    -------
    matplotlib Figure
        Made without pyplot: it needs no display and need not be closed.

    Raises
    ------
    ImportError
        If matplotlib is not installed.

    Examples
    --------
    >>> import io
    >>> import numpy as np, pandas as pd
    >>> times = pd.date_range("2024-01-01", periods=72, freq="h")
    >>> load = pd.DataFrame({"time": times[:48], "mw": np.arange(48.0)})
    >>> forecast = pd.DataFrame({"target": "mw", "time": times[48:], "q0.5": np.arange(48.0, 72.0)})
    >>> figure = plot_forecast(load, forecast, time_column="time")
    >>> figure.savefig(io.BytesIO(), dpi=150)
    """
    keys = ["target"] if id_column is None else [id_column, "target"]
    names = forecast[keys].drop_duplicates()
    shown = names.head(max_panels)
    columns = _panel_columns(len(shown))
    rows = -(-len(shown) // columns)
    size = (9.5 if columns == 1 else 13.0, 0.9 + (2.9 if columns == 1 else 2.2) * rows)
    figure = new_figure(size)
    axes = figure.subplots(rows, columns, squeeze=False).ravel().tolist()
    for ax, key in zip(axes, shown.itertuples(index=False, name=None), strict=False):
        own = forecast[(forecast[keys] == key).all(axis=1)]
        past = history if id_column is None else history[history[id_column] == key[0]]
        _draw_panel(ax, past, own, time_column, key[-1])
        titled(ax, " · ".join(map(str, key)), most={1: 95, 2: 64, 3: 44}[columns])
    for ax in axes[len(shown) :]:
        ax.remove()
    _legend_of_panels(figure, axes[: len(shown)])
    if len(shown) < len(names):
        title = f"The first {len(shown)} of {len(names)} series"
        figure.suptitle(title, fontsize=11, x=0.01, ha="left")
    return figure


def _legend_of_panels(figure: Figure, axes: Sequence[Axes]) -> None:
    """Put one legend above the panels; beside the title where there is one panel and room."""
    handles, labels = axes[0].get_legend_handles_labels()
    title = axes[0].get_title(loc="left")
    if len(axes) == 1 and len(labels) <= _SHORT_LEGEND and len(title) <= _SHORT_TITLE:
        _legend_above(axes[0])
        return
    look = {"frameon": False, "fontsize": 9, "ncols": len(labels)}
    figure.legend(handles, labels, loc="outside upper right", **look)


def _panel_columns(panels: int) -> int:
    """Return the columns of a grid of panels; few panels are as wide as the picture."""
    return 1 if panels <= 2 else 2 if panels <= 6 else 3


def plot_shares(
    ax: Axes | None,
    shares: ArrayLike,
    title: str = "Use of the experts, by block",
    most: float | None = None,
) -> Axes:
    """Draw the use of each expert in each block of a network.

    Parameters
    ----------
    ax : matplotlib axes or None
        Where to draw. None makes a new figure with pyplot.
    shares : array of shape (n_blocks, n_experts)
        Shares that sum to 1 over the experts.
    title : str
    most : float, optional
        Share of the darkest color. Default: the largest share.

    Returns
    -------
    matplotlib axes
    """
    _require_matplotlib()
    axes = _new_axes() if ax is None else ax
    image = axes.imshow(np.asarray(shares), vmin=0, vmax=most, cmap="Blues", aspect="auto")
    for axis in (axes.xaxis, axes.yaxis):
        _whole(axis)
    titled(axes, title)
    axes.set_xlabel("expert")
    axes.set_ylabel("block")
    axes.figure.colorbar(image, ax=axes, label="share of routing choices")
    return axes


def plot_tuning(
    training: Sequence[tuple[int, float]],
    validation: Sequence[tuple[int, float]],
    kept_step: int,
    use_before: ArrayLike,
    use_after: ArrayLike,
) -> Figure:
    """Draw a finetuning: its losses, and the use of the experts before and after.

    Parameters
    ----------
    training, validation : sequence of (int, float)
        Steps and losses.
    kept_step : int
        Step whose weights were kept.
    use_before, use_after : array of shape (n_blocks, n_experts)
        Shares of the routing choices. Empty for a network without experts.

    Returns
    -------
    matplotlib Figure
        Made without pyplot: it needs no display and need not be closed.
    """
    with_experts = bool(np.size(use_before))
    figure = new_figure((13 if with_experts else 7.0, 4.0))
    widths = (1.6, 1, 1) if with_experts else (1.6,)
    curves, *others = figure.subplots(1, len(widths), width_ratios=widths, squeeze=False)[0]
    curves.plot(*np.transpose(validation), color=_FORECAST_COLOR, label="validation")
    if len(training):
        curves.plot(*np.transpose(training), color=_HISTORY_COLOR, alpha=0.6, label="training")
    curves.axvline(kept_step, color=_FORECAST_COLOR, linestyle=":", label=f"kept: step {kept_step}")
    curves.set_xlabel("step")
    curves.set_ylabel("quantile loss, normalized units")
    _tidy(curves, dates=False)
    _whole(curves.xaxis)
    titled(curves, "Losses of the finetuning")
    _legend_below(curves)
    uses = (use_before, "before"), (use_after, "after")
    most = max((float(np.max(use)) for use, _ in uses if np.size(use)), default=None)
    for axes, (shares, title) in zip(others, uses, strict=False):
        plot_shares(axes, shares, f"Use of the experts {title}", most)
    return figure


def plot_aggregates(means: pd.DataFrame, own: Sequence[str] = ()) -> Figure:
    """Draw the errors of forecasters relative to Seasonal Naive: one panel for all, one per term.

    Parameters
    ----------
    means : pandas.DataFrame
        The result of `timer_forecaster.evaluation.aggregate`.
    own : sequence of str
        Models to highlight.

    Returns
    -------
    matplotlib Figure
        Made without pyplot: it needs no display and need not be closed.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    ValueError
        If no aggregate can be drawn: all are undefined, infinite or zero.

    Warns
    -----
    UserWarning
        If some cannot be drawn.
    """
    _require_matplotlib()
    from matplotlib.ticker import FixedLocator, NullLocator, ScalarFormatter

    means = _positive_means(means)
    groups, order = list(means.index.unique("group")), means.groupby("model")["CRPS"].first()
    models = order.sort_values(ascending=False, na_position="first").index
    names = [verbatim(model) for model in models]
    figure = new_figure((3 + 2.6 * len(groups), 1.2 + 0.22 * len(models)))
    panels = figure.subplots(1, len(groups), sharex=True, sharey=True, squeeze=False)[0]
    colors = [_FORECAST_COLOR if model in own else "#9a9a9a" for model in models]
    for ax, group in zip(panels, groups, strict=True):
        part = means.xs(group, level="group").reindex(models)
        ax.scatter(part["MASE"], names, facecolors="none", edgecolors=colors, label="MASE")
        ax.scatter(part["CRPS"], names, c=colors, label="CRPS")
        ax.axvline(1.0, color=_HISTORY_COLOR, linewidth=0.8)
        ax.set_xscale("log")
        ax.xaxis.set_major_locator(FixedLocator(_RATIO_TICKS))
        ax.xaxis.set_major_formatter(ScalarFormatter())
        ax.xaxis.set_minor_locator(NullLocator())
        ax.tick_params(axis="x", labelsize=8)
        ax.set_ylim(-1, len(models))
        ax.grid(axis="y", color="#dddddd", linewidth=0.6)
        ax.set_axisbelow(True)
        ax.set_title(f"{group} ({part['n'].max():.0f})", loc="left", fontsize=10)
    panels[0].legend(fontsize=8)
    for label, model in zip(panels[0].get_yticklabels(), models, strict=True):
        label.set(color=_FORECAST_COLOR if model in own else "black")
    figure.supxlabel("error relative to Seasonal Naive, geometric mean", fontsize=9)
    return figure


def _positive_means(means: pd.DataFrame) -> pd.DataFrame:
    """Return the aggregates that a logarithmic axis has, of all series first, then of terms."""
    groups = [g for g in ("all", "short", "medium", "long") if g in means.index.unique("group")]
    means = pd.concat([means.xs(group, level="group", drop_level=False) for group in groups])
    errors = means[["MASE", "CRPS"]]
    errors = errors.where(np.isfinite(errors) & (errors > 0))
    drawn = means.assign(**errors)[errors.notna().any(axis=1)]
    why = "are undefined, infinite or zero: a data set was forecast without any error"
    if drawn.empty:
        raise ValueError(f"there is nothing to draw: all errors relative to Seasonal Naive {why}")
    if errors.isna().any(axis=None):
        names = ", ".join(errors[errors.isna().any(axis=1)].index.unique("model"))
        warnings.warn(f"not drawn: relative errors of {names} {why}", UserWarning, stacklevel=3)
    return drawn


def check_format(path: Path) -> None:
    """Refuse a file name whose suffix is not a picture format.

    Raises
    ------
    ValueError
        Naming the formats there are.
    ImportError
        If matplotlib is not installed.
    """
    _require_matplotlib()
    from matplotlib.backend_bases import FigureCanvasBase

    formats = FigureCanvasBase.get_supported_filetypes()
    if path.suffix.removeprefix(".").lower() not in formats:
        raise ValueError(f"cannot draw {path}: its suffix must be one of {', '.join(formats)}")


def _draw_panel(
    ax: Axes, past: pd.DataFrame, own: pd.DataFrame, time_column: Any, target: Any
) -> None:
    past = past.sort_values(time_column).tail(newest_steps(len(own)))
    columns: list[Any] = list(own.columns)
    columns = columns[columns.index(time_column) + 1 :]
    plot_quantiles(
        ax,
        drawable(pd.Index(past[time_column])),
        past[target].astype("float64").to_numpy(),
        drawable(pd.Index(own[time_column])),
        [float(name.removeprefix("q")) for name in columns],
        own[columns].to_numpy(),
    )


def _band_label(lower: float, upper: float) -> str:
    if abs(lower + upper - 1) < 1e-9:
        return f"{100 * (upper - lower):.3g} % interval"
    return f"{lower:g} to {upper:g}"


def _tidy(ax: Axes, dates: bool) -> None:
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(axis="y", color="#dddddd", linewidth=0.6)
    ax.set_axisbelow(True)
    ax.margins(x=0.01)
    if dates:
        from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

        locator = AutoDateLocator()
        ax.xaxis.set_major_locator(locator)
        ax.xaxis.set_major_formatter(ConciseDateFormatter(locator))


def _whole(axis: Any) -> None:
    """Let an axis have ticks at whole numbers alone."""
    from matplotlib.ticker import MaxNLocator

    axis.set_major_locator(MaxNLocator(integer=True))


def verbatim(name: Hashable) -> str:
    r"""Return a name as text for matplotlib, which reads what stands between dollars as a formula.

    Examples
    --------
    >>> print(verbatim("US$ per $"))
    US\$ per \$
    """
    return str(name).replace("$", r"\$")


def titled(ax: Axes, title: str, most: int = 90, size: int = 10) -> None:
    """Set a title; a long one loses its middle, since names may be of any length."""
    if len(title) > most:
        half = (most - 3) // 2
        title = f"{title[:half]} … {title[-half:]}"
    ax.set_title(verbatim(title), loc="left", fontsize=size)


def _entry(name: Hashable) -> str:
    """Return a name as an entry of a legend, which leaves out those that begin with ``_``."""
    text = verbatim(name)
    return f" {text}" if text.startswith("_") else text


def _legend_above(ax: Axes) -> None:
    """Put the legend above the axes, where it hides no data."""
    columns = min(6, len(ax.get_legend_handles_labels()[1]))
    corner = {"bbox_to_anchor": (1.0, 1.0), "borderaxespad": 0.3}
    ax.legend(loc="lower right", frameon=False, fontsize=9, ncols=columns, **corner)


def _legend_beside(ax: Axes) -> None:
    """Put the legend to the right of the axes."""
    ax.legend(frameon=False, fontsize=9, loc="upper left", bbox_to_anchor=(1.0, 1.0))


def _legend_below(ax: Axes) -> None:
    """Put the legend under the axes and their label."""
    columns = len(ax.get_legend_handles_labels()[1])
    corner = {"bbox_to_anchor": (0.5, -0.16)}
    ax.legend(loc="upper center", frameon=False, fontsize=9, ncols=columns, **corner)


def _new_axes() -> Axes:
    _require_matplotlib()
    from matplotlib import pyplot

    _, axes = pyplot.subplots(figsize=(9, 3.6), layout="constrained")
    return axes


def _require_matplotlib() -> None:
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise ImportError(missing_extra("pictures need matplotlib", "plot")) from error
