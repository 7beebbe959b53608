"""The Python of docs/ray.md, and of the tutorial, runs and prints what the page says."""

import doctest
import re

import pytest
from places import ROOT
from tutorials import run_tutorial

DOCS = (ROOT / "docs" / "ray.md").read_text(encoding="utf-8")


@pytest.mark.filterwarnings("ignore::timer_forecaster.failures.SeriesWarning")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_the_page_runs(local_ray, tmp_path, monkeypatch, capsys):
    (block,) = re.findall(r"```python\n(.*?)```", DOCS, flags=re.DOTALL)
    (printed,) = re.findall(r"```text\n(.*?)```", DOCS, flags=re.DOTALL)
    monkeypatch.chdir(tmp_path)
    exec(block, {})  # noqa: S102
    lines = capsys.readouterr().out.splitlines(keepends=True)
    assert "".join(line for line in lines if "(raylet)" not in line) == printed


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_the_examples_of_the_docstrings_run(local_ray, tmp_path, monkeypatch):
    from timer_forecaster.ray import functions

    monkeypatch.chdir(tmp_path)
    assert doctest.testmod(functions).failed == 0


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_the_tutorial_runs(local_ray):
    run_tutorial("parquet_ray")


def test_the_names_of_the_page_are_there():
    from timer_forecaster import ray

    for name in ray.__all__:
        assert re.search(rf"`{name}`|import {name}\b", DOCS)
