"""Results on disk: each is written as it comes, so a stopped run can resume."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from timer_forecaster.evaluation.leaderboard import COLUMNS
from timer_forecaster.files import whole_file

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
        if not output.parent.is_dir():
            raise ValueError(f"cannot write {output}: there is no folder {output.parent}")
        details = self._details(output)
        if details.exists():
            table = pd.read_csv(details, float_precision="round_trip")
            for row in table.to_dict("records"):
                self._rows[row["dataset"], row["model"]] = {str(k): v for k, v in row.items()}
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
            _write(table[list(COLUMNS)], self._output)

    def frame(self, pairs: Iterable[tuple[str, str]]) -> pd.DataFrame:
        """Return the rows of these configurations and models."""
        rows = [self._rows[pair] for pair in pairs]
        return pd.DataFrame(rows, columns=[*COLUMNS, *_FURTHER])

    @staticmethod
    def _details(output: Path) -> Path:
        return output.with_suffix(".details.csv")


def _write(table: pd.DataFrame, path: Path) -> None:
    with whole_file(path) as unfinished:
        table.to_csv(unfinished, index=False)
