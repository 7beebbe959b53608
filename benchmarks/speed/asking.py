"""Processes of this program that answer its questions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Any

from benchmarks.processes import ONE_THREAD, Process

PROGRAM = "benchmarks.speed"
Ask = Callable[..., Any]


def start(python: str, side: str, threads: Mapping[str, str] = ONE_THREAD) -> Process:
    """Start a process that answers for a side; close it after use."""
    return Process(python, PROGRAM, side, threads)


def asker(python: str, side: str) -> Ask:
    """Return a function that asks each question of a new process."""

    def ask(question: str, *arguments: Any, **details: Any) -> Any:
        with closing(start(python, side)) as process:
            return process.ask(question, *arguments, **details)

    return ask
