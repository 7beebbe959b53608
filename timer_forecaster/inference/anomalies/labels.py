"""Names, ids and times of the series of a report."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from timer_forecaster.frames.calendar.local import like
from timer_forecaster.frames.long import TARGET
from timer_forecaster.frames.panel import Panel

SERIES, STEP = "series", "step"
OBSERVED, MEDIAN, LOWER, UPPER = "y", "median", "lower", "upper"
P_VALUE, SCORE, ANOMALY, REASON = "p_value", "score", "anomaly", "reason"
COLUMNS = (OBSERVED, MEDIAN, LOWER, UPPER, P_VALUE, SCORE, ANOMALY, REASON)
"""Columns of a report beside ids, targets and times."""


@dataclass(frozen=True, eq=False)
class Labels:
    """Names, ids and times of series.

    Parameters
    ----------
    ids : pandas.DataFrame
        The columns that tell series apart, a row for each.
    names : list of str
        Of the series, for sentences.
    time_column : hashable
    times : list of pandas.Index
        Of the steps of each series, and perhaps of later ones.
    """

    ids: pd.DataFrame
    names: list[str]
    time_column: Hashable
    times: list[pd.Index]

    @classmethod
    def of_panel(cls, panel: Panel) -> Labels:
        """Return the labels of the series of a panel with grids.

        Raises
        ------
        ValueError
            If a column has the name of a column of a report.
        """
        n_variables = len(panel.columns)
        *outer, time_column = panel.names
        for name in (*outer, time_column):
            if name in (TARGET, *COLUMNS):
                raise ValueError(
                    f"column {name!r}: the report of anomalies has a column of that name; rename "
                    "yours"
                )
        columns: dict[Hashable, Any] = {}
        if panel.instances is not None:
            ids = pd.Series(panel.instances).repeat(n_variables)
            columns[outer[0]] = ids.reset_index(drop=True)
        targets = np.empty(n_variables * len(panel.keys), dtype=object)
        targets[:] = list(panel.columns) * len(panel.keys)
        columns[TARGET] = targets
        names = [panel.series_name(number) for number in range(len(targets))]
        axes = [like(grid.times, panel.stamps) for grid in panel.grids]
        times = [axes[number] for number in panel.axis for _ in panel.columns]
        return cls(pd.DataFrame(columns), names, time_column, times)

    @classmethod
    def of_keys(cls, keys: Sequence[Hashable], lengths: Sequence[int]) -> Labels:
        """Return the labels of series without times, whose steps are numbers from 0 on."""
        numbered = list(keys) == list(range(len(keys)))
        ids = np.empty(len(keys), dtype=object)
        ids[:] = list(keys)
        series = pd.Series(range(len(keys))) if numbered else pd.Series(ids)
        times: list[pd.Index] = [pd.RangeIndex(length) for length in lengths]
        names = [f"series[{key!r}]" for key in keys]
        return cls(pd.DataFrame({SERIES: series}), names, STEP, times)
