"""The examples of docs/backtest.md run, and print what it says."""

import re
import shlex

import numpy as np
import pandas as pd
import pytest
from places import ROOT

from timer_forecaster import cli

DOCS = (ROOT / "docs" / "backtest.md").read_text(encoding="utf-8")


def test_the_python_prints_what_it_says(capsys):
    (block,) = re.findall(r"```python\n(.*?)```", DOCS, flags=re.DOTALL)
    *_, printed = re.findall(r"```text\n(.*?)```", DOCS, flags=re.DOTALL)
    exec(block, {})  # noqa: S102
    assert capsys.readouterr().out == printed


@pytest.mark.parametrize("place", [0, 1])
def test_the_commands_run(place, tmp_path, monkeypatch):
    for package in (("matplotlib",), ("sktime", "statsmodels"))[place]:
        pytest.importorskip(package)
    block, _ = re.findall(r"```bash\n(.*?)```", DOCS, flags=re.DOTALL)
    words = shlex.split(block.splitlines()[place])[1:]
    monkeypatch.chdir(tmp_path)
    days = pd.date_range("2024-01-01", periods=100)
    pd.DataFrame({"day": days, "sold": np.arange(100.0) % 7}).to_csv("sales.csv", index=False)
    assert cli.main([*words, "--checkpoint", "timer-s1-test"]) == 0
    assert (tmp_path / words[words.index("--output") + 1]).exists()


def test_every_option_of_the_windows_is_on_the_page():
    for name in ("windows", "step", "min-history", "against", "seasonality", "levels", "output"):
        assert f"`--{name}`" in DOCS
