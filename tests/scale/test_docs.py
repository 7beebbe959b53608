"""The examples of docs/scale.md run, and print what it says."""

import re
import shlex

import pandas as pd
from places import ROOT
from scale_cases import sales

from timer_forecaster import cli

DOCS = (ROOT / "docs" / "scale.md").read_text(encoding="utf-8")
STREAM = DOCS[DOCS.index("## Series in a stream") :]


def test_the_python_prints_what_it_says(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    block = re.findall(r"```python\n(.*?)```", STREAM, flags=re.DOTALL)[0]
    printed = re.findall(r"```text\n(Totals.*?)```", STREAM, flags=re.DOTALL)[0]
    exec(block, {})  # noqa: S102
    assert capsys.readouterr().out == printed


def test_the_command_leaves_what_it_says(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    command = re.findall(r"```bash\n(.*?)\n", STREAM)[0]
    (tmp_path / "sales").mkdir()
    sales(2).to_parquet(tmp_path / "sales" / "0.parquet")
    assert cli.main([*shlex.split(command)[1:], "--checkpoint", "timer-s1-test"]) == 0
    tree = re.findall(r"^(out/\S+)", STREAM, flags=re.MULTILINE)
    assert len(tree) == 4
    for name in tree:
        assert (tmp_path / name).exists() or "rejected" in name
    assert pd.read_parquet("out/forecast")["shop"].nunique() == 2
