"""The program that streams walks."""

import re

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


def test_walks_and_arrays_are_the_same_series(tmp_path):
    streaming.write_walks(tmp_path / "a.parquet", 3, 7)
    (arrays,) = streaming._arrays(tmp_path / "a.parquet")
    assert arrays.shape == (3, 7)
