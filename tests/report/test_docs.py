"""The examples of docs/report.md run."""

import re
import shlex

import numpy as np
import pandas as pd
import pytest
from pages import page_of
from places import ROOT

from timer_forecaster import cli

DOCS = (ROOT / "docs" / "report.md").read_text(encoding="utf-8")


def test_the_python_writes_a_report(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (block,) = re.findall(r"```python\n(.*?)```", DOCS, flags=re.DOTALL)
    exec(block, {})  # noqa: S102
    page = page_of(tmp_path / "sales.html")
    assert page.texts("h2")[:2] == ["Forecasts", "Leaderboard"]


@pytest.mark.parametrize("place", [0, 1, 2])
def test_the_commands_run(place, tmp_path, monkeypatch):
    (block,) = re.findall(r"```bash\n(.*?)```", DOCS, flags=re.DOTALL)
    words = shlex.split(block.splitlines()[place])[1:]
    monkeypatch.chdir(tmp_path)
    days = pd.date_range("2024-01-01", periods=100)
    pd.DataFrame({"day": days, "sold": np.arange(100.0) % 7}).to_csv("sales.csv", index=False)
    assert cli.main([*words, "--checkpoint", "timer-s1-test"]) == 0
    assert page_of(tmp_path / words[-1]).texts("h1")


def test_what_it_says_of_sizes_is_true():
    from timer_forecaster.report.detail import _LONGEST, MOST_COLUMNS
    from timer_forecaster.report.gallery import MOST_SERIES
    from timer_forecaster.report.numbers import FINENESS

    assert (FINENESS, _LONGEST, MOST_SERIES, MOST_COLUMNS) == (5000, 4000, 500, 6)
    script = ROOT / "timer_forecaster" / "report" / "page.js"
    assert script.stat().st_size < 40_000
    assert (ROOT / "docs" / "images" / "report.png").stat().st_size < 200_000
