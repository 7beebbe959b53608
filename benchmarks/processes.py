"""Processes that answer questions about one side of a comparison, a line of JSON for each.

Sides may need other environments and their memory is to be told apart: each has a process, which
runs the same program file as the one that asks, with ``--answer-for SIDE``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
ONE_THREAD: Mapping[str, str] = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
}


class Process:
    """A process that answers questions about one side.

    Parameters
    ----------
    python, program : str or Path
        Interpreter, and the program that is told ``--answer-for SIDE``.
    side : str
        ``"ours"`` finds this package.
    threads : mapping
        Environment variables of libraries that have threads. Default: one thread each.
    """

    def __init__(
        self,
        python: str | Path,
        program: str | Path,
        side: str,
        threads: Mapping[str, str] = ONE_THREAD,
    ) -> None:
        settings = {**threads, "HF_HUB_OFFLINE": "1"}
        if side == "ours":
            settings["PYTHONPATH"] = str(ROOT)
        self._errors = tempfile.TemporaryFile("w+")  # warnings for the most part
        self._process = subprocess.Popen(  # noqa: S603
            [str(python), str(program), "--answer-for", side],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            env={name: os.environ[name] for name in os.environ if name not in ONE_THREAD}
            | settings,
        )

    def ask(self, question: str, *arguments: Any, **details: Any) -> Any:
        """Wait for the answer to a question."""
        assert self._process.stdin is not None and self._process.stdout is not None  # noqa: S101
        line = json.dumps([question, *arguments, details], default=str)
        print(line, file=self._process.stdin, flush=True)
        answer = self._process.stdout.readline()
        if not answer:
            self._errors.seek(0)
            raise RuntimeError(f"no answer to {question!r}:\n{self._errors.read()[-4000:]}")
        return json.loads(answer)

    def close(self) -> None:
        """Ask no more."""
        self._process.communicate()
        self._errors.close()


def answer_for(side: str, questions: Mapping[str, Callable[..., Any]]) -> None:
    """Answer questions until there are no more."""
    answers, sys.stdout = sys.stdout, sys.stderr  # what libraries print is no answer
    for line in sys.stdin:
        question, *arguments, details = json.loads(line)
        result = questions[question](side, *arguments, **details)
        print(json.dumps(result), file=answers, flush=True)
