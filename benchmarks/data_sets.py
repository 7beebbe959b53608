"""Names of the data sets of a folder."""

from __future__ import annotations

from pathlib import Path

from timer_forecaster.corpus.held_out import HELD_OUT


def not_held_out(folder: Path) -> list[str]:
    """Return the data sets to learn tables from: all files of a folder but the held-out ones."""
    return sorted(path.stem for path in folder.glob("*.parquet") if path.stem not in HELD_OUT)
