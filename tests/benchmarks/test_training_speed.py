"""The program on this version alone, with a tiny network."""

import contextlib
import io
import json
import re

import pytest

pytest.importorskip("accelerate")

from benchmarks import training_speed
from benchmarks.places import ROOT


def test_both_sides_train_the_same(monkeypatch, capsys):
    started = []

    @contextlib.contextmanager
    def running(tree, asked):  # in this process, as a new one takes seconds to start
        started.append(str(tree))
        answers = io.StringIO()
        training_speed.answer(json.loads(asked), ["next"] * 3, answers)
        yield iter(answers.getvalue().splitlines())

    monkeypatch.setattr(training_speed, "running", running)
    monkeypatch.setattr(training_speed, "ask", lambda lines: json.loads(next(lines)))
    words = ["--reference", "other", "--size", "tiny", "--tokens", "64", "--window", "16"]
    training_speed.main([*words, "--serial-blocks", "2", "--steps", "1"])
    assert started == ["other", str(ROOT)]
    printed = capsys.readouterr().out
    assert re.search(r"^reference +\d+\.\d\d s a step +\d+ patches/s$", printed, re.M)
    assert re.search(r"^ratio \d+\.\d\d, losses differ by 0\.0e\+00$", printed, re.M)


def test_a_reference_is_needed(capsys):
    with pytest.raises(SystemExit):
        training_speed.parse_arguments([])
    assert "--reference is needed" in capsys.readouterr().err
