"""Columns beside the targets of a frame, and a frame of their future, as a table for each series.

Rows are found by their ids and times, never by their places. A table of known columns reaches over
the history of its series and over the horizon, which begins after the last target.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.tseries.offsets import BaseOffset

from timer_forecaster.arrays import FloatArray
from timer_forecaster.failures import Failures
from timer_forecaster.frames.calendar.periods import periods_of
from timer_forecaster.frames.columns import read_ids, with_columns
from timer_forecaster.frames.covariates.horizon import Horizon
from timer_forecaster.frames.covariates.roles import (
    FUTURE,
    Names,
    Roles,
    categories_of,
    refuse_other_values,
    roles_of,
)
from timer_forecaster.frames.covariates.values import Values, values_of
from timer_forecaster.frames.panel import Panel
from timer_forecaster.frames.stamps import parse_times
from timer_forecaster.frames.stamps.alike import parse_alike


@dataclass(frozen=True, eq=False)
class CovariateFrame:
    """A frame with columns beside its targets.

    Parameters
    ----------
    frame : pandas.DataFrame
    future : pandas.DataFrame or None
        Rows of the horizon, with the times in the kind and zone of the frame's.
    time_column, id_column : hashable
    roles : Roles
        The columns beside the targets.
    freq : str, int or pandas offset, optional
        Step of the times, which may decide how they are read.
    categories : list of hashable
        Covariates of numbers that are categories.
    """

    frame: pd.DataFrame
    future: pd.DataFrame | None
    time_column: Hashable
    id_column: Hashable | None
    roles: Roles
    freq: str | int | BaseOffset | None = None
    categories: list[Hashable] = field(default_factory=list)

    @classmethod
    def of(
        cls,
        frame: Any,
        future: Any,
        known: Names,
        past: Names,
        time_column: Hashable,
        id_column: Hashable | None = None,
        target_columns: Names = None,
        freq: str | int | BaseOffset | None = None,
        categories: Names = None,
    ) -> CovariateFrame:
        """Read the times of a frame and of its future, and the roles of their columns.

        Parameters and errors are those of `ForecastPipeline.predict_frame`. Without covariates the
        frame stays as it is.
        """
        if future is None and known is None and past is None:
            categories_of(categories, Roles([], []))
            return cls(frame, None, time_column, id_column, Roles([], []), freq)
        frame = with_columns(frame, time_column, id_column)
        if future is not None:
            future = _with_columns(future, time_column, id_column).reset_index(drop=True)
        reserved = [name for name in (time_column, id_column) if name is not None]
        columns = None if future is None else list(future.columns)
        roles = roles_of(
            list(frame.columns),
            columns,
            known=known,
            past=past,
            targets=target_columns,
            reserved=reserved,
        )
        if future is not None:
            if known is None:
                refuse_other_values(future, roles, reserved)
            future = _with_times(future, frame, time_column, freq)
        coded = categories_of(categories, roles)
        return cls(frame, future, time_column, id_column, roles, freq, coded)

    @property
    def targets(self) -> pd.DataFrame:
        """The frame without its covariates."""
        return self.frame.drop(columns=self.roles.all) if self.roles.all else self.frame

    def tables(self, panel: Panel, horizon: int, failures: Failures) -> dict[str, Any]:
        """Return the covariates of each series as arguments of `ForecastPipeline.predict`, if any.

        Parameters
        ----------
        panel : Panel
            Of `targets`.
        horizon : int
        failures : Failures
            Notes series whose known columns lack rows or values in the horizon.

        Raises
        ------
        ValueError, TypeError
            If a column cannot be used. The error names it.
        """
        if not self.roles.all:
            return {}
        instance = self._instances(panel)
        known = self._values("known column", self.roles.known, panel)
        past = self._values("past column", self.roles.past, panel)
        ahead: FloatArray | None = None
        if known:
            found = Horizon.of(panel, horizon, self._times(), instance, failures)
            ahead = found.values(known, panel, failures)
        return self._arguments(panel, known, past, ahead, failures)

    def history(self, panel: Panel, failures: Failures) -> dict[str, Any]:
        """Return the covariates of each series up to its last target, if there are any.

        Parameters, errors and result are those of `tables`, without rows of the horizon.
        """
        if not self.roles.all:
            return {}
        known = self._values("known column", self.roles.known, panel)
        past = self._values("past column", self.roles.past, panel)
        return self._arguments(panel, known, past, None, failures)

    def _arguments(
        self,
        panel: Panel,
        known: Values,
        past: Values,
        ahead: FloatArray | None,
        failures: Failures,
    ) -> dict[str, Any]:
        """Lay columns on the grids of their series; `ahead` continues the known ones."""
        tables: dict[str, list[dict[Hashable, Any] | None]] = {"known": [], "past": []}
        for number, (place, stop) in enumerate(_series(panel)):
            if number in failures.reasons:
                tables["known"].append(None)
                tables["past"].append(None)
                continue
            grid, rows = panel.grids[panel.axis[place]], panel.rows[place]
            own = None if ahead is None else ahead[:, number]
            tables["known"].append(_table(known, grid.lay(known.history(rows))[:, :stop], own))
            tables["past"].append(_table(past, grid.lay(past.history(rows))[:, :stop], None))
        steps = [panel.grids[panel.axis[place]].step for place, _ in _series(panel)]
        return {
            "known": tables["known"] if known else None,
            "past": tables["past"] if past else None,
            "cycles": [periods_of(step) for step in steps],
        }

    def _instances(self, panel: Panel) -> tuple[NDArray[np.intp], NDArray[np.intp] | None]:
        """Return the number of the instance of each row of the frame and of the future, or -1."""
        own = np.empty(len(self.frame), np.intp)
        for number, rows in enumerate(panel.rows):
            own[rows] = number
        if self.future is None:
            return own, None
        if self.id_column is None:
            return own, np.zeros(len(self.future), np.intp)
        try:
            codes, ids = read_ids(self.future[self.id_column], self.id_column)
        except ValueError as error:
            raise ValueError(f"{FUTURE}: {error}") from None
        place = {key: number for number, key in enumerate(panel.keys)}
        found = np.array([place.get(key, -1) for key in ids.tolist()], dtype=np.intp)
        if not (found >= 0).any():
            raise ValueError(
                f"{FUTURE}: no id of it, such as {ids.tolist()[0]!r}, is an id of the history, "
                f"such as {panel.keys[0]!r}; write the ids in both alike"
            )
        return own, found[codes]

    def _times(self) -> tuple[pd.Index, pd.Index | None]:
        """Return the times of the rows of the frame and of the future."""
        own = pd.Index(parse_times(self.frame[self.time_column], self.time_column, freq=self.freq))
        return own, None if self.future is None else pd.Index(self.future[self.time_column])

    def _values(
        self,
        role: str,
        names: Sequence[Hashable],
        panel: Panel,
    ) -> Values:
        """Return the values of columns; refuse those that never change in time."""
        future = self.future if role.startswith("known") else None
        values = values_of(self.frame, future, names, role, self.categories)
        if panel.instances is not None:
            _refuse_static(values, panel, role)
        return values


def _with_columns(future: Any, time_column: Hashable, id_column: Hashable | None) -> pd.DataFrame:
    """Return the frame of the future with the time and the id among its columns."""
    try:
        return with_columns(future, time_column, id_column)
    except (TypeError, ValueError) as error:
        text = str(error)
        if "there are no rows" in text:
            text = "there are no rows; it needs those of the horizon"
        text = text.removeprefix("frame: ").removeprefix("frame ")
        raise type(error)(f"{FUTURE}: {text}") from error


def _with_times(
    future: pd.DataFrame,
    frame: pd.DataFrame,
    time_column: Hashable,
    freq: str | int | BaseOffset | None,
) -> pd.DataFrame:
    """Return the frame of the future with times as the frame's are read."""

    def parse(columns: pd.DataFrame) -> pd.Series:
        return parse_times(columns["time"], time_column, freq=freq)

    later, times = (
        one[time_column].reset_index(drop=True).to_frame("time") for one in (future, frame)
    )
    found = parse_alike(later, times, parse(times), parse, FUTURE)
    future = future.copy(deep=False)
    future[time_column] = found
    return future


