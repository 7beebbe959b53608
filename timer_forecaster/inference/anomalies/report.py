"""The result of a search for anomalies."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from timer_forecaster.arrays import FloatArray
from timer_forecaster.checks import check_integer
from timer_forecaster.frames.kept import kept_frame
from timer_forecaster.frames.labels import Labels
from timer_forecaster.inference.anomalies.columns import (
    ANOMALY,
    LOWER,
    MEDIAN,
    OBSERVED,
    P_VALUE,
    REASON,
    SCORE,
    UPPER,
)
from timer_forecaster.inference.anomalies.judged import JUDGED, REASONS, Judged
from timer_forecaster.inference.anomalies.settings import AnomalySettings

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SHOWN = 10


@dataclass(frozen=True, eq=False, repr=False)
class AnomalyReport:
    """Which steps of series were odd, how odd, and what was expected of them.

    `ForecastPipeline.detect_anomalies` and `ForecastPipeline.detect_anomalies_frame` return it. The
    arrays of a series have an item for each of its steps, NaN or False where a step was not judged.

    Parameters
    ----------
    series : list of ndarray, each of shape (steps,)
        The values, NaN where missing.
    labels : Labels
        Names, ids and times of the series.
    settings : AnomalySettings
    judged : sequence of Judged
        What was found of each series.
    failures : mapping of int to str
        Reasons of series that could not be read, by their numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from timer_forecaster import ForecastPipeline
    >>> pipe = ForecastPipeline.from_pretrained("timer-s1-small")
    >>> y = np.sin(np.arange(120) / 4) + np.random.default_rng(0).normal(size=120) / 10
    >>> y[100] += 2
    >>> report = pipe.detect_anomalies(y, level=0.999)
    >>> np.flatnonzero(report.flags[0]).tolist()
    [100]
    >>> report.anomalies.columns.tolist()[:3]
    ['series', 'step', 'y']
    """

    series: list[FloatArray]
    labels: Labels
    settings: AnomalySettings
    judged: Sequence[Judged]
    failures: Mapping[int, str] = field(default_factory=dict)

    @property
    def n_series(self) -> int:
        """Number of series."""
        return len(self.series)

    @property
    def level(self) -> float:
        """Level that was asked for: the share of steps that are no anomalies."""
        return self.settings.level

    @cached_property
    def flags(self) -> list[NDArray[np.bool_]]:
        """Whether each step is an anomaly: its p-value is at most 1 - level."""
        bound = math.log(self.settings.chance)
        return [one.log_p <= bound for one in self.judged]

    @cached_property
    def p_values(self) -> list[FloatArray]:
        """Calibrated chance of a value that is at least as far out, on either side."""
        return [np.exp(one.log_p) for one in self.judged]

    @cached_property
    def scores(self) -> list[FloatArray]:
        """Minus the decimal logarithm of the p-value; negative below the median.

        A score of 2 is one step in a hundred, and -3 one in a thousand that lies below.
        """
        signs = (np.where(one.above, 1.0, -1.0) for one in self.judged)
        return [
            sign * -one.log_p / math.log(10) + 0.0
            for sign, one in zip(signs, self.judged, strict=True)
        ]

    @property
    def medians(self) -> list[FloatArray]:
        """Forecast medians: the expected values."""
        return [one.median for one in self.judged]

    @property
    def intervals(self) -> list[tuple[FloatArray, FloatArray]]:
        """Bounds beyond which a value is an anomaly; infinite where no value would be."""
        return [(one.lower, one.upper) for one in self.judged]

    @property
    @kept_frame
    def summary(self) -> pd.DataFrame:
        """A row for each series: its steps, how many were judged, and why the others were not.

        ``share`` is the share of anomalies among the steps that were judged.
        """
        table = self.labels.ids.copy()
        counts = [np.bincount(one.reason, minlength=len(REASONS)) for one in self.judged]
        numbers = np.array(counts).reshape(-1, len(REASONS))
        table["steps"] = [len(values) for values in self.series]
        table["judged"] = numbers[:, JUDGED]
        table["anomalies"] = [int(flags.sum()) for flags in self.flags]
        table["share"] = table["anomalies"] / table["judged"].where(table["judged"] > 0)
        for code, reason in enumerate(REASONS):
            if code != JUDGED:
                table[reason] = numbers[:, code]
        return table

    @property
    @kept_frame
    def anomalies(self) -> pd.DataFrame:
        """The rows of `to_frame` that are anomalies, the oddest first."""
        frame = self._frame([np.flatnonzero(flags) for flags in self.flags])
        order = np.argsort(-frame[SCORE].abs().to_numpy(), kind="stable")
        return frame.iloc[order].drop(columns=[ANOMALY, REASON]).reset_index(drop=True)

    def to_frame(self) -> pd.DataFrame:
        """Lay the report out as a long frame, a row for each step of each series.

        Returns
        -------
        pandas.DataFrame
            Columns: the ids, the time or ``step``, ``y`` (the value), ``median``, ``lower`` and
            ``upper`` (what was expected), ``p_value``, ``score``, ``anomaly``, and ``reason``: why
            a step was not judged, else an empty text.

        Examples
        --------
        >>> import numpy as np
        >>> from timer_forecaster import ForecastPipeline
        >>> pipe = ForecastPipeline.from_pretrained("timer-s1-small")
        >>> report = pipe.detect_anomalies(np.sin(np.arange(90) / 4))
        >>> len(report.to_frame())
        90
        """
        return self._frame([np.arange(len(values)) for values in self.series])

    def _frame(self, steps: Sequence[NDArray[np.intp]]) -> pd.DataFrame:
        """Return the rows of some steps of each series."""
        counts = [len(own) for own in steps]
        columns: dict[Any, Any] = {
            name: values.repeat(counts).reset_index(drop=True)
            for name, values in self.labels.ids.items()
        }
        first, *others = (
            self.labels.times_of(number).take(own) for number, own in enumerate(steps)
        )
        columns[self.labels.time_column] = first.append(others)
        parts: dict[str, Sequence[Any]] = {
            OBSERVED: self.series,
            MEDIAN: self.medians,
            LOWER: [one.lower for one in self.judged],
            UPPER: [one.upper for one in self.judged],
            P_VALUE: self.p_values,
            SCORE: self.scores,
            ANOMALY: self.flags,
        }
        for name, arrays in parts.items():
            own = [array[at] for array, at in zip(arrays, steps, strict=True)]
            columns[name] = np.concatenate(own)
        codes = [one.reason[at] for one, at in zip(self.judged, steps, strict=True)]
        columns[REASON] = np.array(REASONS, dtype=object)[np.concatenate(codes)]
        return pd.DataFrame(columns)

    def plot(self, series: int = 0, ax: Any = None) -> Any:
        """Draw one series with what was expected of it, and mark its anomalies; needs matplotlib.

        Parameters
        ----------
        series : int
            Number of the series to draw.
        ax : matplotlib axes, optional
            Axes to draw in. Default: new axes.

        Returns
        -------
        matplotlib axes

        Examples
        --------
        >>> import numpy as np
        >>> from timer_forecaster import ForecastPipeline
        >>> pipe = ForecastPipeline.from_pretrained("timer-s1-small")
        >>> axes = pipe.detect_anomalies(np.sin(np.arange(90) / 4)).plot()
        """
        from timer_forecaster.inference.anomalies.pictures import plot_series

        return plot_series(self, series, ax)

    def plot_all(self, max_panels: int = 12) -> Figure:
        """Draw a panel for each series, the ones with the oddest steps first; needs matplotlib.

        Parameters
        ----------
        max_panels : int
            Largest number of series to draw. If there are more, the title gives their number.

        Returns
        -------
        matplotlib Figure
            Made without pyplot: it needs no display and need not be closed.

        Examples
        --------
        >>> import numpy as np
        >>> from timer_forecaster import ForecastPipeline
        >>> pipe = ForecastPipeline.from_pretrained("timer-s1-small")
        >>> y = np.sin(np.arange(90) / 4)
        >>> pipe.detect_anomalies([y, y[::-1]]).plot_all().savefig("anomalies.png")
        """
        from timer_forecaster.inference.anomalies.pictures import plot_report

        return plot_report(self, check_integer("max_panels", max_panels))

    def report_parts(self) -> list[Any]:
        """Return the pictures and the table of the oddest steps as parts of a report.

        `timer_forecaster.report.write_report` writes them, beside parts of other results.

        Returns
        -------
        list of parts

        Examples
        --------
        >>> import numpy as np
        >>> from timer_forecaster import ForecastPipeline
        >>> from timer_forecaster.report import Words, write_report
        >>> pipe = ForecastPipeline.from_pretrained("timer-s1-small")
        >>> report = pipe.detect_anomalies(np.sin(np.arange(90) / 4))
        >>> why = Words("Why", ["A meter that fails is replaced within a day."])
        >>> write_report("anomalies.html", [why, *report.report_parts()])
        """
        from timer_forecaster.inference.anomalies.page import parts_of_report

        return parts_of_report(self)

    def report(self, path: str | Path, *, title: str = "Unusual steps", **more: Any) -> None:
        """Write a report that a person can send: one HTML file with pictures and a table.

        Parameters
        ----------
        path : str or Path
            A name that ends in ``.html``.
        title : str
            Title of the page.
        **more
            ``reading``, ``settings`` and ``notes``, as in
            `timer_forecaster.report.write_report`.

        Raises
        ------
        ValueError
            If the file cannot be written, or its name has another ending.

        Examples
        --------
        >>> import numpy as np
        >>> from timer_forecaster import ForecastPipeline
        >>> pipe = ForecastPipeline.from_pretrained("timer-s1-small")
        >>> pipe.detect_anomalies(np.sin(np.arange(90) / 4)).report("anomalies.html")
        """
        from timer_forecaster.report import write_report

        write_report(path, self.report_parts(), title=title, summary=self.sentence, **more)

    def __str__(self) -> str:
        """Return the oddest steps, and a sentence."""
        shown = self.anomalies.head(_SHOWN)
        parts = [self.sentence]
        if len(shown):
            parts.insert(0, shown.to_string(index=False, float_format="{:.4g}".format))
        if len(self.anomalies) > len(shown):
            parts.insert(1, f"... and {len(self.anomalies) - len(shown)} more")
        return "\n".join(parts)

    def __repr__(self) -> str:
        """Return the numbers of series and of anomalies."""
        return f"<AnomalyReport of {self.n_series} series, {len(self.anomalies)} anomalies>"

    @property
    def sentence(self) -> str:
        """How many steps are anomalies, and how many were not judged, with the reasons."""
        table = self.summary
        judged, found = int(table["judged"].sum()), int(table["anomalies"].sum())
        share = f" ({found / judged:.2%})" if judged else ""
        text = f"{found:,} of {judged:,} steps are anomalies at level {self.level:g}{share}"
        left = {reason: int(table[reason].sum()) for reason in REASONS[1:]}
        reasons = [f"{count:,} {reason}" for reason, count in left.items() if count]
        return f"{text}; not judged: {', '.join(reasons)}" if reasons else text
