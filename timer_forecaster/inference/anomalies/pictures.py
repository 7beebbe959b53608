"""Pictures of anomalies. Needs matplotlib."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from timer_forecaster.plotting import new_figure, plot_expected, titled, verbatim

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from timer_forecaster.inference.anomalies.report import AnomalyReport


def plot_series(report: AnomalyReport, number: int, ax: Any = None) -> Axes:
    """Draw one series of a report with what was expected of it.

    Parameters
    ----------
    report : AnomalyReport
    number : int
        Of the series.
    ax : matplotlib axes, optional
        Default: new axes of pyplot.
    """
    values, found, odd = report.series[number], report.judged[number], report.flags[number]
    times, bounds = report.labels.times_of(number)[: len(values)], (found.lower, found.upper)
    axes = plot_expected(ax, times, values, found.median, bounds, odd)
    count = int(odd.sum())
    noun = "anomaly" if count == 1 else "anomalies"
    title = f"{report.labels.names[number]}: {count} {noun} at level {report.level:g}"
    titled(axes, title)
    axes.set_xlabel(verbatim(report.labels.time_column))
    return axes


def plot_report(report: AnomalyReport, max_panels: int) -> Figure:
    """Draw a panel for each series of a report, the ones with the oddest steps first.

    Parameters
    ----------
    report : AnomalyReport
    max_panels : int
    """
    oddest = [float(np.nanmax(np.abs(one), initial=0.0)) for one in report.scores]
    shown = np.argsort(-np.array(oddest), kind="stable")[:max_panels].tolist()
    figure = new_figure((9.5, 0.7 + 2.9 * len(shown)))
    axes = figure.subplots(len(shown), squeeze=False)[:, 0]
    for ax, number in zip(axes, shown, strict=True):
        plot_series(report, number, ax)
    axes[0].legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False, fontsize=8)
    if len(shown) < report.n_series:
        figure.suptitle(f"The {len(shown)} oddest of {report.n_series} series", fontsize=10)
    return figure
