"""Records of a run: sums over steps, time, and the log file."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from timer_forecaster.files import whole_file
from timer_forecaster.pretraining.data import BatchSource
from timer_forecaster.pretraining.timer_s1 import TERMS


class Meter:
    """Sums of the terms of the objective, and time, since the meter was made."""

    def __init__(self, batches: BatchSource, terms: tuple[str, ...] = TERMS) -> None:
        self.sums, self.steps, self.tokens = torch.zeros(len(terms), device=batches.device), 0, 0
        self._first_bad = torch.zeros((), dtype=torch.long, device=batches.device)
        self._batches, self._drawing = batches, batches.seconds
        self._started = time.perf_counter()

    def add(self, terms: Tensor, tokens: int) -> None:
        """Add a step: its terms, in their order, and its patches or windows."""
        self.sums += terms
        self.steps += 1
        self.tokens += tokens
        bad = ~torch.isfinite(terms[0]) & (self._first_bad == 0)
        self._first_bad = torch.where(bad, self.steps, self._first_bad)

    @property
    def first_bad(self) -> int | None:
        """The number of the first step, from 1 on, whose loss is not finite; None if all are."""
        return int(self._first_bad) or None

    def read(self) -> tuple[float, float]:
        """Return the seconds that have passed, and the seconds among them for drawing data."""
        return time.perf_counter() - self._started, self._batches.seconds - self._drawing


class RunLog:
    """A log file with one JSON record per line."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, record: dict[str, Any]) -> None:
        """Append a record."""
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")

    def last(self) -> dict[str, Any]:
        """Return the newest record, or an empty one."""
        records = self._read()
        return records[-1] if records else {}

    def cut(self, step: int) -> None:
        """Drop the records after a step: they will be computed again."""
        kept = [json.dumps(record) + "\n" for record in self._read() if record["step"] <= step]
        with whole_file(self.path) as unfinished:
            unfinished.write_text("".join(kept), encoding="utf-8")

    def _read(self) -> list[dict[str, Any]]:
        if not self.path.exists():
            return []
        records = []
        for line in self.path.read_text(encoding="utf-8").splitlines():
            try:
                records.append(json.loads(line))
            except ValueError:
                break  # the process was killed while it wrote this line
        return records
