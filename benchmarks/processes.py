"""Processes that answer questions about one side of a comparison.

The sides of a comparison may need different environments, and their memory must not be mixed. So
each side has a process. The process runs the same program as the one that asks, with the option
``--answer-for SIDE``. A question is one line of JSON, and so is an answer.
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

from benchmarks.places import ROOT

ONE_THREAD: Mapping[str, str] = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
}
IMPORTABLE: Mapping[str, str] = {"PYTHONPATH": str(ROOT)}
"""Environment of a process that imports `benchmarks` and `timer_forecaster` from this tree."""


class Process:
    """A process that answers questions about one side.

    Parameters
    ----------
    python : str or Path
        Interpreter.
    program : str
        Module to run, such as ``"benchmarks.speed"``. It must know ``--answer-for SIDE``.
    side : str
        The side that the process answers for.
    threads : mapping
        Environment variables of libraries that have threads. Default: one thread each.
    """

    def __init__(
        self,
        python: str | Path,
        program: str,
        side: str,
        threads: Mapping[str, str] = ONE_THREAD,
    ) -> None:
        inherited = {name: os.environ[name] for name in os.environ if name not in ONE_THREAD}
        self._errors = tempfile.TemporaryFile("w+")  # warnings for the most part
        self._process = subprocess.Popen(  # noqa: S603
            [str(python), "-m", program, "--answer-for", side],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            env={**inherited, **threads, **IMPORTABLE, "HF_HUB_OFFLINE": "1"},
        )

    def ask(self, question: str, *arguments: Any, **details: Any) -> Any:
        """Return the answer to a question; waits for it."""
        assert self._process.stdin is not None and self._process.stdout is not None  # noqa: S101
        line = json.dumps([question, *arguments, details], default=str)
        print(line, file=self._process.stdin, flush=True)
        answer = self._process.stdout.readline()
        if not answer:
            self._errors.seek(0)
            raise RuntimeError(f"no answer to {question!r}:\n{self._errors.read()[-4000:]}")
        return json.loads(answer)

    def close(self) -> None:
        """End the process."""
        self._process.communicate()
        self._errors.close()


def answer_for(side: str, questions: Mapping[str, Callable[..., Any]]) -> None:
    """Answer questions from the standard input until it ends.

    Parameters
    ----------
    side : str
        First argument of each question.
    questions : mapping
        By name, the function that answers.
    """
    answers, sys.stdout = sys.stdout, sys.stderr  # libraries print text that is no answer
    for line in sys.stdin:
        question, *arguments, details = json.loads(line)
        result = questions[question](side, *arguments, **details)
        print(json.dumps(result), file=answers, flush=True)
