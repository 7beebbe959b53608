"""The Python of docs/evaluation.md runs."""

import re

import numpy as np
import pandas as pd
from places import ROOT

DOCS = (ROOT / "docs" / "evaluation.md").read_text(encoding="utf-8")


def test_own_model(tmp_path, monkeypatch, capsys):
    (block,) = re.findall(r"```python\n(.*?)```", DOCS, flags=re.DOTALL)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "gift_eval").mkdir()
    series = [10 + np.sin(np.arange(80.0))]
    frame = pd.DataFrame({"freq": "M", "target": series})
    frame.to_parquet(tmp_path / "gift_eval" / "shop__M.parquet")
    exec(block, {})  # noqa: S102
    assert re.search(r"^\| shop/M/short +\| last season +\|", capsys.readouterr().out, re.M)
    assert len(pd.read_csv("own_results.csv")) == 3
