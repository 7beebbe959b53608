"""Names, ids and times of series, for tables and sentences about them."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from timer_forecaster.frames.calendar.local import like
from timer_forecaster.frames.files.report import time_text
from timer_forecaster.frames.long import TARGET
from timer_forecaster.frames.panel import Panel


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
    axes : list of pandas.Index
        Distinct times, one for each step.
    axis : list of int
        Number of each series' axis.
    """

    ids: pd.DataFrame
    names: list[str]
    time_column: Hashable
    axes: list[pd.Index]
    axis: list[int]

    @classmethod
    def of_panel(cls, panel: Panel) -> Labels:
        """Return the labels of the series of a panel with grids."""
        n_variables = len(panel.columns)
        *outer, time_column = panel.names
        columns: dict[Hashable, Any] = {}
        if panel.instances is not None:
            ids = pd.Series(panel.instances).repeat(n_variables)
            columns[outer[0]] = ids.reset_index(drop=True)
        targets = np.empty(n_variables * len(panel.keys), dtype=object)
        targets[:] = list(panel.columns) * len(panel.keys)
        columns[TARGET] = targets
        names = [panel.series_name(number) for number in range(len(targets))]
        if panel.instances is not None and n_variables == 1:
            names = [f"{outer[0]} {key!r}" for key in panel.keys]
        axes = [like(grid.times, panel.stamps) for grid in panel.grids]
        axis = [number for number in panel.axis for _ in panel.columns]
        return cls(pd.DataFrame(columns), names, time_column, axes, axis)

    @classmethod
    def of_numbers(
        cls, keys: Sequence[Hashable], lengths: Sequence[int], time_column: Hashable = "time"
    ) -> Labels:
        """Return the labels of series without times, whose steps are numbers from 0 on."""
        ids = np.empty(len(keys), dtype=object)
        ids[:] = list(keys)
        numbered = list(keys) == list(range(len(keys)))
        series = pd.Series(range(len(keys))) if numbered else pd.Series(ids)
        names = [f"series[{key!r}]" for key in keys]
        axes: list[pd.Index] = [pd.RangeIndex(max(lengths, default=0))]
        return cls(pd.DataFrame({"series": series}), names, time_column, axes, [0] * len(keys))

    def times_of(self, number: int) -> pd.Index:
        """Return the times of a series, and perhaps later ones."""
        return self.axes[self.axis[number]]

    def at(self, numbers: NDArray[np.intp], steps: NDArray[np.intp]) -> pd.Index:
        """Return the times of steps of series."""
        every, starts = self._joined
        places = starts[np.asarray(self.axis, dtype=np.intp)[numbers]] + steps
        return every.take(places)

    @cached_property
    def _joined(self) -> tuple[pd.Index, NDArray[np.intp]]:
        """All axes in one, and the place of the start of each."""
        first, *others = self.axes
        sizes = [len(axis) for axis in self.axes]
        return first.append(others), np.cumsum([0, *sizes[:-1]]).astype(np.intp)

    def window_name(self, number: int, origin: int) -> str:
        """Return the name of a window, for errors."""
        cutoff = time_text(cast(Any, self.times_of(number)[origin - 1]))
        return f"{self.names[number]}, window after {cutoff}"
