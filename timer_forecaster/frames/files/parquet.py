"""The columns of a Parquet file."""

from __future__ import annotations

import io
from collections.abc import Hashable, Iterable, Iterator
from itertools import chain, count
from typing import Any

import pandas as pd

from timer_forecaster.extras import missing_extra
from timer_forecaster.frames.columns import without_levels
from timer_forecaster.frames.files.sources import Source
from timer_forecaster.frames.files.time_column import holds_dates
from timer_forecaster.frames.table import Table


def read_parquet(source: Source) -> Table:
    """Read all columns of a Parquet file, and the index that pandas wrote.

    Levels of the index that have a name are columns. So are dates without a name that no column
    has; they are called "time", or "index" if there is a column of that name.

    Raises
    ------
    ValueError
        If the file is damaged.
    ImportError
        If pyarrow is not installed.
    """
    try:
        import pyarrow
    except ImportError as error:
        raise ImportError(missing_extra("Parquet files need pyarrow", "parquet")) from error
    file: Any = io.BytesIO(source.data) if source.path is None else source.path
    try:
        frame = pd.read_parquet(file, engine="pyarrow")
    except (pyarrow.ArrowException, OSError) as error:
        raise ValueError(f"the Parquet file is damaged: {error}") from error
    frame.index.names = _names_of_levels(frame)
    levels = [name for name in frame.index.names if name not in frame.columns]
    frame = without_levels(frame, levels)
    frame = frame.reset_index(drop=True)
    frame.columns = pd.Index([str(name) for name in frame.columns])
    return Table(frame, "Parquet", {})


def _names_of_levels(frame: pd.DataFrame) -> list[Hashable]:
    """Return the names of the levels of an index; dates that no column has get a free name."""
    free = free_names([*frame.columns, *frame.index.names])
    levels = [frame.index.get_level_values(place) for place in range(frame.index.nlevels)]
    return [
        next(free) if level.name is None and is_new(level, frame) else level.name
        for level in levels
    ]


def free_names(taken: Iterable[Hashable]) -> Iterator[str]:
    """Yield names for levels of an index without a name, except those that are taken."""
    held = {str(name) for name in taken}
    names = chain(("time", "index"), (f"index_{number}" for number in count(1)))
    return (name for name in names if name not in held)


def is_new(level: pd.Index, frame: pd.DataFrame) -> bool:
    """Whether a level of an index holds dates that no column of a frame has."""
    columns = (pd.Index(frame.iloc[:, number]) for number in range(frame.shape[1]))
    return holds_dates(pd.Series(level)) and not any(map(level.equals, columns))