def _refuse_static(values: Values, panel: Panel, role: str) -> None:
    """Refuse columns that differ between ids and never change in the history of any.

    The future does not decide: the forecast of an id depends neither on the future of other ids nor
    on rows beyond the horizon.
    """
    parts = [rows[: int(last.max()) + 1] for rows, last in zip(panel.rows, panel.last, strict=True)]
    history, codes = np.concatenate(parts), np.repeat(np.arange(len(parts)), list(map(len, parts)))
    for place, name in enumerate(values.names):
        column = values.frame[place][history]
        by_id = pd.Series(column).groupby(codes).agg(["min", "max"]).dropna()
        advice = "leave it out of past_columns"
        if role.startswith("known"):
            advice = "drop it, or name the other columns in known_columns"
        if (by_id["min"] == by_id["max"]).all() and by_id["min"].nunique() > 1:
            raise ValueError(
                f"{role} {name!r} is static: it differs between ids, and never changes in the "
                "history of any. A series learns nothing from such a column, since nothing is "
                f"learned across series; {advice}"
            )


def _series(panel: Panel) -> list[tuple[int, int]]:
    """Return the number of the instance of each series, and the number of its steps."""
    return [
        (place, int(panel.grids[number].places[last]) + 1)
        for place, (number, lasts) in enumerate(zip(panel.axis, panel.last, strict=True))
        for last in lasts
    ]


def _table(values: Values, history: FloatArray, ahead: FloatArray | None) -> dict[Hashable, Any]:
    """Return the columns of one series by their names."""
    parts = history if ahead is None else np.concatenate([history, ahead], axis=1)
    return {name: values.decoded(place, parts[place]) for place, name in enumerate(values.names)}
