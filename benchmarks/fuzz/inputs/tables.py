"""Long and wide frames whose series, times and ids are known."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.fuzz.draw import Draw
from benchmarks.fuzz.inputs.times import Clock, some_clock, typed
from benchmarks.fuzz.inputs.values import Floats, plain_series, some_series

IDS: tuple[list[Any], ...] = (
    ["a", "b", "c"], ["007", "7", "7.0"], ["NA", "nan", "None"], [3, 1, 2], [10**18, -1, 0],
    ["ä ö", "x,y", "line\nbreak"], [1.5, 2.5, -0.5], ["A", "a", " a"], [True, False, 2],
    [pd.Timestamp("2024-01-01"), pd.Timestamp("2025-01-01"), pd.Timestamp("2023-01-01")],
)  # fmt: skip
TARGETS: tuple[list[Hashable], ...] = (
    ["y"], ["load", "price"], ["y", "x", "z"], ["mean", "target_"], ["a b", "ü"], [0, 1],
)  # fmt: skip


@dataclass
class Truth:
    """A frame, and all that is known of it.

    Parameters
    ----------
    frame : pandas.DataFrame
    time, id_column : hashable
        Names of the columns; no id for a single series.
    targets : list of hashable
    ids : list
        In the order in which they come first in the frame.
    clocks : dict of id to Clock
    values : dict of (id, target) to ndarray
        Values on the whole grid, NaN where a row or a value is absent.
    """

    frame: pd.DataFrame
    time: Hashable
    id_column: Hashable | None
    targets: list[Hashable]
    ids: list[Any]
    clocks: dict[Any, Clock]
    values: dict[tuple[Any, Hashable], Floats] = field(default_factory=dict)

    def series(self) -> list[Floats]:
        """Return the series in the order of the forecast."""
        return [self.values[key, target] for key in self.ids for target in self.targets]

    @property
    def label(self) -> str:
        """The kind of times."""
        return next(iter(self.clocks.values())).label

    @property
    def freq(self) -> str | int | None:
        """What a user passes as ``freq``."""
        return next(iter(self.clocks.values())).freq

    def arguments(self) -> dict[str, Any]:
        """Return the arguments that name the columns."""
        return {
            "time_column": self.time,
            "id_column": self.id_column,
            "target_columns": self.targets,
        }


def some_table(
    draw: Draw,
    horizon: int,
    *,
    kind: str | None = None,
    plain: bool = False,
    gaps: bool = True,
    types: bool = True,
) -> Truth:
    """Return a table of usable series.

    Parameters
    ----------
    draw : Draw
    horizon : int
    kind : str, optional
        Kind of the times; see `benchmarks.fuzz.inputs.times.some_clock`.
    plain : bool
        Whether values have few digits, and names are texts, as in files.
    gaps : bool
        Whether rows may be absent.
    types : bool
        Whether the times may be of another type than pandas' own.
    """
    targets = draw.pick(TARGETS[:4] if plain else TARGETS)
    several = draw.chance(0.4)
    ids = draw.pick(IDS[:3] if plain else IDS)[: draw.integer(2, 3)] if several else [None]
    time: Hashable = draw.pick(["time", "date", "ds"] if plain else ["time", "date", "ds", 7])
    n, clocks, values, parts = draw.integer(14, 60), {}, {}, []
    clock = some_clock(draw, n, horizon, kind)
    for key in ids:
        own = _shifted(draw, clock, horizon) if several else clock
        clocks[key] = own
        absent = gaps and own.freq is not None and draw.chance(0.3)
        kept = _kept(draw, len(own.history)) if absent else None
        part: dict[Hashable, Any] = {"__time": own.history}
        for target in targets:
            make = plain_series if plain else some_series
            series = _untrimmed(make(draw, len(own.history), False), draw)
            values[key, target] = series if kept is None else np.where(kept, series, np.nan)
            part[target] = series
        rows = pd.DataFrame(part).assign(__id=[key] * len(own.history))
        parts.append(rows if kept is None else rows[kept])
    truth = Truth(
        pd.concat(parts), time, "id" if several else None, list(targets), ids, clocks, values
    )
    return _laid_out(draw, truth, types and not plain)


def _shifted(draw: Draw, clock: Clock, horizon: int) -> Clock:
    """Return the clock of another series, which ends at another time."""
    cut = draw.pick([0, 0, 1, 3])
    times = clock.history.append(clock.future)
    n = len(clock.history) - cut
    return Clock(clock.label, times[:n], times[n : n + horizon], clock.freq)


def _kept(draw: Draw, n: int) -> np.ndarray:
    """Return which rows stay: all at both ends, and most of the others."""
    kept = draw.rng.random(n) > 0.12
    kept[:4] = kept[-4:] = True
    return kept


def _untrimmed(values: Floats, draw: Draw) -> Floats:
    """Return values with some missing ones, of which none is the newest."""
    values = values.copy()
    if draw.chance(0.3):
        values[:-1][draw.rng.random(len(values) - 1) < 0.15] = np.nan
    return values


def _laid_out(draw: Draw, truth: Truth, types: bool) -> Truth:
    """Shuffle the rows, name the columns, and give the times another type."""
    frame = truth.frame.reset_index(drop=True)
    shuffled = draw.chance(0.3)
    if shuffled:
        frame = frame.iloc[draw.order(len(frame))].reset_index(drop=True)
    if truth.id_column is not None:
        truth.ids = list(dict.fromkeys(frame["__id"]))
        frame = frame.rename(columns={"__id": truth.id_column})
    else:
        frame = frame.drop(columns="__id")
    kind = "stamps"
    if types and draw.chance(0.5):
        index = pd.Index(frame["__time"])
        kind, frame["__time"] = typed(draw, index)
    frame = frame.rename(columns={"__time": truth.time})
    truth.frame = frame[[frame.columns[i] for i in draw.order(len(frame.columns))]]
    draw.note(times=truth.label, type=kind, rows=len(frame), ids=truth.ids, targets=truth.targets)
    draw.note(shuffled=shuffled)
    return truth
