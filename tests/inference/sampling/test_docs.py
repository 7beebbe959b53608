"""The Python of docs/paths.md runs, and its table names what is there."""

import re

import pytest
from places import ROOT

from timer_forecaster import Forecast, ForecastPipeline

PAGE = (ROOT / "docs" / "paths.md").read_text(encoding="utf-8")


def test_the_page_runs(monkeypatch, tmp_path):
    (block,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    names = {}
    exec(block, names)  # noqa: S102
    assert names["paths"].shape == (1, 1000, 48)
    assert (names["paths"] == names["same"]).all()
    assert len(names["table"]) == 100 * 48
    assert names["forecast"].total([0.1, 0.9], parts=24).shape == (1, 2, 2)


@pytest.mark.parametrize("name", ["sample_paths", "total", "aggregate", "sample"])
def test_methods_are_there(name):
    assert f"{name}" in PAGE
    assert hasattr(Forecast, name) or hasattr(ForecastPipeline, name)


def test_figures_are_there():
    table = PAGE.partition("<!-- figures -->")[2].partition("<!-- end figures -->")[0]
    assert table.count("\n|") >= 6
