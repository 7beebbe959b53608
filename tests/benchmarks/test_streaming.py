"""The program that streams walks."""

import re

import numpy as np
import pandas as pd

from benchmarks import streaming


def test_it_prints_memory_and_time(capsys, monkeypatch, tmp_path):
    class Process:
        """Answers at once, in this process."""

        def __init__(self, *_):
            pass

        def ask(self, question, *arguments):
            assert question == "measure"
            return streaming.measured("one", *arguments)

        def close(self):
            pass

    monkeypatch.setattr(streaming, "Process", Process)
    monkeypatch.setattr(streaming, "forget_peak", lambda: None)
    words = ["--series", "3", "5", "--steps", "40", "--checkpoint", "timer-s1-test"]
    streaming.main([*words, "--partition-rows", "150", "--no-kill", "--folder", str(tmp_path)])
    printed = capsys.readouterr().out
    assert re.search(r"^\| 5 \| 200 \| \d\.\d\d \|", printed, re.M)
    assert not list(tmp_path.iterdir())


def test_arrays_are_the_first_and_the_last_walks(tmp_path, monkeypatch):
    monkeypatch.setattr(streaming, "_AT_ONCE", 2)
    streaming.write_walks(tmp_path / "a.parquet", 7, 5)
    walks = pd.read_parquet(tmp_path / "a.parquet")["y"].to_numpy().reshape(7, 5)
    for most in (1, 2, 3, 6, 7, 20):
        first, last = streaming.arrays_of(tmp_path / "a.parquet", most)
        few = min(most, 7)
        np.testing.assert_array_equal(first, walks[: few // 2])
        np.testing.assert_array_equal(last, walks[7 - few + few // 2 :])
