"""A search for anomalies as parts of a report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from timer_forecaster.report import Chart, Fan, Gallery, ScoreTable
from timer_forecaster.report.gallery import MOST_SERIES

if TYPE_CHECKING:
    from timer_forecaster.inference.anomalies.report import AnomalyReport

_MOST_ROWS = 200
_TEXT = "What was expected of each step from the steps before it. Circles mark the unusual steps."


def parts_of_report(report: AnomalyReport) -> list[Any]:
    """Return the pictures of the series, and the table of the oddest steps.

    Parameters
    ----------
    report : AnomalyReport
    """
    oddest = [float(np.nanmax(np.abs(one), initial=0.0)) for one in report.scores]
    order = np.argsort(-np.array(oddest), kind="stable")
    kept, text = sorted(order[:MOST_SERIES].tolist()), _TEXT
    if len(kept) < report.n_series:
        text += f" These are the {len(kept):,} oddest of {report.n_series:,} series."
    ranks = np.argsort(-np.array([oddest[number] for number in kept]), kind="stable")
    gallery = Gallery(
        "Unusual steps",
        [_chart(report, number) for number in kept],
        text,
        orders={"oddest first": ranks.tolist()} if len(kept) > 1 else {},
        time_name=str(report.labels.time_column),
    )
    return [gallery, *_table(report)]


def _chart(report: AnomalyReport, number: int) -> Chart:
    """Return the picture of a series."""
    values, found, odd = report.series[number], report.judged[number], report.flags[number]
    bounds = np.stack([found.lower, found.median, found.upper], axis=1)
    chance, count = report.settings.chance / 2, int(odd.sum())
    row = report.labels.ids.iloc[number]
    names = row if len(row) == 1 or report.labels.ids.iloc[:, -1].nunique() > 1 else row[:-1]
    return Chart(
        " · ".join(map(str, names)),
        report.labels.times_of(number)[: len(values)],
        values,
        [Fan(0, (chance, 0.5, 1 - chance), bounds)],
        odd=odd,
        about=f"{count:,} {'anomaly' if count == 1 else 'anomalies'} at level {report.level:g}",
    )


def _table(report: AnomalyReport) -> list[ScoreTable]:
    """Return the table of the oddest steps, if there are some."""
    found = report.anomalies
    if not len(found):
        return []
    shown = found.head(_MOST_ROWS)
    text = f"The {len(shown)} oddest of {len(found):,}." if len(shown) < len(found) else ""
    place = len(report.labels.ids.columns)
    shown = shown.astype({shown.columns[place]: str})
    return [ScoreTable("The oddest steps", shown, names=place + 1, text=text)]
