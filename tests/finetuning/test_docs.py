"""The Python of docs/finetuning.md runs, and says what is true."""

import re

import numpy as np
import pytest
from places import ROOT

from timer_forecaster.finetuning.config import TARGETS

PAGE = (ROOT / "docs" / "finetuning.md").read_text(encoding="utf-8")


def test_the_page_runs(monkeypatch, tmp_path):
    pytest.importorskip("matplotlib")
    (block,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    names = {}
    exec(block, names)  # noqa: S102
    assert names["adapter"].report.improved
    assert names["tuned"].adapter.report.improved
    zero_shot = names["pipe"].predict(names["load"], horizon=24)
    assert np.abs(names["forecast"].median - zero_shot.median).max() > 1


def test_every_target_is_described():
    for target in TARGETS:
        assert f'`"{target}"`' in PAGE


def test_the_tables_are_there():
    for name in ("targets", "data sets", "memory"):
        table = PAGE.partition(f"<!-- {name} -->")[2].partition(f"<!-- end {name} -->")[0]
        assert table.count("\n|") >= 3
