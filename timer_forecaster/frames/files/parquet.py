"""The columns of a Parquet file."""

from __future__ import annotations

import io
from typing import Any

import pandas as pd

from timer_forecaster.extras import missing_extra
from timer_forecaster.frames.columns import without_levels
from timer_forecaster.frames.files.sources import Source
from timer_forecaster.frames.table import Table


def read_parquet(source: Source) -> Table:
    """Read all columns of a Parquet file; named levels of an index that pandas wrote are columns.

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
    levels = [name for name in frame.index.names if name not in frame.columns]
    frame = without_levels(frame, levels)
    frame = frame.reset_index(drop=True)
    frame.columns = pd.Index([str(name) for name in frame.columns])
    return Table(frame, "Parquet", {})
