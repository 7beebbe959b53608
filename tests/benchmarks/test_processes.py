"""Processes of a program answer questions about a side."""

import sys
from contextlib import closing

import pytest

from benchmarks.processes import Process

PROGRAM = "benchmarks.speed"


def test_a_process_answers_until_a_question_fails(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # the package is found from any folder
    with closing(Process(sys.executable, PROGRAM, "ours")) as process:
        assert process.ask("memory")["peak"] > 0
        with pytest.raises(RuntimeError, match=r"(?s)no answer to 'unknown'.*KeyError"):
            process.ask("unknown")
