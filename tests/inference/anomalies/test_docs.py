"""The examples of docs/anomalies.md run and print what they say."""

import re
import shlex
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from places import ROOT

from timer_forecaster import cli

DOCS = (ROOT / "docs" / "anomalies.md").read_text(encoding="utf-8")


def test_the_python_prints_what_it_says(capsys):
    pytest.importorskip("sktime")
    blocks = re.findall(r"```python\n(.*?)```", DOCS, flags=re.DOTALL)
    names = {}
    for block in blocks:
        exec(block, names)  # noqa: S102
    printed = "".join(re.findall(r"```text\n(.*?)```", DOCS, flags=re.DOTALL))
    assert capsys.readouterr().out == printed
    assert len(names["table"]) == 300


@pytest.mark.parametrize("place", [0, 1])
def test_the_commands_run(place, tmp_path, monkeypatch, capsys):
    pytest.importorskip("matplotlib")
    (block,) = re.findall(r"```bash\n(.*?)```", DOCS, flags=re.DOTALL)
    words = shlex.split(block.splitlines()[place])[1:]
    monkeypatch.chdir(tmp_path)
    days = pd.date_range("2024-01-01", periods=60)
    pd.DataFrame({"day": days, "sold": np.arange(60.0) % 7}).to_csv("sales.csv", index=False)
    assert cli.main([*words, "--checkpoint", "timer-s1-test"]) == 0
    assert "steps are anomalies" in capsys.readouterr().out
    assert Path("odd.csv").exists() == bool(place)
