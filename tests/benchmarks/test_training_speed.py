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
    asked = []

    def ask(tree, question):  # in this process, as a new one takes seconds to start
        asked.append(tree)
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            training_speed.answer(question)
        return json.loads(printed.getvalue())

    monkeypatch.setattr(training_speed, "ask", ask)
    words = ["--reference", "other", "--size", "tiny", "--tokens", "64", "--window", "16"]
    training_speed.main([*words, "--serial-blocks", "2", "--steps", "1", "--rounds", "1"])
    assert [str(tree) for tree in asked] == ["other", str(ROOT)]
    printed = capsys.readouterr().out
    assert re.search(r"^reference +\d+\.\d\d s a step +\d+ patches/s$", printed, re.M)
    assert re.search(r"^ratio \d+\.\d\d, losses differ by 0\.0e\+00$", printed, re.M)


def test_a_reference_is_needed(capsys):
    with pytest.raises(SystemExit):
        training_speed.parse_arguments([])
    assert "--reference is needed" in capsys.readouterr().err
