"""Results on disk: each is written as it comes, so a stopped run can resume."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from timer_forecaster.broken import remedy
from timer_forecaster.evaluation.leaderboard import COLUMNS
from timer_forecaster.files import check_writable, whole_file

_FURTHER = ("coverage", "horizon", "windows", "series", "seconds")


class Results:
    """Rows by configuration and model, in memory and, given an output, on disk.

    Parameters
    ----------
    output : Path or None
        The CSV file of the leaderboard. Beside it, ``*.details.csv`` holds the same rows with
        further columns, among them the settings of each row. A stopped run resumes from it.

    Raises
    ------
    ValueError
        If the output cannot be written, or exists without its file of details.
    """

    def __init__(self, output: Path | None) -> None:
        self._output = output
        self._rows: dict[tuple[str, str], dict[str, Any]] = {}
        if output is None:
            return
        details = self._details(output)
        for path in (output, details):
            check_writable(path)
        if details.exists():
            for row in _read(details):
                self._rows[row["dataset"], row["model"]] = row
            self._write_leaderboard()  # a run that was killed may have written the details alone
        elif output.exists():
            raise ValueError(
                f"{output} exists, but not {details.name}, which would say what its results were "
                "made with; use another output or remove it"
            )

    def holds(self, dataset: str, model: str, settings: dict[str, Any]) -> bool:
        """Return whether there is a row with these settings.

        Raises
        ------
        ValueError
            If there is a row with other settings, or its settings are unknown.
        """
        row = self._rows.get((dataset, model))
        if row is None:
            return False
        known = json.loads(row["settings"])
        differing = [key for key in settings if known.get(key) != settings[key]]
        if differing or settings["forecaster"] is None:
            reason = (
                "; ".join(f"{key} was {known.get(key)}, is {settings[key]}" for key in differing)
                or "it has no attribute 'settings' by which to know it again"
            )
            raise ValueError(
                f"{self._output} holds a result of {model!r} on {dataset} that may not be of this "
                f"forecaster: {reason}. Give it another name, use another output, or remove this "
                f"one and its details"
            )
        return True

    def add(self, row: dict[str, Any], settings: dict[str, Any]) -> None:
        """Add a row, and replace both files, each as a whole."""
        key = (row["dataset"], row["model"])
        self._rows[key] = row | {"settings": json.dumps(settings, sort_keys=True)}
        if self._output is not None:
            table = pd.DataFrame(list(self._rows.values()))
            _write(table[[*COLUMNS, *_FURTHER, "settings"]], self._details(self._output))
            self._write_leaderboard()

    def _write_leaderboard(self) -> None:
        """Write the output from the rows, unless it holds them already."""
        if self._output is None or not self._rows:
            return
        text = pd.DataFrame(list(self._rows.values()))[list(COLUMNS)].to_csv(index=False)
        if not os.path.exists(self._output) or self._output.read_text(encoding="utf-8") != text:
            with whole_file(self._output) as unfinished:
                unfinished.write_text(text, encoding="utf-8", newline="")

    def frame(self, pairs: Iterable[tuple[str, str]]) -> pd.DataFrame:
        """Return the rows of these configurations and models."""
        rows = [self._rows[pair] for pair in pairs]
        return pd.DataFrame(rows, columns=[*COLUMNS, *_FURTHER])

    @staticmethod
    def _details(output: Path) -> Path:
        return output.with_suffix(".details.csv")


def _read(details: Path) -> list[dict[str, Any]]:
    """Return the rows of a file of details."""
    try:
        rows = pd.read_csv(details, float_precision="round_trip").to_dict("records")
    except (ValueError, OSError) as error:
        raise ValueError(f"{details} cannot be read: {error}; {remedy(details)}") from error
    needed = ("dataset", "model", "settings", *COLUMNS)
    lacking = [name for name in needed if rows and name not in rows[0]]
    if lacking:
        raise ValueError(
            f"{details} cannot be read: it lacks the columns {lacking[:3]}; use another output"
        )
    return [{str(name): value for name, value in row.items()} for row in rows]


def _write(table: pd.DataFrame, path: Path) -> None:
    with whole_file(path) as unfinished:
        table.to_csv(unfinished, index=False)
